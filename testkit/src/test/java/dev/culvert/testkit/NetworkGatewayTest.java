package dev.culvert.testkit;

import static dev.culvert.testkit.MeshAssertions.assertThat;

import dev.culvert.testkit.Connection.End;
import dev.culvert.ztunnel.relay.LiveConnection;
import io.netty.handler.codec.http2.Http2Headers;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/// A service of another network is reached by a tunnel to that network's gateway and one inside it to the pod; the
/// gateway sees bytes only.
@MeshTest
class NetworkGatewayTest {
    private static final int PORT = 8080;

    /// A server of network `east` behind its gateway, and a client of network "".
    private record Networks(TestWorkload server, TestService shop, TestWorkload client, List<Http2Headers> asked) {
        static Networks of(Mesh mesh, Handler handler) {
            mesh.network("node-b", "east");
            var gateway = mesh.workload("gateway").on("node-b").speakingHbone();
            var server = mesh.workload("server")
                    .on("node-b")
                    .captured()
                    .behindGateway(gateway)
                    .serve(PORT, handler);
            var asked = gateway.relays(server, 15008);
            var shop =
                    mesh.service("shop").vip().port(80, PORT).answeredBy(server).backedBy(server);
            return new Networks(
                    server, shop, mesh.workload("client").on("node-a").captured(), asked);
        }

        Connection connect() {
            return client.connect(shop, 80);
        }
    }

    @Test
    void theServerSeesTheClientsIdentityAndTheServicesName(Mesh mesh) {
        var networks = Networks.of(mesh, Handler.echo());
        try (var open = networks.connect()) {
            assertThat(open.roundTrip("hello")).isEqualTo("hello");
            assertThat(networks.server.onlyTunnel())
                    .hasAuthority("shop.default.svc.cluster.local:80")
                    .hasPeer("ns/default/sa/client");
            assertThat(networks.client.live())
                    .singleElement()
                    .satisfies(live -> assertThat(live.protocol()).isEqualTo("DOUBLEHBONE"));
        }
        var outer = networks.asked.getFirst();
        assertThat(String.valueOf(outer.authority())).isEqualTo("shop.default.svc.cluster.local:80");
        assertThat(outer.get("x-forwarded-network")).isNull();
        mesh.awaitLog("connection complete", "direction=\"outbound\"", "dst.workload=\"server\"");
        mesh.awaitLog("connection complete", "direction=\"inbound\"", "src.workload=\"client\"");
    }

    @Test
    void theGatewayNeverSeesWhatIsSaid(Mesh mesh) {
        var networks = Networks.of(mesh, Handler.echo());
        var wire = mesh.wire("node-a", "node-b");
        assertThat(networks.connect().roundTrip("canary-7f31")).isEqualTo("canary-7f31");
        wire.never("canary-7f31");
    }

    @Test
    void tunnelsOfConnectionsShareTheOuterConnectionAndNotTheInner(Mesh mesh) {
        var networks = Networks.of(mesh, Handler.echo());
        var first = networks.connect();
        var second = networks.connect();
        assertThat(first.roundTrip("one")).isEqualTo("one");
        assertThat(second.roundTrip("two")).isEqualTo("two");
        assertThat(networks.asked).hasSize(2);
        assertThat(mesh.workload("client").live())
                .extracting(LiveConnection.Description::protocol)
                .containsExactly("DOUBLEHBONE", "DOUBLEHBONE");
        first.close();
        assertThat(second.roundTrip("still")).isEqualTo("still");
    }

    @Test
    void bulkGoesBothWaysAndHalfCloseIsPassedOn(Mesh mesh) {
        var networks = Networks.of(mesh, Handler.echo());
        var open = networks.connect();
        var block = new byte[8 << 20];
        new Random(11).nextBytes(block);
        Thread.ofVirtual().start(() -> {
            open.send(ByteBuffer.wrap(block));
            open.halfClose();
        });
        var heard = ByteBuffer.allocate(block.length);
        while (heard.hasRemaining() && open.read(heard) >= 0) {
            // more may come
        }
        assertThat(heard.array()).isEqualTo(block);
        assertThat(open.awaitEnd()).isEqualTo(End.FIN);
    }

    @Test
    void aResetPassesThroughBothTunnels(Mesh mesh) {
        mesh.network("node-b", "east");
        var gateway = mesh.workload("gateway").on("node-b").speakingHbone();
        var server = mesh.workload("server").on("node-b").captured().behindGateway(gateway);
        var listening = server.listen(PORT);
        gateway.relays(server, 15008);
        var shop = mesh.service("shop").vip().port(80, PORT).answeredBy(server).backedBy(server);
        var open = mesh.workload("client").on("node-a").captured().connect(shop, 80);
        open.send("x");
        var accepted = listening.accept();
        assertThat(accepted.read(1)).isEqualTo("x");
        open.reset();
        assertThat(accepted.awaitEnd()).isEqualTo(End.RESET);
    }

    @Test
    void whoAnswersUnderAnotherNameIsRefused(Mesh mesh) {
        mesh.network("node-b", "east");
        var gateway = mesh.workload("gateway").on("node-b").speakingHbone();
        var server = mesh.workload("server")
                .on("node-b")
                .captured()
                .behindGateway(gateway)
                .echo(PORT);
        var other = mesh.workload("other").on("node-b");
        gateway.relays(server, 15008);
        var shop = mesh.service("shop").vip().port(80, PORT).answeredBy(other).backedBy(server);
        mesh.expectError("identity verification error");
        var open = mesh.workload("client").on("node-a").captured().connect(shop, 80);
        assertThat(open.awaitEnd()).isIn(End.FIN, End.RESET);
    }

    @Test
    void aServiceThatSaysNoNamesIsRefused(Mesh mesh) {
        mesh.network("node-b", "east");
        var gateway = mesh.workload("gateway").on("node-b").speakingHbone();
        var server = mesh.workload("server")
                .on("node-b")
                .captured()
                .behindGateway(gateway)
                .echo(PORT);
        gateway.relays(server, 15008);
        var shop = mesh.service("shop").vip().port(80, PORT).backedBy(server);
        mesh.expectError("no subject_alt_names say whom to expect");
        var open = mesh.workload("client").on("node-a").captured().connect(shop, 80);
        assertThat(open.awaitEnd()).isIn(End.FIN, End.RESET);
    }

    @Test
    void aPodOfAnotherNetworkIsNotReachedByItsAddress(Mesh mesh) {
        mesh.network("node-b", "east");
        var server = mesh.workload("server").on("node-b").captured().echo(PORT);
        var shop = mesh.service("shop").vip().port(80, PORT).answeredBy(server).backedBy(server);
        mesh.expectError("has no network gateway");
        var open = mesh.workload("client").on("node-a").captured().connect(shop, 80);
        assertThat(open.awaitEnd()).isIn(End.FIN, End.RESET);
    }
}
