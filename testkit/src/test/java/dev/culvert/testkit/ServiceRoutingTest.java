package dev.culvert.testkit;

import static dev.culvert.testkit.BackendKind.IN_PROCESS;
import static dev.culvert.testkit.BackendKind.NETNS;
import static dev.culvert.testkit.MeshAssertions.assertThat;

import org.junit.jupiter.api.Test;

/// Where a service's connections go, and as whom.
@MeshTest(
        backends = {IN_PROCESS, NETNS},
        families = {Family.V4, Family.V6, Family.DUAL})
class ServiceRoutingTest {
    @Test
    void serviceIsReachedByItsVip(Mesh mesh) {
        var server = mesh.workload("server").on("node-b").captured().echo(8080);
        var shop = mesh.service("shop").vip().port(80, 8080).backedBy(server);
        var client = mesh.workload("client").on("node-a").captured();

        assertThat(client.connect(shop, 80).roundTrip("hello")).isEqualTo("hello");
        assertThat(server.onlyTunnel()).hasAuthority(server.authority(8080)).hasPeer("ns/default/sa/client");
    }

    @Test
    void podIsReachedByItsAddress(Mesh mesh) {
        var server = mesh.workload("server")
                .on("node-b")
                .namespace("shop")
                .serviceAccount("seller")
                .captured()
                .echo(8080);
        var client = mesh.workload("client")
                .on("node-a")
                .namespace("ops")
                .serviceAccount("robot")
                .captured();

        assertThat(client.connect(server, 8080).roundTrip("hello")).isEqualTo("hello");
        assertThat(server.onlyTunnel()).hasAuthority(server.authority(8080)).hasPeer("ns/ops/sa/robot");
    }

    @Test
    void podsOfOneNodeUseATunnelToo(Mesh mesh) {
        var server = mesh.workload("server").on("node-a").captured().echo(8080);
        var client = mesh.workload("client").on("node-a").captured();

        assertThat(client.connect(server, 8080).roundTrip("hello")).isEqualTo("hello");
        assertThat(server.onlyTunnel()).hasPeer("ns/default/sa/client");
    }

    @Test
    void whatIsNotCapturedIsReachedAndReachesInClear(Mesh mesh) {
        var inside = mesh.workload("inside").on("node-b").captured().echo(8080);
        var outside = mesh.workload("outside").on("node-a").serve(8080, Handler.greeting("220 ready"));

        assertThat(inside.connect(outside, 8080).read(9)).isEqualTo("220 ready");
        assertThat(outside.connect(inside, 8080).roundTrip("hello")).isEqualTo("hello");
        assertThat(inside.tunnels()).isEmpty();
    }

    @Test
    void oneEndpointAfterAnotherGoesAndTheServiceStays(Mesh mesh) {
        var first = mesh.workload("first").on("node-a").captured().serve(8080, Handler.greeting("1"));
        var second = mesh.workload("second").on("node-b").captured().serve(8080, Handler.greeting("2"));
        var shop = mesh.service("shop").vip().port(80, 8080).backedBy(first, second);
        var client = mesh.workload("client").on("node-a").captured();

        first.kill();
        assertThat(client.connect(shop, 80).read(1)).isEqualTo("2");
    }

    @Test
    void serversThatStopEndTheirConnectionsByFin(Mesh mesh) {
        var server = mesh.workload("server").on("node-b").captured().echo(8080);
        var client = mesh.workload("client").on("node-a").captured();
        var open = client.connect(server, 8080);
        assertThat(open.roundTrip("hello")).isEqualTo("hello");

        server.stop();
        assertThat(open.awaitEnd()).isEqualTo(Connection.End.FIN);
    }

    @Test
    void podThatIsKilledResetsItsConnections(Mesh mesh) {
        var server = mesh.workload("server").on("node-b").captured().echo(8080);
        var client = mesh.workload("client").on("node-a").captured();
        var open = client.connect(server, 8080);
        assertThat(open.roundTrip("hello")).isEqualTo("hello");

        server.kill();
        assertThat(open.awaitEnd()).isEqualTo(Connection.End.RESET);
    }
}
