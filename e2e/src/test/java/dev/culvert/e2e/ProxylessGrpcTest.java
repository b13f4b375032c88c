package dev.culvert.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;

/// grpc-java's own xDS client in a captured pod, against captured servers, through the ztunnels of both nodes.
class ProxylessGrpcTest {
    private static final String CLIENTS = """
            apiVersion: v1
            kind: Pod
            metadata: {name: portal, namespace: shop, annotations: {inject.istio.io/templates: grpc-agent}}
            spec: {nodeName: node-1, serviceAccountName: portal, containers: [{name: portal, command: [sleep, infinity]}]}
            ---
            apiVersion: v1
            kind: Pod
            metadata: {name: till, namespace: outside, annotations: {inject.istio.io/templates: grpc-agent}}
            spec: {nodeName: node-1, serviceAccountName: till, containers: [{name: till, command: [sleep, infinity]}]}
            ---
            apiVersion: v1
            kind: Service
            metadata: {name: signals, namespace: shop}
            spec: {selector: {app: signals}, ports: [{name: grpc, port: 50061}]}
            """;

    private static final String SERVER = """
            ---
            apiVersion: v1
            kind: Pod
            metadata: {name: REVISION, namespace: shop, labels: {app: signals, release: REVISION}}
            spec:
              nodeName: node-2
              serviceAccountName: signals
              containers:
              - name: signals
                command: ["JAVA", "@ARGUMENTS", dev.culvert.e2e.GrpcApp, serve, REVISION, "50061"]
                ports: [{containerPort: 50061}]
                readinessProbe: {tcpSocket: {port: 50061}, periodSeconds: 1}
            """;

    private static final String BY_RELEASE = """
            apiVersion: networking.istio.io/v1
            kind: DestinationRule
            metadata: {name: signals, namespace: shop}
            spec: {host: signals, subsets: [{name: r7, labels: {release: r7}}, {name: r8, labels: {release: r8}}]}
            ---
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: signals, namespace: shop}
            spec:
              hosts: [signals.shop.svc.cluster.local]
              http:
              - match: [{headers: {x-release: {exact: r8}}}]
                route: [{destination: {host: signals, subset: r8}}]
              - route: [{destination: {host: signals, subset: r7}}]
            """;

    private static final String GOVERNED = """
            apiVersion: security.istio.io/v1
            kind: AuthorizationPolicy
            metadata: {name: hoisting, namespace: shop}
            spec:
              targetRefs: [{group: "", kind: Service, name: signals}]
              rules: [{to: [{operation: {paths: [/quay.Signals/Hoist]}}]}]
            """;

    private static final String WAYPOINT = """
            ---
            apiVersion: gateway.networking.k8s.io/v1
            kind: Gateway
            metadata: {name: pilot, namespace: shop}
            spec:
              gatewayClassName: istio-waypoint
              listeners: [{name: mesh, port: 15008, protocol: HBONE}]
            """;

    @TempDir(cleanup = CleanupMode.ON_SUCCESS)
    private static Path directory;

    private static String java() {
        return Path.of(System.getProperty("java.home"), "bin", "java").toString();
    }

    /// The class path of this test, as a file that `java` reads.
    private static Path arguments() throws IOException {
        var classPath = System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
        return Files.writeString(
                directory.resolve("arguments"), "-XX:TieredStopAtLevel=1\n-Xmx128m\n-cp\n\"" + classPath + "\"\n");
    }

    /// As a user would: by the command.
    private static Path bootstrap(TestMesh mesh, String namespace, String pod) throws Exception {
        var state = mesh.state().resolve("istiod");
        var command = List.of(
                Path.of(System.getProperty("culvert.root"), "cli/target/dist/bin/culvert")
                        .toString(),
                "x",
                "grpc-bootstrap",
                "--namespace",
                namespace,
                "--pod",
                pod,
                "--server",
                "198.18.0.1:15012",
                "--ca-file",
                state.resolve("root-cert.pem").toString(),
                "--token-file",
                state.resolve("pod-tokens/" + namespace + "/" + pod + "/istio-token")
                        .toString());
        var file = directory.resolve(pod + ".json");
        var process = new ProcessBuilder(command)
                .redirectOutput(file.toFile())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        assertThat(process.waitFor()).isZero();
        return file;
    }

