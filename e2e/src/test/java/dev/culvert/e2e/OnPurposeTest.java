package dev.culvert.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.culvert.e2e.TestPod.Family;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// What reaches a pod of a STRICT namespace in clear, because somebody says so: the kubelet on probe ports, everybody
/// on ports that the pod's author keeps out of the mesh, strangers on ports that a policy opens.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class OnPurposeTest {
    private static final int EXCLUDED = 9100;
    private static final int METRICS = 9090;

    /// In front of the pods of [Yaml#PODS], on the same node as `server`.
    private static final String KIOSK = """
            apiVersion: v1
            kind: Pod
            metadata:
              name: kiosk
              namespace: shop
              labels: {app: kiosk}
              annotations: {culvert.dev/exclude-inbound-ports: "9100"}
            spec:
              nodeName: node-2
              serviceAccountName: kiosk
              containers:
              - name: kiosk
                command: [sleep, infinity]
                livenessProbe: {tcpSocket: {port: 8080}, failureThreshold: 1000000}
            """;

    private TestMesh mesh;
    private TestPod web;
    private TestPod stranger;
    private TestPod kiosk;
    private List<Server> servers = List.of();

    @BeforeAll
    void start(@TempDir(cleanup = CleanupMode.ON_SUCCESS) Path directory) throws Exception {
        mesh = TestMesh.start(
                directory, Map.of("namespace.yaml", Yaml.ENROLLED, "kiosk.yaml", KIOSK, "strict.yaml", Yaml.STRICT));
        mesh.awaitRedirection("enabled");
        web = mesh.pod("shop/web");
        stranger = mesh.pod("outside/stranger");
        kiosk = mesh.pod("shop/kiosk");
        servers = List.of(kiosk.echo(), kiosk.serve(EXCLUDED, Server::echo), kiosk.serve(METRICS, Server::echo));
        awaitRefused(stranger, Family.V4, METRICS);
    }

    @AfterAll
    void close() throws Exception {
        for (var server : servers) {
            server.close();
        }
        mesh.close();
    }

    private InetSocketAddress at(Family family, int port) {
        return new InetSocketAddress(kiosk.address(family), port);
    }

    private boolean isServed(TestPod from, Family family, int port) {
        try (var conversation = from.connect(at(family, port))) {
            conversation.roundTrip();
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    private boolean isServedFromTheNode(Family family, int port) {
        try (var conversation = kiosk.connectFromItsNode(at(family, port))) {
            conversation.roundTrip();
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    private void awaitRefused(TestPod from, Family family, int port) {
        Await.until(from.key() + " is refused on " + port, () -> !isServed(from, family, port));
    }

    @ParameterizedTest
    @Order(1)
    @EnumSource(Family.class)
    void aPortKeptOutOfTheMeshIsDialledInClearByItsPeersToo(Family family) throws Exception {
        Await.until(
                "its peers know it",
                () -> explained(family, EXCLUDED).contains("keeps port " + EXCLUDED + " out of the mesh"));
        mesh.capture();
        var open = "open-" + UUID.randomUUID();
        var hidden = "hidden-" + UUID.randomUUID();
        try (var clear = web.connect(at(family, EXCLUDED));
                var tunnelled = web.connect(at(family, TestPod.PORT))) {
            clear.roundTrip(open);
            tunnelled.roundTrip(hidden);
        }
        for (var node : TestMesh.NODES) {
            assertThat(mesh.wasOnTheWire(node, open)).isTrue();
            assertThat(mesh.wasOnTheWire(node, hidden)).isFalse();
        }
        assertThat(isServed(stranger, family, EXCLUDED)).isTrue();
        assertThat(isServed(stranger, family, TestPod.PORT)).isFalse();
        assertThat(explained(family, TestPod.PORT)).contains("HBONE to shop/kiosk");
    }

    private String explained(Family family, int port) throws IOException {
        var host = family == Family.V4
                ? kiosk.v4().getHostAddress()
                : "%5B" + kiosk.v6().getHostAddress() + "%5D";
        return mesh.admin("node-1", "/culvert/explain?from=shop/web&to=" + host + ":" + port)
                .toString();
    }

    private static String openedTo(TestPod scraper) {
        return """
            apiVersion: security.istio.io/v1
            kind: PeerAuthentication
            metadata: {name: metrics, namespace: shop}
            spec:
              selector: {matchLabels: {app: kiosk}}
              mtls: {mode: STRICT}
              portLevelMtls: {"9090": {mode: PERMISSIVE}}
            ---
            apiVersion: security.istio.io/v1
            kind: AuthorizationPolicy
            metadata: {name: metrics, namespace: shop}
            spec:
              selector: {matchLabels: {app: kiosk}}
              rules:
              - to: [{operation: {ports: ["9090"]}}]
                from: [{source: {ipBlocks: ["%s", "%s"]}}]
            """.formatted(scraper.v4().getHostAddress(), scraper.v6().getHostAddress());
    }

    /// As a Prometheus without the mesh scrapes a pod of it: by a PeerAuthentication for the port, and an
    /// AuthorizationPolicy that names the scraper's address, since it has no other name.
    @ParameterizedTest
    @Order(2)
    @EnumSource(Family.class)
    void aPolicyOpensTheMetricsPortToAScraperWithoutTheMesh(Family family) throws Exception {
        mesh.write("metrics.yaml", openedTo(stranger));
        Await.until("the scraper is served", () -> isServed(stranger, family, METRICS));
        assertThat(isServed(stranger, family, TestPod.PORT))
                .as("the scraper on another port")
                .isFalse();
        awaitRefused(web, family, METRICS);
        mesh.delete("metrics.yaml");
        awaitRefused(stranger, family, METRICS);
        Await.until("web is served again", () -> isServed(web, family, TestPod.PORT));
    }

    /// The user of these programs stands for the kubelet in local mode.
    @ParameterizedTest
    @Order(3)
    @EnumSource(Family.class)
    void probesPassWhereNobodyElseDoes(Family family) throws Exception {
        mesh.write("deny-all.yaml", Yaml.DENY_ALL);
        awaitRefused(web, family, TestPod.PORT);
        awaitRefused(stranger, family, TestPod.PORT);
        assertThat(isServedFromTheNode(family, TestPod.PORT)).as("a probe").isTrue();
        assertThat(isServedFromTheNode(family, METRICS))
                .as("a probe of a port that no probe names")
                .isFalse();
        mesh.delete("deny-all.yaml");
    }
}
