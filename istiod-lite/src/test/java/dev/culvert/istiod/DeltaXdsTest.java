package dev.culvert.istiod;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.culvert.istiod.xds.XdsServer;
import dev.culvert.mesh.model.state.MeshSnapshot;
import dev.culvert.protos.discovery.DeltaDiscoveryResponse;
import dev.culvert.protos.security.Action;
import dev.culvert.protos.security.Authorization;
import dev.culvert.protos.security.Scope;
import dev.culvert.protos.waypoint.GatewayConfig;
import dev.culvert.protos.workload.Address;
import dev.culvert.protos.workload.TunnelProtocol;
import dev.culvert.protos.workload.Workload;
import dev.culvert.proxy.mesh.LastGoodState;
import dev.culvert.proxy.mesh.MeshState;
import dev.culvert.proxy.xds.ControlPlane;
import dev.culvert.proxy.xds.Demand;
import dev.culvert.proxy.xds.FurtherResources;
import dev.culvert.proxy.xds.MeshResources;
import dev.culvert.proxy.xds.XdsClient;
import dev.culvert.proxy.xds.XdsMetrics;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// The xDS server against our own client, over TLS.
@Timeout(240)
class DeltaXdsTest {
    @TempDir
    private Path directory;

    private final XdsServer xds = new XdsServer();
    private final MeshState mesh = new MeshState();
    private final List<AutoCloseable> open = new ArrayList<>();
    private RunningServer server;

    @BeforeEach
    void start() throws Exception {
        server = new RunningServer(directory, xds, (_, _, _) -> false, 0);
    }

    @AfterEach
    void stop() throws Exception {
        for (var one : open) {
            one.close();
        }
        server.close();
    }

    private static Address workload(String name, String... policies) {
        return Address.newBuilder()
                .setWorkload(Workload.newBuilder()
                        .setUid("Kubernetes//Pod/shop/" + name)
                        .setName(name)
                        .setNamespace("shop")
                        .addAddresses(ByteString.copyFrom(new byte[] {(byte) 198, 18, 65, (byte) name.length()}))
                        .setTunnelProtocol(TunnelProtocol.HBONE)
                        .addAllAuthorizationPolicies(List.of(policies)))
                .build();
    }

    private static Map<String, Address> workloads(String... names) {
        var all = new TreeMap<String, Address>();
        for (var name : names) {
            all.put("Kubernetes//Pod/shop/" + name, workload(name));
        }
        return all;
    }

    private static Authorization policy(String name) {
        return Authorization.newBuilder()
                .setNamespace("shop")
                .setName(name)
                .setScope(Scope.WORKLOAD_SELECTOR)
                .setAction(Action.DENY)
                .build();
    }

    private CountDownLatch connect(ControlPlane to, MeshResources resources) {
        return connect(to, "ztunnel~1~a.istio-system~b", resources);
    }

    private CountDownLatch connect(ControlPlane to, String node, MeshResources resources) {
        var synced = new CountDownLatch(1);
        var client = new XdsClient(
                to,
                new XdsClient.NodeId(node, Map.of()),
                resources,
                new XdsMetrics(new SimpleMeterRegistry()),
                synced::countDown);
        open.add(client);
        client.start();
        return synced;
    }

    private void await(Predicate<MeshSnapshot> condition) throws InterruptedException {
        var reached = new CountDownLatch(1);
        try (var _ = mesh.onChange(snapshot -> {
            if (condition.test(snapshot)) {
                reached.countDown();
            }
        })) {
            if (!condition.test(mesh.current())) {
                assertThat(reached.await(60, TimeUnit.SECONDS)).isTrue();
            }
        }
    }

    @Test
    void newClientGetsEverythingAndThenOnlyChanges() throws Exception {
        xds.publish(workloads("a", "bb"), Map.of("shop/p", policy("p")), Map.of());
        var synced = connect(server.as("node-1"), new MeshResources(mesh, null));
        assertThat(synced.await(60, TimeUnit.SECONDS)).isTrue();
        assertThat(mesh.current().workloads()).hasSize(2);
        assertThat(mesh.current().policies()).hasSize(1);

        xds.publish(workloads("a", "ccc"), Map.of(), Map.of());
        await(snapshot -> snapshot.workload("Kubernetes//Pod/shop/ccc").isPresent()
                && snapshot.workload("Kubernetes//Pod/shop/bb").isEmpty()
                && snapshot.policies().isEmpty());
    }

