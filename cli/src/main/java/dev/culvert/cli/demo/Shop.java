package dev.culvert.cli.demo;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.culvert.cli.local.SupervisorClient;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/// The pods of `examples/shop` in a running mesh, and what can be seen of them.
final class Shop {
    private final SupervisorClient client;

    Shop(SupervisorClient client) {
        this.client = client;
    }

    SupervisorClient client() {
        return client;
    }

    /// One pod, as the supervisor tells.
    record Pod(String key, String node, String address) {}

    Pod pod(String namespace, String name) throws IOException {
        return pods().stream()
                .filter(pod -> pod.key.equals(namespace + "/" + name))
                .findFirst()
                .orElseThrow(() -> new ObservationException("there is no pod " + namespace + "/" + name));
    }

    /// The server's replica on a node.
    Pod serverOn(String node) throws IOException {
        return pods().stream()
                .filter(pod -> pod.key.startsWith("shop/server-") && pod.node.equals(node))
                .findFirst()
                .orElseThrow(() -> new ObservationException("no replica of server is on " + node));
    }

    private List<Pod> pods() throws IOException {
        var pods = new ArrayList<Pod>();
        for (var pod : client.status().path("pods")) {
            pods.add(new Pod(
                    pod.path("namespace").asText() + "/" + pod.path("name").asText(),
                    pod.path("node").asText(),
                    pod.path("addresses").path(0).asText()));
        }
        return pods;
    }

    /// An answer, or why there was none.
    record Answer(int status, String body, String failure) {
        boolean isOk() {
            return status == 200;
        }

        String line(String start) {
            return body.lines()
                    .filter(line -> line.startsWith(start))
                    .findFirst()
                    .orElse(start + "?");
        }

        String outcome() {
            return isOk() ? "200, " + line("pod: ") + ", " + line("peer: ") : "no answer: " + failure;
        }
    }

    /// A request from inside a pod.
    Answer fetch(Pod from, Pod to, String path) throws IOException {
        var url = "http://" + to.address + ":8080" + path;
        var answer = client.ask(client.request("fetch").put("pod", from.key).put("url", url));
        return new Answer(
                answer.path("status").asInt(),
                answer.path("body").asText(),
                answer.path("failure").asText());
    }

    static String canary() {
        return "canary-" + UUID.randomUUID();
    }

    void startCapture(String node) throws IOException {
        client.ask(client.request("capture-start").put("node", node));
    }

    /// What a capture on a node's wire has of a canary.
    record Capture(boolean found, boolean complete, long frames) {}

    Capture find(String node, String canary) throws IOException {
        var answer = client.ask(client.request("capture-find").put("node", node).put("canary", canary));
        return new Capture(
                answer.path("found").asBoolean(),
                answer.path("complete").asBoolean(),
                answer.path("frames").asLong());
    }

    void stopCapture(String node) throws IOException {
        client.ask(client.request("capture-stop").put("node", node));
    }

    /// The access log of a node's ztunnel.
    List<String> accessLog(String node) throws IOException {
        for (var process : client.status().path("processes")) {
            if (process.path("name").asText().equals(node + "/ztunnel")) {
                var log = Path.of(process.path("log").asText());
                return Files.exists(log)
                        ? Files.readAllLines(log).stream()
                                .filter(line -> line.contains("\taccess\t"))
                                .toList()
                        : List.of();
            }
        }
        return List.of();
    }

    /// The newest line with all of these words, among those after the first `skip`.
    Optional<String> logged(String node, int skip, List<String> words) throws IOException {
        return accessLog(node).stream()
                .skip(skip)
                .filter(line -> words.stream().allMatch(line::contains))
                .reduce((_, last) -> last);
    }

    /// A page of a node's ztunnel as JSON.
    JsonNode admin(String node, String path) throws IOException {
        return new ObjectMapper().readTree(client.admin(node, path));
    }

    /// The sum of a counter over its samples that have a label.
    double metric(String node, String name, String label) throws IOException {
        return client.page(node + "-ztunnel", 15020, "/metrics")
                .lines()
                .filter(line -> line.startsWith(name + "{") && line.contains(label))
                .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
                .sum();
    }
}
