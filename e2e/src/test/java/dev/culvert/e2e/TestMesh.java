package dev.culvert.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.culvert.cli.local.LocalMesh;
import dev.culvert.cli.local.Programs;
import dev.culvert.cli.local.Rig;
import dev.culvert.cli.local.Rig.RigConfig;
import dev.culvert.cli.local.Supervisor;
import dev.culvert.cli.local.SupervisorClient;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// A mesh of two nodes from a folder of YAML, in this process' namespaces; the programs are the built ones. A
/// test changes it as a user would, by writing YAML.
final class TestMesh implements AutoCloseable {
    static final List<String> NODES = List.of("node-1", "node-2");
    static final String CONTROLLER = "istiod-lite";
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Path folder;
    private final Path state;
    private final Rig rig;
    private final Supervisor supervisor;
    private final SupervisorClient client;

    private TestMesh(Path folder, Path state) throws IOException {
        this.folder = folder;
        this.state = state;
        var programs = Programs.built(Path.of(System.getProperty("culvert.root")));
        this.rig = Rig.start(new RigConfig(state, folder, NODES, programs));
        this.supervisor = Supervisor.listen(rig);
        this.client = new SupervisorClient(state);
    }

    /// Starts `Yaml.PODS` and more, and waits until all is ready.
    /// @param files text by name
    static TestMesh start(Path directory, Map<String, String> files) throws IOException {
        var folder = Files.createDirectories(directory.resolve("shop"));
        Files.writeString(folder.resolve("pods.yaml"), Yaml.PODS);
        for (var file : files.entrySet()) {
            Files.writeString(folder.resolve(file.getKey()), file.getValue());
        }
        var mesh = new TestMesh(folder, Files.createDirectories(directory.resolve("state")));
        try {
            mesh.awaitReady();
            return mesh;
        } catch (AssertionError e) {
            mesh.close();
            throw e;
        }
    }

    void awaitReady() {
        Await.until("every pod and program is ready", () -> {
            var waitsFor = LocalMesh.waitsFor(client.status());
            for (var node : NODES) {
                client.page(node + "-ztunnel", 15021, "/healthz/ready");
            }
            return waitsFor.isEmpty();
        });
    }

    Path state() {
        return state;
    }

    /// Puts a file into the user's folder, or replaces it, in one step.
    Path write(String file, String yaml) throws IOException {
        var temporary = folder.resolve("." + file + ".new");
        Files.writeString(temporary, yaml);
        return Files.move(temporary, folder.resolve(file), StandardCopyOption.ATOMIC_MOVE);
    }

    void delete(String file) throws IOException {
        Files.deleteIfExists(folder.resolve(file));
    }

    /// Puts the namespace shop into the mesh; returns when the agent says that its pods are captured.
    void enrol() throws IOException {
        write("namespace.yaml", Yaml.ENROLLED);
        awaitRedirection("enabled");
    }

    /// Takes it out again.
    void release() throws IOException {
        write("namespace.yaml", Yaml.NOT_ENROLLED);
        awaitRedirection("");
    }

    void awaitRedirection(String word) {
        Await.until("redirection of shop's pods is '" + word + "'", () -> {
            for (var pod : client.status().path("pods")) {
                if (pod.path("namespace").asText().equals("shop")
                        && !pod.path("redirection").asText().equals(word)) {
                    return false;
                }
            }
            return true;
        });
    }

    /// @param key `namespace/name`
    TestPod pod(String key) throws IOException {
        for (var pod : client.status().path("pods")) {
            if (key.equals(
                    pod.path("namespace").asText() + "/" + pod.path("name").asText())) {
                var addresses = pod.path("addresses");
                return new TestPod(
                        key,
                        pod.path("node").asText(),
                        InetAddress.ofLiteral(addresses.path(0).asText()),
                        InetAddress.ofLiteral(addresses.path(1).asText()));
            }
        }
        throw new AssertionError("no pod " + key);
    }

    private JsonNode process(String name) throws IOException {
        for (var process : client.status().path("processes")) {
            if (process.path("name").asText().equals(name)) {
                return process;
            }
        }
        throw new AssertionError("no program " + name);
    }

    /// `kill -9`, and waits until it has been started again and is ready.
    void killAndAwait(String program) throws IOException {
        var restarts = process(program).path("restarts").asInt();
        client.ask(client.request("kill").put("process", program));
        Await.until(program + " is started again", () -> {
            var now = process(program);
            return now.path("restarts").asInt() > restarts
                    && now.path("running").asBoolean();
        });
        if (program.endsWith("/ztunnel")) {
            var namespace = program.replace('/', '-');
            Await.until(
                    program + " is ready",
                    () -> !client.page(namespace, 15021, "/healthz/ready").isEmpty());
        }
    }

    /// `kill -9` of a pod's processes, which are started again.
    void killPod(String key) throws IOException {
        client.ask(client.request("kill").put("pod", key));
    }

