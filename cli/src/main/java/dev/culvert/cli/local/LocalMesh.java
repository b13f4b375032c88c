package dev.culvert.cli.local;

import com.fasterxml.jackson.databind.JsonNode;
import dev.culvert.cli.local.Rig.RigConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// A mesh on this machine that runs on after the command that started it: a supervisor in namespaces of its
/// own.
public final class LocalMesh {
    private static final Duration READY = Duration.ofSeconds(90);
    private static final Duration SOCKET = Duration.ofSeconds(30);
    private static final Duration DOWN = Duration.ofSeconds(30);

    private final SupervisorClient client;
    private final @Nullable Process supervisor;
    private final Path log;

    private LocalMesh(SupervisorClient client, @Nullable Process supervisor, Path log) {
        this.client = client;
        this.supervisor = supervisor;
        this.log = log;
    }

    /// Where the programs and scripts are.
    static Path root() throws MissingException {
        var root = System.getenv("CULVERT_ROOT");
        if (root == null) {
            throw new MissingException("CULVERT_ROOT is not set; start with ./culvert from the source tree");
        }
        return Path.of(root);
    }

    /// Starts the supervisor in the background and waits for its socket.
    public static LocalMesh start(Path state, Path folder, int nodes) throws IOException, InterruptedException {
        var client = new SupervisorClient(state);
        if (client.isUp()) {
            throw new IOException("a mesh runs already on " + state + "; end it with: culvert down --state " + state);
        }
        if (!Files.isDirectory(folder)) {
            throw new MissingException("no folder " + folder);
        }
        var root = root();
        var programs = Programs.built(root);
        Files.createDirectories(state);
        var log = state.resolve("supervisor.log");
        var command = new ArrayList<>(
                List.of("setsid", root.resolve("build/in-namespaces").toString()));
        command.addAll(programs.culvert());
        command.addAll(List.of("local-supervisor", "--state", state.toString()));
        command.addAll(List.of("--folder", folder.toAbsolutePath().toString(), "--nodes", Integer.toString(nodes)));
        var process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .redirectInput(Path.of("/dev/null").toFile())
                .start();
        var mesh = new LocalMesh(client, process, log);
        mesh.awaitSocket();
        return mesh;
    }

    private void awaitSocket() throws IOException, InterruptedException {
        var deadline = System.nanoTime() + SOCKET.toNanos();
        while (!client.isUp()) {
            if (supervisor != null && !supervisor.isAlive()) {
                throw new IOException("the supervisor ended with code " + supervisor.exitValue() + ": " + tail());
            }
            if (System.nanoTime() - deadline > 0) {
                throw new IOException("the supervisor does not answer; see " + log);
            }
            TimeUnit.MILLISECONDS.sleep(100);
        }
    }

    private String tail() throws IOException {
        var lines = Files.readAllLines(log);
        return lines.isEmpty() ? log + " is empty" : lines.getLast() + " (see " + log + ")";
    }

    public SupervisorClient client() {
        return client;
    }

    /// Until every pod and program is ready; tells `progress` what is waited for whenever that changes.
    public void awaitReady(Consumer<String> progress) throws IOException, InterruptedException {
        var deadline = System.nanoTime() + READY.toNanos();
        var told = "";
        while (true) {
            var missing = missing();
            if (missing.isEmpty()) {
                return;
            }
            var text = "waiting for " + String.join(", ", missing);
            if (!text.equals(told)) {
                progress.accept(text);
                told = text;
            }
            if (System.nanoTime() - deadline > 0) {
                throw new IOException("after " + READY.toSeconds() + " s still " + text + "; see: culvert status");
            }
            TimeUnit.MILLISECONDS.sleep(200);
        }
    }

    private List<String> missing() throws IOException {
        var status = client.status();
        var missing = new ArrayList<>(waitsFor(status));
        for (var node : status.path("nodes")) {
            try {
                client.page(node.asText() + "-ztunnel", 15021, "/healthz/ready");
            } catch (IOException e) {
                missing.add(node.asText() + "/ztunnel");
            }
        }
        return missing.stream().distinct().toList();
    }

    /// What a status says is not ready.
    public static List<String> waitsFor(JsonNode status) {
        var missing = new ArrayList<String>();
        for (var process : status.path("processes")) {
            if (!process.path("running").asBoolean()) {
                missing.add(process.path("name").asText());
            }
        }
        for (var pod : status.path("pods")) {
            if (!pod.path("ready").asBoolean()) {
                missing.add("pod " + pod.path("namespace").asText() + "/"
                        + pod.path("name").asText());
            }
        }
        return missing;
    }

    /// Ends a mesh and waits until nothing of it is left.
    public static void stop(Path state) throws IOException, InterruptedException {
        var client = new SupervisorClient(state);
        client.ask(client.request("down"));
        var deadline = System.nanoTime() + DOWN.toNanos();
        while (Files.exists(Supervisor.socket(state))) {
            if (System.nanoTime() - deadline > 0) {
                throw new IOException(
                        "not down after " + DOWN.toSeconds() + " s; see " + state.resolve("supervisor.log"));
            }
            TimeUnit.MILLISECONDS.sleep(50);
        }
    }

    /// The supervisor itself, inside the namespaces; returns when it has been asked to end and has removed
    /// everything.
    public static void supervise(Path state, Path folder, int nodes) throws IOException, InterruptedException {
        var names = IntStream.rangeClosed(1, nodes)
                .mapToObj(number -> "node-" + number)
                .toList();
        var config = new RigConfig(state, folder, names, Programs.built(root()));
        var rig = Rig.start(config);
        Supervisor supervisor;
        try {
            supervisor = Supervisor.listen(rig);
            supervisor.awaitDown();
        } finally {
            rig.close();
        }
        supervisor.close(); // last: who waits for the end watches the socket
    }
}
