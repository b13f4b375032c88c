package dev.culvert.testkit;

import static dev.culvert.testkit.MeshAssertions.assertThat;

import dev.culvert.mesh.model.workload.Addresses;
import dev.culvert.mesh.model.workload.ApplicationTunnel.Protocol;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.Http2Headers;
import java.io.ByteArrayOutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;

/// A proxy in a pod that hears who is calling, and for what, by the PROXY protocol.
@MeshTest(families = {Family.V4, Family.V6})
class ApplicationTunnelTest {
    private static final HexFormat HEX = HexFormat.of();
    private static final String SIGNATURE = "0d0a0d0a000d0a515549540a";

    private static String hex(String text) {
        return HEX.formatHex(text.getBytes(StandardCharsets.US_ASCII));
    }

    private static String hex(InetAddress ip) {
        return HEX.formatHex(ip.getAddress());
    }

    /// What is expected of the header but the source port, which is the tunnel's.
    private static void expect(byte[] heard, InetAddress source, InetSocketAddress destination, String identity) {
        var v6 = source.getAddress().length == 16;
        var addresses = v6 ? 36 : 12;
        var tlv = 3 + identity.length();
        var text = HEX.formatHex(heard);
        var ports = 32 + 2 * (addresses - 4);
        assertThat(text.substring(0, ports))
                .isEqualTo(SIGNATURE + "21" + (v6 ? "21" : "11") + "%04x".formatted(addresses + tlv) + hex(source)
                        + hex(destination.getAddress()));
        assertThat(text.substring(ports + 4))
                .isEqualTo("%04x".formatted(destination.getPort()) + "d0" + "%04x".formatted(identity.length())
                        + hex(identity));
    }

    private static byte[] header(Connection accepted) {
        var start = ByteBuffer.allocate(16);
        fill(accepted, start);
        var rest = ByteBuffer.allocate(start.getShort(14));
        fill(accepted, rest);
        var all = new ByteArrayOutputStream();
        all.writeBytes(start.array());
        all.writeBytes(rest.array());
        return all.toByteArray();
    }

    private static void fill(Connection from, ByteBuffer buffer) {
        while (buffer.hasRemaining() && from.read(buffer) >= 0) {
            // more may come
        }
    }

    @Test
    void theHeaderComesFirstThenTheBytesOnTheLoopback(Mesh mesh) {
        var proxy = mesh.workload("proxy").on("node-b").captured().applicationTunnel(Protocol.PROXY, 15088);
        var listening = proxy.listen(15088);
        var client = mesh.workload("client").on("node-a").captured();

        var open = client.connect(proxy, 80);
        open.send("hello");
        var accepted = listening.accept();
        assertThat(accepted.remote().getAddress().isLoopbackAddress()).isTrue();
        expect(
                header(accepted),
                client.address(),
                new InetSocketAddress(proxy.address(), 80),
                "spiffe://cluster.local/ns/default/sa/client");
        assertThat(accepted.read(5)).isEqualTo("hello");
        accepted.send("world");
        assertThat(open.read(5)).isEqualTo("world");
    }

    /// The proxy is the waypoint of a service: it is asked for the VIP, and hears so.
    @Test
    void aSandwichedWaypointHearsTheVip(Mesh mesh) {
        var waypoint = mesh.workload("waypoint").on("node-b").captured().applicationTunnel(Protocol.PROXY, 15088);
        var listening = waypoint.listen(15088);
        var server = mesh.workload("server").on("node-b").captured();
        var shop = mesh.service("shop")
                .vip()
                .port(80, 8080)
                .behindWaypoint(waypoint)
                .backedBy(server);
        var client = mesh.workload("client").on("node-a").captured();

        var open = client.connect(shop, 80);
        open.send("hello");
        var accepted = listening.accept();
        expect(
                header(accepted),
                client.address(),
                new InetSocketAddress(shop.vipFor(mesh.family()), 80),
                "spiffe://cluster.local/ns/default/sa/client");
        assertThat(accepted.read(5)).isEqualTo("hello");
    }

    /// A name stands for a VIP in the header, of which one without has nothing to say.
    @Test
    void aNameIsHeardAsItsVipAndOneWithoutIsRefused(Mesh mesh) throws Exception {
        var proxy = mesh.workload("proxy").on("node-b").captured().applicationTunnel(Protocol.PROXY, 15088);
        var listening = proxy.listen(15088);
        var shop = mesh.service("shop").vip().port(80, 8080).backedBy(proxy);
        mesh.service("headless").port(80, 8080).backedBy(proxy);
        var client = mesh.workload("client").on("node-a").speakingHbone();
        mesh.expectError("no address for headless.default.svc.cluster.local:80");
        mesh.allowError("receive: INTERNAL_ERROR"); // the peer goes without a word at the end
        try (var peer = client.peerOf(proxy)) {
            assertThat(peer.connect(connect("headless.default.svc.cluster.local:80")))
                    .isEqualTo(503);
            assertThat(peer.connect(connect("shop.default.svc.cluster.local:80")))
                    .isEqualTo(200);
            expect(
                    header(listening.accept()),
                    client.address(),
                    new InetSocketAddress(shop.vipFor(mesh.family()), 80),
                    "spiffe://cluster.local/ns/default/sa/client");
        }
    }

    private static Http2Headers connect(String authority) {
        return new DefaultHttp2Headers(false).method("CONNECT").authority(authority);
    }

    /// Policy sees the port where the bytes end.
    @Test
    void policySeesTheTunnelsPort(Mesh mesh) {
        var proxy = mesh.workload("proxy").on("node-b").captured().applicationTunnel(Protocol.PROXY, 15088);
        var listening = proxy.listen(15088);
        mesh.policy("only-tunnel", proxy).allowPort(15088);
        var client = mesh.workload("client").on("node-a").captured();
        var open = client.connect(proxy, 80);
        header(listening.accept());
        open.close();
    }

    @Test
    void withoutTheProtocolOnlyThePortIsAnother(Mesh mesh) {
        var server = mesh.workload("server").on("node-b").captured().applicationTunnel(Protocol.NONE, 9000);
        server.serve(9000, Handler.greeting("nine"));
        var client = mesh.workload("client").on("node-a").captured();
        assertThat(client.connect(server, 80).read(4)).isEqualTo("nine");
        assertThat(server.onlyTunnel()).hasAuthority(Addresses.text(new InetSocketAddress(server.address(), 80)));
    }
}