    @Test
    void onDemandClientsGetWhatTheyAskForAndNothingElse() throws Exception {
        xds.publish(workloads("a", "bb", "ccc"), Map.of("shop/p", policy("p")), Map.of());
        var demand = new Demand(Duration.ofSeconds(60));
        var synced = connect(server.as("node-1"), new MeshResources(mesh, null, demand));
        assertThat(synced.await(60, TimeUnit.SECONDS)).isTrue();
        assertThat(mesh.current().workloads()).isEmpty();
        assertThat(mesh.current().policies()).hasSize(1);

        demand.fetch(List.of("/198.18.65.2", "/198.18.99.99")).get(60, TimeUnit.SECONDS);
        assertThat(mesh.current().workloads()).extracting(found -> found.name()).containsExactly("bb");

        xds.publish(workloads("a", "dddd"), Map.of(), Map.of());
        await(snapshot -> snapshot.workloads().isEmpty());
        demand.fetch(List.of("Kubernetes//Pod/shop/dddd")).get(60, TimeUnit.SECONDS);
        assertThat(mesh.current().workloads()).extracting(found -> found.name()).containsExactly("dddd");
    }

    @Test
    void onDemandClientsAskAgainAfterAReconnect() throws Exception {
        xds.publish(workloads("a", "bb"), Map.of(), Map.of());
        var port = server.port();
        var demand = new Demand(Duration.ofSeconds(60));
        connect(server.as("node-1"), new MeshResources(mesh, null, demand)).await();
        demand.fetch(List.of("/198.18.65.1")).get(60, TimeUnit.SECONDS);
        server.close();
        var meanwhile = demand.fetch(List.of("/198.18.65.3"));
        xds.publish(workloads("a", "ccc"), Map.of(), Map.of());
        server = new RunningServer(directory, xds, (_, _, _) -> false, port);
        meanwhile.get(60, TimeUnit.SECONDS);
        assertThat(mesh.current().workloads()).extracting(found -> found.name()).containsExactlyInAnyOrder("a", "ccc");
    }

    /// It names all that it has in one request.
    @Test
    void aClientThatHasALargeMeshComesBack() throws Exception {
        var all = new TreeMap<String, Address>();
        for (var i = 0; i < 120_000; i++) {
            var address = ByteString.copyFrom(new byte[] {10, (byte) (i >> 16), (byte) (i >> 8), (byte) i});
            var uid = "Kubernetes//Pod/shop/w" + i;
            all.put(
                    uid,
                    Address.newBuilder()
                            .setWorkload(Workload.newBuilder()
                                    .setUid(uid)
                                    .setName("w" + i)
                                    .addAddresses(address))
                            .build());
        }
        xds.publish(all, Map.of(), Map.of());
        var port = server.port();
        connect(server.as("node-1"), new MeshResources(mesh, null)).await();
        assertThat(mesh.current().workloads()).hasSize(120_000);
        server.close();
        all.put("Kubernetes//Pod/shop/a", workload("a"));
        xds.publish(all, Map.of(), Map.of());
        server = new RunningServer(directory, xds, (_, _, _) -> false, port);
        await(snapshot -> snapshot.workload("Kubernetes//Pod/shop/a").isPresent());
    }

    @Test
    void withoutAServerAnOnDemandLookupFails() {
        var lookup = new Demand(Duration.ofMillis(50)).fetch(List.of("/198.18.65.3"));
        assertThat(lookup)
                .failsWithin(Duration.ofSeconds(10))
                .withThrowableThat()
                .withMessageContaining("the control plane has not said within 0 s what /198.18.65.3 is");
    }

    @Test
    void emptyMeshStillSynchronizes() throws Exception {
        xds.publish(Map.of(), Map.of(), Map.of());
        var synced = connect(server.as("node-1"), new MeshResources(mesh, null));
        assertThat(synced.await(60, TimeUnit.SECONDS)).isTrue();
    }

    /// There are private keys in it.
    @Test
    void whatAGatewayIsToldGoesToItsAccountOnly() throws Exception {
        var told = new ConcurrentSkipListSet<String>();
        var resources = new MeshResources(mesh, null);
        resources.alsoReceive(new FurtherResources() {
            @Override
            public String type() {
                return "type.googleapis.com/culvert.waypoint.v1.GatewayConfig";
            }

            @Override
            public Map<String, String> apply(DeltaDiscoveryResponse response) {
                response.getResourcesList().forEach(one -> told.add(one.getName()));
                return Map.of();
            }
        });
        var config = GatewayConfig.newBuilder().setName("g").build();
        var all = Map.of(
                "istio-system/ztunnel/listeners", config,
                "istio-system/ztunnel-2/listeners", config,
                "istio-system/other/listeners", config,
                "shop/ztunnel/listeners", config);
        xds.publish(Map.of(), Map.of(), all);
        connect(server.as("node-1"), resources).await();
        xds.publish(workloads("a"), Map.of(), all);
        await(snapshot -> snapshot.workload("Kubernetes//Pod/shop/a").isPresent());
        assertThat(told).containsExactly("istio-system/ztunnel/listeners");
    }