    /// `kill -9` of a pod's processes; nobody starts them again.
    void killPodForGood(String key) throws IOException {
        client.ask(client.request("kill").put("pod", key).put("again", false));
    }

    /// `kill -9` of a node's agent, and waits until the next one has read the folder and serves its ztunnel.
    void restartAgent(String node) throws IOException {
        var program = node + "/agent";
        var skip = log(program).size();
        killAndAwait(program);
        Await.until(
                program + " serves again",
                () -> log(program).stream()
                        .skip(skip)
                        .anyMatch(line -> line.contains("the agent of " + node + " serves")));
    }

    /// Makes useless what a node's agent has kept of the folders.
    void damageCopies(String node) throws IOException {
        try (var kept = Files.walk(state.resolve("agents").resolve(node))) {
            for (var copy : kept.filter(Files::isRegularFile).toList()) {
                Files.writeString(copy, "damaged");
            }
        }
    }

    /// Replaces a node's ztunnel as an upgrade does.
    /// @param command the next one's; empty for the same program
    void replace(String node, List<String> command) throws IOException {
        var request = client.request("replace").put("node", node);
        command.forEach(request.putArray("command")::add);
        client.ask(request);
    }

    /// `kill -9`; nobody starts it again.
    void killForGood(String program) throws IOException {
        client.ask(client.request("kill").put("process", program).put("again", false));
        Await.until(
                program + " is away", () -> !process(program).path("running").asBoolean());
    }

    /// What a program has printed so far.
    List<String> log(String program) throws IOException {
        var log = Path.of(process(program).path("log").asText());
        return Files.exists(log) ? Files.readAllLines(log) : new ArrayList<>();
    }

    /// Waits for a line of a ztunnel's access log, among those after the first `skip` lines of its log.
    void awaitAccess(String node, int skip, String... words) {
        Await.until(
                node + "'s access log has " + List.of(words),
                () -> log(node + "/ztunnel").stream()
                        .skip(skip)
                        .filter(line -> line.contains("\taccess\t"))
                        .anyMatch(line -> List.of(words).stream().allMatch(line::contains)));
    }

    /// What a command in a pod prints; empty if it fails.
    String exec(TestPod pod, String... command) throws IOException {
        var output = new StringBuilder();
        return client.exec(pod.key(), List.of(command), output::append) == 0 ? output.toString() : "";
    }

    /// Until a new connection goes through the tunnel and the server's node knows the caller.
    void awaitTunnel(TestPod from, TestPod to) throws IOException {
        var skip = log(to.node() + "/ztunnel").size();
        var identity = "src.identity=\"spiffe://cluster.local/ns/" + from.key().replace("/", "/sa/") + "\"";
        Await.until(from.key() + " reaches " + to.key() + " by HBONE", () -> {
            from.say(to.v4(), "hello");
            return log(to.node() + "/ztunnel").stream()
                    .skip(skip)
                    .anyMatch(line -> line.contains(identity) && line.contains("direction=\"inbound\""));
        });
    }

    /// A page of a ztunnel's admin port.
    JsonNode admin(String node, String path) throws IOException {
        return JSON.readTree(client.admin(node, path));
    }

    JsonNode adminPost(String node, String path) throws IOException {
        return JSON.readTree(client.adminPost(node, path));
    }

    /// What the controller says is wrong with the folder.
    JsonNode problems() throws IOException {
        return JSON.readTree(Files.readString(state.resolve("istiod/problems.json")));
    }

    /// Records what crosses the wire at both nodes from now on.
    void capture() throws IOException {
        for (var node : NODES) {
            client.ask(client.request("capture-start").put("node", node));
        }
    }

    /// Whether a word was seen in clear at a node since `capture`; no frame may have been lost.
    boolean wasOnTheWire(String node, String word) throws IOException {
        var found = client.ask(client.request("capture-find").put("node", node).put("canary", word));
        assertThat(found.path("complete").asBoolean())
                .as("the capture has every frame: %s", found)
                .isTrue();
        assertThat(found.path("frames").asLong()).isPositive();
        return found.path("found").asBoolean();
    }

    void assertNeverOnTheWire(String word) throws IOException {
        for (var node : NODES) {
            assertThat(wasOnTheWire(node, word))
                    .as("%s in clear at %s", word, node)
                    .isFalse();
        }
    }

    /// Ends it and checks that nothing is left.
    @Override
    public void close() throws IOException {
        for (var node : NODES) {
            client.ask(client.request("capture-stop").put("node", node));
        }
        supervisor.close();
        rig.close();
        Await.until(
                "nothing is left: " + leftovers(), () -> Leftovers.find(state).isEmpty());
    }

    private List<String> leftovers() throws IOException {
        try {
            return Leftovers.find(state);
        } catch (InterruptedException e) {
            throw new AssertionError("interrupted", e);
        }
    }
}
