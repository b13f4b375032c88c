package dev.culvert.cni;

import dev.culvert.cni.AgentClient.Answer;
import dev.culvert.cni.CniException.Code;
import dev.culvert.json.Json;
import dev.culvert.json.JsonException;
import dev.culvert.json.JsonReader;
import dev.culvert.json.JsonWriter;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The commands of the CNI specification. Each returns what stdout gets.
final class Commands {
    /// The names of the mesh's own DaemonSets: their pods must start without the agent.
    private static final List<String> OWN_PODS = List.of("istio-cni-node-", "ztunnel-");

    private static final Duration STDIN_WAIT = Duration.ofSeconds(5);
    private static final Duration SHORT_WAIT = Duration.ofSeconds(10);
    private static final String ADD = "/cmdadd";
    static final String ASKING = "asking the agent";

    private final Map<String, String> env;
    private final InputStream stdin;
    private final Steps steps;

    Commands(Map<String, String> env, InputStream stdin, Steps steps) {
        this.env = env;
        this.stdin = stdin;
        this.steps = steps;
    }

    String run(String command) throws CniException {
        return switch (command) {
            case "VERSION" -> version();
            case "ADD" -> add(config());
            case "CHECK" -> check(config());
            case "DEL" -> delete(config());
            case "GC" -> collect(config());
            case "STATUS" -> status(config());
            default ->
                throw new CniException(
                        Code.BAD_ENVIRONMENT,
                        "environment: CNI_COMMAND is not usable",
                        "it must be ADD, CHECK, DEL, GC, STATUS or VERSION");
        };
    }

    private static String version() {
        var versions = new ArrayList<Json>();
        CniVersion.all().forEach(version -> versions.add(new Json.Str(version)));
        var answer = new LinkedHashMap<String, Json>();
        answer.put("cniVersion", new Json.Str(CniVersion.newest().text));
        answer.put("supportedVersions", new Json.Arr(versions));
        return JsonWriter.write(Json.Obj.of(answer));
    }

    private PluginConfig config() throws CniException {
        steps.begin("reading the network configuration on stdin", STDIN_WAIT);
        try {
            var bytes = stdin.readNBytes(JsonReader.MAX_BYTES + 1);
            return PluginConfig.parse(bytes);
        } catch (IOException e) {
            throw new CniException(
                    Code.IO_FAILURE, "stdin cannot be read: " + e.getMessage(), "the container runtime writes it");
        }
    }

    private String add(PluginConfig config) throws CniException {
        var call = Invocation.of(env, true);
        var pod = call.pod().filter(it -> asks(config, it));
        if (pod.isPresent()) {
            var answer = ask(config, ADD, added(config, call, pod.get()));
            if (answer.status() != 200) {
                throw refused(pod.get(), answer);
            }
        }
        return result(config);
    }

    /// Pods that need no agent: those that must run before it can.
    private static boolean asks(PluginConfig config, Invocation.Pod pod) {
        if (config.excludedNamespaces().contains(pod.namespace())) {
            return false;
        }
        return !pod.namespace().equals(config.ownNamespace())
                || OWN_PODS.stream().noneMatch(pod.name()::startsWith);
    }

    /// The previous result as it came; its version is that of the configuration, which the runtime sees to.
    private static String result(PluginConfig config) {
        if (config.previous().isEmpty()) {
            return "{\"cniVersion\":\"" + config.version().text + "\"}";
        }
        var previous = config.previous().get();
        if (previous.get("cniVersion").isPresent()) {
            return previous.raw();
        }
        var members = new LinkedHashMap<String, Json>();
        members.put("cniVersion", new Json.Str(config.version().text));
        members.putAll(previous.members());
        return JsonWriter.write(Json.Obj.of(members));
    }

    private String check(PluginConfig config) throws CniException {
        config.version().require(CniVersion.V0_4_0, "CHECK");
        var call = Invocation.of(env, true);
        if (config.previous().isEmpty()) {
            throw PluginConfig.bad("\"prevResult\" is missing, which CHECK needs");
        }
        var pod = call.pod().filter(it -> asks(config, it));
        if (pod.isPresent()) {
            var answer = ask(config, "/cmdcheck", added(config, call, pod.get()));
            if (answer.status() != 200 && !unknown(answer)) {
                throw refused(pod.get(), answer);
            }
        }
        return "";
    }