    private record Client(TestMesh mesh, TestPod pod, Path bootstrap, Path arguments) {
        /// What the application prints.
        String call(int times, String... header) throws IOException {
            return dial("xds:///signals.shop:50061", times, header);
        }

        String dial(String target, int times, String... header) throws IOException {
            var command = new ArrayList<>(List.of(
                    java(),
                    "@" + arguments,
                    "-Dio.grpc.xds.bootstrap=" + bootstrap,
                    "dev.culvert.e2e.GrpcApp",
                    "call",
                    target,
                    Integer.toString(times)));
            command.addAll(List.of(header));
            return mesh.exec(pod, command.toArray(String[]::new));
        }
    }

    private static TestMesh start(String name, Path arguments, String clients) throws IOException {
        var servers = (SERVER.replace("REVISION", "r7") + SERVER.replace("REVISION", "r8"))
                .replace("JAVA", java())
                .replace("ARGUMENTS", arguments.toString());
        return TestMesh.start(
                directory.resolve(name), Map.of("namespace.yaml", Yaml.ENROLLED, "signals.yaml", clients + servers));
    }

    /// As 001-09 of the corpus: the same objects for a client that knows them and for one whose waypoint does.
    @Test
    void aClientWithoutXdsIsLedByTheWaypointAndOneWithItCannotGoPastIt() throws Exception {
        var arguments = arguments();
        var bound = CLIENTS.replace(
                        "{name: signals, namespace: shop}",
                        "{name: signals, namespace: shop, labels: {istio.io/use-waypoint: pilot}}")
                + WAYPOINT;
        try (var mesh = start("waypoint", arguments, bound)) {
            mesh.write("release.yaml", BY_RELEASE);
            var portal = new Client(mesh, mesh.pod("shop/portal"), bootstrap(mesh, "shop", "portal"), arguments);
            var plain = "dns:///signals.shop:50061";
            Await.until("the waypoint leads to r7", () -> portal.dial(plain, 20).contains("{r7=20}"));
            assertThat(portal.dial(plain, 5, "x-release", "r8")).contains("{r8=5}");
            assertThat(portal.call(5)).contains("{r7=5}");
            assertThat(portal.call(5, "x-release", "r8")).contains("{r8=5}");

            mesh.write("governed.yaml", GOVERNED);
            Await.until("past the waypoint nobody gets in", () -> portal.call(1).contains("{UNAVAILABLE=1}"));
            assertThat(portal.dial(plain, 5)).contains("{r7=5}");
        }
    }

    @Test
    void aStockClientReachesCapturedServersAsTheMeshAllows() throws Exception {
        var arguments = arguments();
        try (var mesh = start("direct", arguments, CLIENTS)) {
            mesh.awaitRedirection("enabled");
            var portal = new Client(mesh, mesh.pod("shop/portal"), bootstrap(mesh, "shop", "portal"), arguments);
            var till = new Client(mesh, mesh.pod("outside/till"), bootstrap(mesh, "outside", "till"), arguments);

            assertThat(portal.call(500)).contains("r7=", "r8=").doesNotContain("UNAVAILABLE");
            mesh.awaitAccess(
                    "node-2",
                    0,
                    "direction=\"inbound\"",
                    "src.identity=\"spiffe://cluster.local/ns/shop/sa/portal\"",
                    ":50061");
            assertThat(till.call(500)).contains("r7=", "r8=").doesNotContain("UNAVAILABLE");

            mesh.write("release.yaml", BY_RELEASE);
            Await.until("all calls go to r7", () -> portal.call(20).contains("{r7=20}"));
            assertThat(portal.call(5, "x-release", "r8")).contains("{r8=5}");

            mesh.write("strict.yaml", Yaml.STRICT);
            Await.until("who has no identity is refused", () -> till.call(1).contains("{UNAVAILABLE=1}"));
            assertThat(portal.call(5)).contains("{r7=5}");

            // It allows this very method, but only a waypoint can tell: whoever does not come from one is refused.
            mesh.write("governed.yaml", GOVERNED);
            Await.until("past the waypoint nobody gets in", () -> portal.call(1).contains("{UNAVAILABLE=1}"));
            assertThat(mesh.log("node-2/ztunnel")).anyMatch(line -> line.contains("culvert_only_waypoint_signals"));
            mesh.delete("governed.yaml");
            Await.until(
                    "without the policy it is as before", () -> portal.call(5).contains("{r7=5}"));
        }
    }
}
