package dev.culvert.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;

/// The system's resolver in a pod whose lookups are captured.
class NamesTest {
    private static final String CLIENT = """
            apiVersion: v1
            kind: Pod
            metadata:
              name: asker
              namespace: shop
              labels: {app: asker}
              annotations: {ambient.istio.io/dns-capture: "true"}
            spec:
              nodeName: node-1
              containers: [{name: asker, command: [sleep, infinity]}]
            ---
            apiVersion: v1
            kind: Service
            metadata: {name: headless, namespace: shop}
            spec:
              clusterIP: None
              selector: {app: server}
              ports: [{name: tcp, port: 80, targetPort: 8080}]
            """;

    private static final String ENTRIES = """
            apiVersion: networking.istio.io/v1
            kind: ServiceEntry
            metadata: {name: inside, namespace: shop}
            spec:
              hosts: [inside.example]
              location: MESH_INTERNAL
              resolution: STATIC
              ports: [{number: 80, name: tcp, protocol: TCP, targetPort: 8080}]
              workloadSelector: {labels: {app: server}}
            ---
            apiVersion: networking.istio.io/v1
            kind: ServiceEntry
            metadata: {name: outside, namespace: shop}
            spec:
              hosts: [outside.example]
              resolution: STATIC
              ports: [{number: 80, name: tcp, protocol: TCP, targetPort: 8080}]
              endpoints: [{address: STRANGER}]
            """;

    @Test
    void servicesAreFoundByName(@TempDir(cleanup = CleanupMode.ON_SUCCESS) Path directory) throws Exception {
        try (var mesh = TestMesh.start(directory, Map.of("namespace.yaml", Yaml.ENROLLED, "asker.yaml", CLIENT))) {
            mesh.awaitRedirection("enabled");
            var asker = mesh.pod("shop/asker");
            var server = mesh.pod("shop/server");
            Await.until(
                    "the endpoints of headless are known",
                    () -> ask(mesh, asker, "ahostsv4", "headless")
                            .startsWith(server.v4().getHostAddress()));
            for (var name : new String[] {"server", "server.shop", "server.shop.svc.cluster.local"}) {
                assertThat(ask(mesh, asker, "ahostsv4", name)).as(name).startsWith("198.19.");
                assertThat(ask(mesh, asker, "ahostsv6", name)).as(name).startsWith("2001:2:");
            }
            assertThat(ask(mesh, mesh.pod("shop/web"), "ahostsv4", "server"))
                    .as("not captured")
                    .isEmpty();
        }
    }

    @Test
    void hostsOfServiceEntriesHaveAddressesAndAreReached(@TempDir(cleanup = CleanupMode.ON_SUCCESS) Path directory)
            throws Exception {
        try (var mesh = TestMesh.start(directory, Map.of("namespace.yaml", Yaml.ENROLLED, "asker.yaml", CLIENT))) {
            mesh.awaitRedirection("enabled");
            var asker = mesh.pod("shop/asker");
            var stranger = mesh.pod("outside/stranger");
            mesh.write("entries.yaml", ENTRIES.replace("STRANGER", stranger.v4().getHostAddress()));
            try (var _ = mesh.pod("shop/server").echo();
                    var _ = stranger.echo()) {
                for (var host : new String[] {"inside.example", "outside.example"}) {
                    Await.until(
                            host + " has an address",
                            () -> ask(mesh, asker, "ahostsv4", host).startsWith("240.240."));
                    assertThat(ask(mesh, asker, "ahostsv6", host)).as(host).startsWith("2001:2::");
                    var address = ask(mesh, asker, "ahostsv4", host).split("\\s", 2)[0];
                    Await.until(host + " answers", () -> {
                        try (var conversation =
                                asker.connect(new InetSocketAddress(InetAddress.ofLiteral(address), 80))) {
                            conversation.roundTrip();
                            return true;
                        } catch (IOException notYet) {
                            return false;
                        }
                    });
                }
            }
            mesh.awaitAccess(
                    "node-1", 0, "inside.example", "dst.identity=\"spiffe://cluster.local/ns/shop/sa/server\"");
            mesh.awaitAccess("node-1", 0, "outside.example", stranger.v4().getHostAddress() + ":8080");
        }
    }

    /// By DNS only: `/etc/hosts` has the Services too.
    private static String ask(TestMesh mesh, TestPod from, String database, String name) throws Exception {
        return mesh.exec(from, "getent", "-s", "dns", database, name);
    }
}