    /// Never fails for want of an agent: the pod is gone, and the next agent sees that.
    private String delete(PluginConfig config) throws CniException {
        var call = Invocation.of(env, false);
        var pod = call.pod().filter(it -> asks(config, it));
        if (pod.isPresent()) {
            try {
                ask(config, "/cmddel", message(config, call, pod.get()));
            } catch (CniException e) {
                if (e.code() != Code.TRY_AGAIN) {
                    throw e;
                }
            }
        }
        return "";
    }

    private String collect(PluginConfig config) throws CniException {
        config.version().require(CniVersion.V1_1_0, "GC");
        var valid = new ArrayList<Json>();
        for (var attachment : config.validAttachments()) {
            valid.add(Json.Obj.of(Map.of(
                    "ContainerID", new Json.Str(attachment.containerId()),
                    "IfName", new Json.Str(attachment.ifName()))));
        }
        var message = new LinkedHashMap<String, Json>();
        message.put("Network", new Json.Str(config.network()));
        message.put("Valid", new Json.Arr(valid));
        var answer = ask(config, "/cmdgc", message);
        if (answer.status() != 200 && !unknown(answer)) {
            throw new CniException(
                    Code.TRY_AGAIN, "the agent could not clean up (" + answer.status() + ")", answer.body());
        }
        return "";
    }

    /// Succeeds without the agent unless told otherwise: the runtime would report the node as not ready, pods that need
    /// no agent (the agent's own among them) would not start, and running pods would be evicted.
    private String status(PluginConfig config) throws CniException {
        config.version().require(CniVersion.V1_1_0, "STATUS");
        if (!config.statusRequiresAgent()) {
            return "";
        }
        try {
            var answer = ask(config, "/cmdstatus", Map.of());
            if (answer.status() == 200 || unknown(answer)) {
                return "";
            }
            throw new CniException(
                    Code.NOT_AVAILABLE, "the agent is not ready (" + answer.status() + ")", answer.body());
        } catch (CniException e) {
            throw new CniException(Code.NOT_AVAILABLE, e.message(), e.details());
        }
    }

    private Answer ask(PluginConfig config, String path, Map<String, Json> message) throws CniException {
        var wait = path.equals(ADD) || config.agentWait().compareTo(SHORT_WAIT) < 0 ? config.agentWait() : SHORT_WAIT;
        steps.begin(ASKING + " at " + config.socket(), wait);
        return new AgentClient(config.socket()).post(path, JsonWriter.write(Json.Obj.of(message)));
    }

    /// Istio's agent knows `/cmdadd` only.
    private static boolean unknown(Answer answer) {
        return answer.status() == 404;
    }

    private static CniException refused(Invocation.Pod pod, Answer answer) {
        var again = answer.status() >= 500;
        return new CniException(
                again ? Code.TRY_AGAIN : Code.REFUSED,
                "the agent does not take pod " + pod.namespace() + "/" + pod.name() + " into the mesh ("
                        + answer.status() + ")",
                answer.body().isEmpty() ? "see the agent's log" : answer.body());
    }

    /// What Istio's plugin sends, and what our agent also wants to know, which Istio's skips.
    private static Map<String, Json> added(PluginConfig config, Invocation call, Invocation.Pod pod)
            throws CniException {
        var message = message(config, call, pod);
        try {
            var previous = config.previous();
            message.put("IPs", new Json.Arr(previous.isEmpty() ? List.of() : AddressMessage.of(previous.get())));
            return message;
        } catch (JsonException e) {
            throw PluginConfig.bad(String.valueOf(e.getMessage()));
        }
    }

    private static Map<String, Json> message(PluginConfig config, Invocation call, Invocation.Pod pod) {
        var message = new LinkedHashMap<String, Json>();
        message.put("Netns", new Json.Str(call.netns()));
        message.put("PodName", new Json.Str(pod.name()));
        message.put("PodNamespace", new Json.Str(pod.namespace()));
        message.put("PodUID", new Json.Str(pod.uid()));
        message.put("Network", new Json.Str(config.network()));
        message.put("ContainerID", new Json.Str(call.containerId()));
        message.put("IfName", new Json.Str(call.ifName()));
        return message;
    }

    /// Whether a step that took too long is none of the command's failures.
    static Optional<String> late(String command, Steps.Step step) {
        return command.equals("DEL") && step.what().startsWith(ASKING) ? Optional.of("") : Optional.empty();
    }
}
