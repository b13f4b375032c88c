package dev.culvert.cli.local;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.culvert.kube.object.Exclusions;
import dev.culvert.kube.object.Probe;
import dev.culvert.linux.socket.PacketCapture;
import dev.culvert.linux.socket.RecordedFrames;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/// What can be asked of a running mesh. Thread-safe.
final class Requests {
    private static final long CAPTURE_BYTES = 64L << 20;
    private static final Duration DRAIN = Duration.ofSeconds(5);

    private final Rig rig;
    private final Map<String, Capture> captures = new ConcurrentHashMap<>();

    private record Capture(PacketCapture packets, RecordedFrames frames) {}

    Requests(Rig rig) {
        this.rig = rig;
    }

    void serve(JsonNode request, Answers answers) throws IOException {
        switch (request.path("op").asText()) {
            case "status" -> answers.last(status(answers.object()));
            case "exec" -> exec(request, answers);
            case "http" -> answers.last(http(request, answers.object()));
            case "fetch" -> answers.last(fetch(request, answers.object()));
            case "replace" -> answers.last(replace(request, answers.object()));
            case "kill" -> answers.last(kill(request, answers.object()));
            case "capture-start" -> answers.last(startCapture(request, answers.object()));
            case "capture-find" -> answers.last(findInCapture(request, answers.object()));
            case "capture-stop" -> answers.last(stopCapture(request, answers.object()));
            default -> throw new IOException("unknown request: " + request);
        }
    }

    private ObjectNode status(ObjectNode answer) {
        answer.put("state", rig.config().state().toString());
        answer.put("folder", rig.config().folder().toString());
        rig.config().nodes().forEach(answer.putArray("nodes")::add);
        var pods = answer.putArray("pods");
        for (var pod : rig.pods()) {
            var entry = pods.addObject();
            entry.put("namespace", pod.plan().namespace())
                    .put("name", pod.plan().name());
            entry.put("node", pod.place().node()).put("uid", pod.place().uid());
            entry.put("serviceAccount", pod.plan().serviceAccount());
            pod.address().both().forEach(entry.putArray("addresses")::add);
            entry.put("ready", pod.isReady()).put("restarts", pod.restarts());
            entry.put("redirection", redirection(pod));
            openings(pod).forEach(entry.putArray("openings")::add);
            pod.logs().forEach(log -> entry.withArray("logs").add(log.toString()));
        }
        var processes = answer.putArray("processes");
        for (var process : rig.processes()) {
            var entry = processes.addObject();
            entry.put("name", process.name()).put("running", process.isRunning());
            entry.put("restarts", process.restarts()).put("log", process.log().toString());
        }
        return answer;
    }

    /// What passes by the mesh on purpose, though the pod is in it.
    private static List<String> openings(RunningPod pod) {
        var openings = new ArrayList<>(Exclusions.of(pod.plan().annotations()).openings());
        for (var container : pod.plan().containers()) {
            container.checks().stream()
                    .map(Requests::foreign)
                    .flatMap(Optional::stream)
                    .forEach(host -> openings.add("probe of " + host));
        }
        return openings;
    }

    private static Optional<String> foreign(Probe.Check check) {
        var host =
                switch (check) {
                    case Probe.Check.Http http -> http.host();
                    case Probe.Check.Tcp tcp -> tcp.host();
                    case Probe.Check.Exec _ -> "";
                    case Probe.Check.Grpc _ -> "";
                };
        return Optional.of(host).filter(name -> !name.isEmpty());
    }

    private String redirection(RunningPod pod) {
        var file =
                rig.config().state().resolve("redirection").resolve(pod.place().uid());
        try {
            return Files.exists(file) ? Files.readString(file).strip() : "";
        } catch (IOException e) {
            return ""; // removed meanwhile
        }
    }

    private RunningPod pod(JsonNode request) throws MissingException {
        var name = request.path("pod").asText();
        return rig.pod(name)
                .orElseThrow(() -> new MissingException("no pod " + name + "; there are "
                        + rig.pods().stream().map(pod -> pod.plan().key()).toList()));
    }

