import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/// A crowd in a folder of YAML, 50 pods a file, with one Service for ten pods.
final class FolderCrowd implements Crowd {
    private static final int A_FILE = 50;
    private static final int A_SERVICE = 10;
    private static final long PATIENCE_NANOS = TimeUnit.MINUTES.toNanos(3);

    private final Path folder;
    private final Path state;
    private final int pods;
    private final Map<Integer, String> versions = new HashMap<>();

    /// @param state of the controller
    FolderCrowd(Path folder, Path state, int pods) {
        this.folder = folder;
        this.state = state;
        this.pods = pods;
    }

    @Override
    public int pods() {
        return pods;
    }

    void fill() throws IOException {
        Files.createDirectories(folder);
        var text = new StringBuilder();
        for (var i = 0; i < NAMESPACES; i++) {
            text.append("""
                    ---
                    apiVersion: v1
                    kind: Namespace
                    metadata: {name: crowd-%1$d, labels: {istio.io/dataplane-mode: ambient}}
                    ---
                    apiVersion: v1
                    kind: Node
                    metadata: {name: crowd-node-%1$d}
                    """.formatted(i));
        }
        for (var i = 0; i < services(); i++) {
            text.append("""
                    ---
                    apiVersion: v1
                    kind: Service
                    metadata: {name: service-%1$d, namespace: crowd-%2$d}
                    spec:
                      clusterIP: 10.200.%3$d.%4$d
                      selector: {app: a%1$d}
                      ports: [{name: http, port: 80, targetPort: 8080}]
                    """.formatted(i, i % NAMESPACES, i >> 8, i & 255));
        }
        write("all.yaml", text.toString());
        for (var file = 0; file * A_FILE < pods; file++) {
            write(file);
        }
    }

    private int services() {
        return Math.max(1, pods / A_SERVICE);
    }

    private void write(int file) throws IOException {
        var text = new StringBuilder();
        for (var i = file * A_FILE; i < Math.min(pods, (file + 1) * A_FILE); i++) {
            var service = i % services();
            text.append("""
                    ---
                    apiVersion: v1
                    kind: Pod
                    metadata:
                      name: deployment-%1$d-%2$d
                      namespace: crowd-%3$d
                      labels: {app: a%1$d, version: %4$s}
                      annotations: {ambient.istio.io/redirection: enabled}
                    spec: {nodeName: crowd-node-%5$d, containers: [{name: c}]}
                    status: {phase: Running, podIP: 10.%6$d.%7$d.%8$d, conditions: [{type: Ready, status: 'True'}]}
                    """.formatted(
                            service,
                            i,
                            service % NAMESPACES,
                            versions.getOrDefault(i, "v0"),
                            i % NODES,
                            i >> 16,
                            (i >> 8) & 255,
                            i & 255));
        }
        write("pods-" + file + ".yaml", text.toString());
    }

    private void write(String name, String text) throws IOException {
        var temporary = Files.writeString(folder.resolve(name + ".new"), text);
        Files.move(temporary, folder.resolve(name), StandardCopyOption.ATOMIC_MOVE);
    }

    @Override
    public synchronized void change(int pod, String version) throws IOException {
        versions.put(pod, version);
        write(pod / A_FILE);
    }

    @Override
    public Access access() throws IOException, InterruptedException {
        var token = state.resolve("tokens/crowd-node-0/istio-token");
        var end = System.nanoTime() + PATIENCE_NANOS;
        while (!Files.exists(token)) {
            if (System.nanoTime() > end) {
                throw new IOException("the controller has left no " + token + "; see istiod.log");
            }
            Thread.sleep(50);
        }
        return new Access(Files.readString(state.resolve("root-cert.pem")), Files.readString(token), "istio-system");
    }
}