    @Test
    void addressNeverArrivesBeforeThePolicyThatItNames() throws Exception {
        xds.publish(Map.of(), Map.of(), Map.of());
        connect(server.as("node-1"), new MeshResources(mesh, null)).await();
        var broken = new CountDownLatch(1);
        try (var _ = mesh.onChange(snapshot -> snapshot.workloads().forEach(workload -> {
            if (snapshot.policiesFor(workload).missing() != null) {
                broken.countDown();
            }
        }))) {
            for (var i = 0; i < 50; i++) {
                var key = "p" + i;
                xds.publish(
                        Map.of("Kubernetes//Pod/shop/a", workload("a", "shop/" + key)),
                        Map.of("shop/" + key, policy(key), "shop/p" + (i + 1), policy("p" + (i + 1))),
                        Map.of());
                var expected = List.of("shop/" + key);
                await(snapshot -> snapshot.workload("Kubernetes//Pod/shop/a")
                        .filter(workload -> workload.authorizationPolicies().equals(expected))
                        .isPresent());
            }
        }
        assertThat(broken.getCount()).isEqualTo(1);
    }

    @Test
    void badResourceIsNamedAndTheGoodOnesApply() throws Exception {
        var bad = Address.newBuilder()
                .setWorkload(
                        workload("bad").getWorkload().toBuilder().setTunnelProtocol(TunnelProtocol.LEGACY_ISTIO_MTLS))
                .build();
        var all = new TreeMap<>(workloads("a"));
        all.put("Kubernetes//Pod/shop/bad", bad);
        xds.publish(all, Map.of(), Map.of());
        connect(server.as("node-1"), new MeshResources(mesh, null));
        await(snapshot -> snapshot.workload("Kubernetes//Pod/shop/a").isPresent());
        assertThat(mesh.current().workload("Kubernetes//Pod/shop/bad")).isEmpty();
        while (xds.clients().getFirst().lastNack().isEmpty()) {
            TimeUnit.MILLISECONDS.sleep(5);
        }
        assertThat(xds.clients().getFirst().lastNack())
                .contains("Kubernetes//Pod/shop/bad")
                .contains("LEGACY");
    }

    @Test
    void stateIsKeptWithoutTheServerAndCorrectedWhenItIsBack() throws Exception {
        xds.publish(workloads("a", "bb"), Map.of(), Map.of());
        var port = server.port();
        connect(server.as("node-1"), new MeshResources(mesh, null)).await();
        server.close();
        xds.publish(workloads("a", "ccc"), Map.of(), Map.of());
        assertThat(mesh.current().workloads()).hasSize(2);
        server = new RunningServer(directory, xds, (_, _, _) -> false, port);
        await(snapshot -> snapshot.workload("Kubernetes//Pod/shop/ccc").isPresent()
                && snapshot.workload("Kubernetes//Pod/shop/bb").isEmpty());
    }

    @Test
    void restartWithoutTheServerStartsFromTheLastGoodState() throws Exception {
        xds.publish(workloads("a", "bb"), Map.of("shop/p", policy("p")), Map.of());
        var disk = directory.resolve("state");
        connect(server.as("node-1"), new MeshResources(mesh, new LastGoodState(disk)))
                .await();
        await(snapshot -> snapshot.workloads().size() == 2);
        while (new LastGoodState(disk)
                        .load()
                        .map(saved -> saved.resources().types().size())
                        .orElse(0)
                < 2) {
            TimeUnit.MILLISECONDS.sleep(5);
        }
        var later = new MeshState();
        assertThat(new MeshResources(later, new LastGoodState(disk)).restore()).isTrue();
        assertThat(later.current().workloads()).hasSize(2);
        assertThat(later.current().policies()).hasSize(1);
    }

    @Test
    void callWithoutAValidTokenIsRefused() throws Exception {
        xds.publish(workloads("a"), Map.of(), Map.of());
        var synced = connect(server.with("not-a-token"), new MeshResources(mesh, null));
        assertThat(synced.await(300, TimeUnit.MILLISECONDS)).isFalse();
        assertThat(xds.clients()).isEmpty();
        assertThat(mesh.current().workloads()).isEmpty();
    }

    @Test
    void whoSpeaksForAnotherNamespaceIsRefused() throws Exception {
        xds.publish(workloads("a"), Map.of(), Map.of());
        var synced = connect(server.as("node-1"), "ztunnel~1~a.elsewhere~b", new MeshResources(mesh, null));
        assertThat(synced.await(300, TimeUnit.MILLISECONDS)).isFalse();
        assertThat(mesh.current().workloads()).isEmpty();
        assertThat(connect(server.as("node-1"), new MeshResources(mesh, null)).await(20, TimeUnit.SECONDS))
                .isTrue();
    }
}