    private void exec(JsonNode request, Answers answers) throws IOException {
        var command = new ArrayList<String>();
        request.path("command").forEach(word -> command.add(word.asText()));
        var process = pod(request).start(command, ProcessBuilder.Redirect.PIPE);
        try (var output = process.getInputStream()) {
            var buffer = new byte[8192];
            for (var read = output.read(buffer); read >= 0; read = output.read(buffer)) {
                answers.partial(answers.object().put("out", new String(buffer, 0, read, StandardCharsets.UTF_8)));
            }
            answers.last(answers.object().put("exit", process.waitFor()));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly();
        }
    }

    /// To the admin, metrics or readiness port of a program, from inside its namespace.
    private ObjectNode http(JsonNode request, ObjectNode answer) throws IOException {
        var namespace = rig.namespace(request.path("namespace").asText());
        var fetch = new Fetch(
                request.path("method").asText("GET"),
                "http://127.0.0.1:" + request.path("port").asInt()
                        + request.path("path").asText("/"),
                Map.of());
        return fetch.from(Commands.netns(namespace), answer);
    }

    /// From inside a pod, as its app would.
    private ObjectNode fetch(JsonNode request, ObjectNode answer) throws IOException {
        var headers = new ConcurrentHashMap<String, String>();
        request.path("headers")
                .properties()
                .forEach(
                        header -> headers.put(header.getKey(), header.getValue().asText()));
        var netns = Commands.netns(pod(request).plan().netns());
        return new Fetch("GET", request.path("url").asText(), headers).from(netns, answer);
    }

    private ObjectNode replace(JsonNode request, ObjectNode answer) throws IOException {
        var command = new ArrayList<String>();
        request.path("command").forEach(word -> command.add(word.asText()));
        rig.replaceZtunnel(request.path("node").asText(), command);
        return answer;
    }

    /// A pod's containers or a program; a program stays away with `again: false`.
    private ObjectNode kill(JsonNode request, ObjectNode answer) throws IOException {
        if (request.has("pod")) {
            pod(request).kill(request.path("again").asBoolean(true));
            return answer;
        }
        var name = request.path("process").asText();
        var process = rig.processes().stream()
                .filter(candidate -> candidate.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new MissingException("no process " + name));
        if (request.path("again").asBoolean(true)) {
            process.kill();
        } else {
            process.killForGood();
        }
        return answer;
    }

    /// On the wire of a node; the wire is at home, where nobody has to enter anything.
    private ObjectNode startCapture(JsonNode request, ObjectNode answer) throws IOException {
        var node = request.path("node").asText();
        var number = rig.config().nodes().indexOf(node) + 1;
        if (number == 0) {
            throw new MissingException("no node " + node);
        }
        stopCapture(request, answer);
        var frames = new RecordedFrames(CAPTURE_BYTES);
        var packets = PacketCapture.open(Topology.wireOf(number)).start(frames);
        captures.put(node, new Capture(packets, frames));
        return answer;
    }

    private ObjectNode findInCapture(JsonNode request, ObjectNode answer) throws IOException {
        var capture = captures.get(request.path("node").asText());
        if (capture == null) {
            throw new MissingException("no capture runs on " + request.path("node"));
        }
        try {
            answer.put("complete", capture.packets.awaitDrained(DRAIN) && capture.packets.dropped() == 0);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        var canary = request.path("canary").asText().getBytes(StandardCharsets.UTF_8);
        answer.put("found", capture.frames.contains(canary));
        return answer.put("frames", capture.frames.count()).put("bytes", capture.frames.bytes());
    }

    private ObjectNode stopCapture(JsonNode request, ObjectNode answer) throws IOException {
        var running = captures.remove(request.path("node").asText());
        if (running != null) {
            running.packets.close();
        }
        return answer;
    }
}
