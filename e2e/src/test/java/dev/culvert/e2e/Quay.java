package dev.culvert.e2e;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.regex.Pattern;

/// The harbour of the corpus: its fixture, with a server of HTTP in each pod of `berth`, `customs` and `portal`.
final class Quay implements AutoCloseable {
    static final String STRANGER = """
            ---
            apiVersion: v1
            kind: Pod
            metadata: {name: stranger, namespace: outside, labels: {app: stranger}}
            spec: {nodeName: node-1, containers: [{name: stranger, command: [sleep, infinity]}]}
            """;
    /// A pod with a waypoint for calls of its own address, which an L7 policy governs.
    static final String LONE = """
            ---
            apiVersion: gateway.networking.k8s.io/v1
            kind: Gateway
            metadata: {name: pods-waypoint, namespace: quay, labels: {istio.io/waypoint-for: workload}}
            spec:
              gatewayClassName: culvert-waypoint
              listeners: [{name: mesh, port: 15008, protocol: HBONE}]
            ---
            apiVersion: v1
            kind: Pod
            metadata: {name: lone, namespace: quay, labels: {app: lone, istio.io/use-waypoint: pods-waypoint}}
            spec:
              nodeName: node-2
              serviceAccountName: lone
              containers: [{name: lone, command: [sleep, infinity], ports: [{containerPort: 8080}]}]
            ---
            apiVersion: security.istio.io/v1
            kind: AuthorizationPolicy
            metadata: {name: lone-readers, namespace: quay}
            spec:
              targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: pods-waypoint}]
              rules: [{to: [{operation: {methods: [GET]}}]}]
            """;
    /// A pod that is called by its own address only, as one of a headless Service, which an L7 policy governs.
    /// And one each with and without an address whose waypoint has never been made.
    static final String HEADLESS = governed("buoy", "clusterIP: None, ", "quay-waypoint")
            + governed("raft", "", "ghost")
            + governed("jetsam", "clusterIP: None, ", "ghost");
    static final String SUBSETS = """
            apiVersion: networking.istio.io/v1
            kind: DestinationRule
            metadata: {name: berth, namespace: quay}
            spec: {host: berth, subsets: [{name: calm, labels: {tide: calm}}, {name: swell, labels: {tide: swell}}]}
            ---
            apiVersion: networking.istio.io/v1
            kind: DestinationRule
            metadata: {name: customs, namespace: quay}
            spec: {host: customs, subsets: [{name: calm, labels: {tide: calm}}, {name: swell, labels: {tide: swell}}]}
            """;
    private static final Pattern VIP = Pattern.compile("clusterIP: ([0-9.]+)");
    private static final Path CORPUS = Path.of("src/test/resources/corpus");

    final TestMesh mesh;
    final Map<String, Http> servers = new LinkedHashMap<>();

    private Quay(TestMesh mesh) {
        this.mesh = mesh;
    }

    private static String governed(String name, String address, String waypoint) {
        return """
                ---
                apiVersion: v1
                kind: Pod
                metadata: {name: NAME, namespace: quay, labels: {app: NAME}}
                spec:
                  nodeName: node-2
                  containers: [{name: NAME, command: [sleep, infinity], ports: [{containerPort: 8080}]}]
                ---
                apiVersion: v1
                kind: Service
                metadata: {name: NAME, namespace: quay, labels: {istio.io/use-waypoint: WAYPOINT}}
                spec: {ADDRESSselector: {app: NAME}, ports: [{name: http, port: 8080}]}
                ---
                apiVersion: security.istio.io/v1
                kind: AuthorizationPolicy
                metadata: {name: NAME-readers, namespace: quay}
                spec:
                  targetRefs: [{group: "", kind: Service, name: NAME}]
                  rules: [{to: [{operation: {methods: [GET]}}]}]
                """.replace("NAME", name).replace("ADDRESS", address).replace("WAYPOINT", waypoint);
    }

    /// Starts it and waits until calls go through the waypoint.
    /// @param more YAML beside the fixture
    static Quay start(Path directory, String more) throws IOException {
        var quay = new Quay(TestMesh.start(
                directory, Map.of("pods.yaml", corpus("fixture") + STRANGER + more, "subsets.yaml", SUBSETS)));
        try {
            for (var pod : new String[] {
                "berth-calm-0",
                "berth-calm-1",
                "berth-swell-0",
                "customs-calm-0",
                "customs-calm-1",
                "customs-swell-0",
                "portal-0"
            }) {
                quay.servers.put(pod, Http.serve("quay/" + pod));
            }
            quay.awaitWaypoint("quay-waypoint-0", "berth");
            return quay;
        } catch (IOException | RuntimeException | AssertionError failed) {
            quay.close();
            throw failed;
        }
    }

    /// @param file its number, or `fixture`
    static String corpus(String file) {
        try (var files = Files.list(CORPUS)) {
            var found = files.map(path -> path.getFileName().toString())
                    .filter(name -> name.startsWith(file + "-") || name.equals(file + ".yaml"))
                    .map(CORPUS::resolve)
                    .findFirst()
                    .orElseThrow(() -> new AssertionError("no " + file));
            return Files.readString(found);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    TestPod pod(String name) throws IOException {
        return mesh.pod("quay/" + name);
    }

    TestPod portal() throws IOException {
        return pod("portal-0");
    }

    TestPod customs() throws IOException {
        return pod("customs-calm-0");
    }

    TestPod stranger() throws IOException {
        return mesh.pod("outside/stranger");
    }

    /// The virtual address of a Service, port 8080.
    InetSocketAddress service(String name) throws IOException {
        var text = Files.readString(mesh.state().resolve("objects/service-quay-" + name + ".yaml"));
        var found = VIP.matcher(text);
        if (!found.find()) {
            throw new AssertionError("no address of " + name + " in " + text);
        }
        return new InetSocketAddress(InetAddress.ofLiteral(Objects.requireNonNull(found.group(1))), 8080);
    }

    /// What a waypoint has logged so far of requests of a path, which is a little later than their answers.
    long requests(String waypoint, String path) throws IOException {
        return log(waypoint)
                .lines()
                .filter(line -> line.contains("request complete") && line.contains("path=\"" + path + "\""))
                .count();
    }

    String log(String waypoint) throws IOException {
        var log = mesh.state().resolve("pods/quay-" + waypoint + "/waypoint.log");
        return Files.exists(log) ? Files.readString(log) : "";
    }

    /// Until a call of a Service is logged by a waypoint.
    void awaitWaypoint(String waypoint, String service) {
        var path = "/warm-" + UUID.randomUUID();
        Await.until(
                service + " is called through " + waypoint,
                () -> Http.call(portal(), service(service), "GET", path).status() == 200
                        && requests(waypoint, path) > 0);
    }

    @Override
    public void close() throws IOException {
        servers.values().forEach(Http::close);
        mesh.close();
    }
}
