package dev.culvert.testkit;

import static dev.culvert.testkit.MeshAssertions.assertThat;

import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.Http2Headers;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Only the certificate says who a peer is, and only the address it came to says which pod it means; what a CONNECT
/// claims besides changes nothing.
@MeshTest(families = Family.V4)
class ForgedRequestTest {
    private static final int PORT = 8080;

    private static Http2Headers connect(String authority) {
        return new DefaultHttp2Headers(false).method("CONNECT").authority(authority);
    }

    @Test
    void claimsOfAnotherIdentityOrSourceAreNotBelieved(Mesh mesh) throws Exception {
        var server = mesh.workload("server").on("node-b").captured().echo(PORT);
        var friend = mesh.workload("friend").on("node-a").captured();
        var stranger = mesh.workload("stranger").on("node-a").speakingHbone();
        mesh.policy("only-friend", server).allow(friend);
        mesh.expectError("allow policies exist, but none allowed");
        var claims = List.<String[]>of(
                new String[] {
                    "forwarded",
                    "for=\"" + friend.authority(1) + "\";by=\"spiffe://cluster.local/ns/default/sa/friend\""
                },
                new String[] {"baggage", "k8s.namespace.name=default,service.name=friend,k8s.pod.name=friend"},
                new String[] {"x-forwarded-client-cert", "URI=spiffe://cluster.local/ns/default/sa/friend"},
                new String[] {"x-forwarded-for", friend.address().getHostAddress()},
                new String[] {"x-forwarded-network", "elsewhere"},
                new String[] {"x-istio-source", "waypoint"},
                new String[] {"authorization", "Bearer friend"});
        try (var peer = stranger.peerOf(server)) {
            for (var claim : claims) {
                var headers = connect(server.authority(PORT)).set(claim[0], claim[1]);
                assertThat(peer.connect(headers)).as(claim[0]).isEqualTo(401);
            }
        }
        assertThat(friend.connect(server, PORT).roundTrip("hello")).isEqualTo("hello");
    }

    @Test
    void onlyAClassicConnectToThisPodIsServed(Mesh mesh) throws Exception {
        var server = mesh.workload("server").on("node-b").captured().echo(PORT);
        var other = mesh.workload("other").on("node-b").captured().echo(PORT);
        var client = mesh.workload("client").on("node-a").speakingHbone();
        mesh.allowError("ip mismatch");
        mesh.allowError("attempted recursive call");
        mesh.allowError("no port for");
        mesh.allowError("receive: INTERNAL_ERROR"); // the peer goes without a word at the end
        var good = server.authority(PORT);
        var ip = server.address().getHostAddress();
        try (var peer = client.peerOf(server)) {
            assertThat(peer.connect(connect(good))).isEqualTo(200);
            assertThat(peer.connect(connect(other.authority(PORT))))
                    .as("another pod")
                    .isEqualTo(400);
            assertThat(peer.connect(connect("127.0.0.1:" + PORT)))
                    .as("loopback")
                    .isEqualTo(400);
            for (var port : List.of(15001, 15006, 15008)) {
                assertThat(peer.connect(connect(ip + ":" + port)))
                        .as("own port %s", port)
                        .isEqualTo(503);
            }
            assertThat(peer.connect(connect("nobody.example:80")))
                    .as("unknown name")
                    .isEqualTo(503);
            for (var bad : List.of(ip, ip + ":", ip + ":0", "user@" + good, good + "/", "http://" + good, "x")) {
                assertThat(peer.connect(connect(bad))).as(bad).isIn(400, 0);
            }
            assertThat(peer.connect(connect(good).method("GET").path("/").scheme("https")))
                    .as("method")
                    .isEqualTo(400);
            assertThat(peer.connect(connect(good).method("GET")))
                    .as("malformed request, reset")
                    .isZero();
            assertThat(peer.connect(connect(good).path("/").scheme("https")))
                    .as("path")
                    .isIn(400, 0);
            assertThat(peer.connect(connect(good))).as("still good").isEqualTo(200);
        }
    }
}
