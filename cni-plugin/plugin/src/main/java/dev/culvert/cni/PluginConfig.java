package dev.culvert.cni;

import dev.culvert.cni.CniException.Code;
import dev.culvert.json.Json;
import dev.culvert.json.JsonException;
import dev.culvert.json.JsonReader;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// The network configuration on stdin. What it does not know it ignores, as the specification asks.
/// @param network the network's name
/// @param runDir `cni_agent_run_dir`: where the agent's socket is
/// @param excludedNamespaces `exclude_namespaces`: pods there start without the agent
/// @param ownNamespace `pod_namespace`: where the pods of the mesh's own DaemonSets are
/// @param agentWait `agent_timeout_seconds`: for the agent's whole answer to an ADD
/// @param statusRequiresAgent `status_requires_agent`: whether STATUS fails without the agent
/// @param previous the result of the plugins before this one
record PluginConfig(
        CniVersion version,
        String network,
        String runDir,
        Set<String> excludedNamespaces,
        String ownNamespace,
        Duration agentWait,
        boolean statusRequiresAgent,
        Optional<Json.Obj> previous,
        List<Attachment> validAttachments) {
    private static final String SOCKET = "pluginevent.sock";
    private static final int MAX_SOCKET_PATH = 107;
    private static final int MAX_WAIT_SECONDS = 60;

    /// What the runtime says of itself when it asks for garbage collection.
    record Attachment(String containerId, String ifName) {}

    static PluginConfig parse(byte[] stdin) throws CniException {
        Json.Obj config;
        try {
            config = JsonReader.readObject(stdin);
        } catch (JsonException e) {
            throw new CniException(
                    Code.BAD_CONTENT, "stdin: the network configuration is not JSON", String.valueOf(e.getMessage()));
        }
        try {
            return read(config, version(config));
        } catch (JsonException e) {
            throw bad(String.valueOf(e.getMessage()));
        }
    }

    private static CniVersion version(Json.Obj config) throws CniException, JsonException {
        var text = config.text("cniVersion").orElse("");
        var version = CniVersion.find(text);
        if (version.isEmpty()) {
            throw new CniException(
                    Code.INCOMPATIBLE_VERSION,
                    "cniVersion \"" + shortened(text) + "\" is not supported",
                    "supported are " + String.join(", ", CniVersion.all()));
        }
        return version.get();
    }

    private static PluginConfig read(Json.Obj config, CniVersion version) throws CniException, JsonException {
        var network = config.text("name").orElse("");
        if (network.isEmpty()) {
            throw bad("\"name\" is missing");
        }
        var runDir = config.text("cni_agent_run_dir").orElse("/var/run/istio-cni");
        if (!runDir.startsWith("/")) {
            throw bad("\"cni_agent_run_dir\" must be an absolute path");
        }
        if ((runDir + "/" + SOCKET).getBytes(StandardCharsets.UTF_8).length > MAX_SOCKET_PATH) {
            throw bad(
                    "\"cni_agent_run_dir\" is too long for the path of a socket, " + MAX_SOCKET_PATH + " bytes in all");
        }
        return new PluginConfig(
                version,
                network,
                runDir,
                Set.copyOf(config.texts("exclude_namespaces").orElse(List.of("istio-system", "kube-system"))),
                config.text("pod_namespace").orElse("istio-system"),
                agentWait(config),
                config.flag("status_requires_agent").orElse(false),
                config.object("prevResult"),
                attachments(config));
    }

    private static Duration agentWait(Json.Obj config) throws CniException {
        var value = config.get("agent_timeout_seconds");
        if (value.isEmpty()) {
            // A node may start all of its pods at once; to give up only makes the runtime begin again.
            return Duration.ofSeconds(MAX_WAIT_SECONDS);
        }
        if (value.get() instanceof Json.Num(var text) && text.length() <= 2 && text.indexOf('.') < 0) {
            try {
                var seconds = Integer.parseInt(text);
                if (seconds >= 1 && seconds <= MAX_WAIT_SECONDS) {
                    return Duration.ofSeconds(seconds);
                }
            } catch (NumberFormatException e) {
                // told below
            }
        }
        throw bad("\"agent_timeout_seconds\" must be a whole number from 1 to " + MAX_WAIT_SECONDS);
    }

    private static List<Attachment> attachments(Json.Obj config) throws JsonException {
        var attachments = new ArrayList<Attachment>();
        for (var item : config.objects("cni.dev/valid-attachments")) {
            attachments.add(new Attachment(
                    item.text("containerID").orElse(""), item.text("ifname").orElse("")));
        }
        return attachments;
    }

    /// The agent's socket.
    String socket() {
        return runDir + "/" + SOCKET;
    }

    static CniException bad(String why) {
        return new CniException(
                Code.BAD_CONFIG,
                "the network configuration is not usable: " + why,
                "mend the entry of culvert-cni in the CNI configuration folder");
    }

    private static String shortened(String text) {
        return text.length() <= 40 ? text : text.substring(0, 40) + "…";
    }
}
