package dev.culvert.testkit;

import static dev.culvert.testkit.MeshAssertions.assertThat;

import dev.culvert.hbone.pool.PoolLimits;
import dev.culvert.mesh.model.workload.ApplicationTunnel.Protocol;
import dev.culvert.ztunnel.inpod.NodeSettings;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.Http2Headers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/// What operators may set otherwise than by default.
@MeshTest
class OperatorSettingsTest {
    private static final int PORT = 8080;
    private static final Duration KEPT = Duration.ofSeconds(2);

    private static PoolLimits pool(Duration unusedRelease, int connections) {
        var by = PoolLimits.DEFAULTS;
        return new PoolLimits(by.h2(), by.handshake(), by.answer(), unusedRelease, connections);
    }

    private static NodeSettings with(
            NodeSettings by, boolean responseBaggage, boolean localhostAppTunnel, boolean policyAtInfo) {
        return new NodeSettings(
                by.nodeName(),
                by.network(),
                by.spoofSource(),
                responseBaggage,
                localhostAppTunnel,
                policyAtInfo,
                by.workloadWait(),
                by.handshake(),
                by.tunnelIdle(),
                by.h2());
    }

    /// `LOCALHOST_APP_TUNNEL=false`: the proxy is reached at its pod's address.
    @Test
    void applicationTunnelsOutsideTheLoopback(Mesh mesh) {
        mesh.settings(PoolLimits.DEFAULTS, by -> with(by, true, false, false));
        var proxy = mesh.workload("proxy").on("node-b").captured().applicationTunnel(Protocol.PROXY, 15088);
        var listening = proxy.listen(15088);
        var client = mesh.workload("client").on("node-a").captured();
        var open = client.connect(proxy, 80);
        var accepted = listening.accept();
        assertThat(accepted.remote().getAddress()).isEqualTo(client.address());
        open.close();
    }

    private static Http2Headers answer(Mesh mesh) throws Exception {
        var server = mesh.workload("server").on("node-b").captured().echo(PORT);
        var client = mesh.workload("client").on("node-a").speakingHbone();
        mesh.allowError("receive: INTERNAL_ERROR"); // the peer goes without a word at the end
        try (var peer = client.peerOf(server)) {
            return peer.ask(new DefaultHttp2Headers(false).method("CONNECT").authority(server.authority(PORT)));
        }
    }

    @Test
    void answersSayWhoWeAre(Mesh mesh) throws Exception {
        assertThat(String.valueOf(answer(mesh).get("baggage"))).contains("k8s.namespace.name=default");
    }

    /// `ENABLE_RESPONSE_BAGGAGE=false`.
    @Test
    void answersSayNothing(Mesh mesh) throws Exception {
        mesh.settings(PoolLimits.DEFAULTS, by -> with(by, false, true, false));
        var answer = answer(mesh);
        assertThat(String.valueOf(answer.status())).isEqualTo("200");
        assertThat(answer.get("baggage")).isNull();
    }

    /// `AUTHZ_POLICY_INFO_LOGGING=true`. A dry run changes nothing but the log.
    @Test
    void whatPoliciesSayIsLogged(Mesh mesh) {
        mesh.settings(PoolLimits.DEFAULTS, by -> with(by, true, true, true));
        var server = mesh.workload("server").on("node-b").captured().echo(PORT);
        var client = mesh.workload("client").on("node-a").captured();
        mesh.policy("try-it", server).dryRunDeny(client);
        mesh.policy("only-client", server).allow(client);
        assertThat(client.connect(server, PORT).roundTrip("hello")).isEqualTo("hello");
        mesh.awaitLog(
                "policy dry run: DENY of default/try-it matches spiffe://cluster.local/ns/default/sa/client from ",
                " to " + server.authority(PORT));
        mesh.awaitLog("policy allowed by: default/only-client (rule 0): spiffe://cluster.local/ns/default/sa/client");
    }

    /// `POOL_UNUSED_RELEASE_TIMEOUT`.
    @Test
    void anUnusedTunnelIsGivenUp(Mesh mesh) {
        mesh.settings(pool(KEPT, 500), UnaryOperator.identity());
        var server = mesh.workload("server").on("node-b").captured().echo(PORT);
        var client = mesh.workload("client").on("node-a").captured();
        var open = client.connect(server, PORT);
        assertThat(open.roundTrip("hello")).isEqualTo("hello");
        mesh.advance(KEPT.plusSeconds(1));
        assertThat(open.roundTrip("still")).isEqualTo("still");
        mesh.awaitPooled("node-a", 1);
        open.close();
        mesh.advance(KEPT.plusSeconds(1));
        mesh.awaitPooled("node-a", 0);
    }

    /// A pool that is full refuses what needs one more, until one of its tunnels is unused. Each loop has its own.
    @Test
    void aFullPoolRefusesUntilOneIsUnused(Mesh mesh) {
        mesh.settings(pool(Duration.ofMinutes(5), 1), UnaryOperator.identity());
        var client = mesh.workload("client").on("node-a").captured();
        mesh.expectError("the pool holds 1 connections already");
        var open = new ArrayList<Connection>();
        for (var i = 0; i < 3; i++) {
            var server = mesh.workload("server-" + i).on("node-b").captured().serve(PORT, Handler.greeting("hello"));
            open.add(client.connect(server, PORT));
        }
        mesh.awaitLog("the pool holds 1 connections already");
        open.forEach(Connection::close);
        Await.until(
                () -> "no connection is live: " + mesh.live(), () -> mesh.live().isEmpty());
        var last = mesh.workload("last").on("node-b").captured().echo(PORT);
        assertThat(client.connect(last, PORT).roundTrip("hello")).isEqualTo("hello");
    }
}
