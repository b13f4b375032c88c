package dev.culvert.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.culvert.linux.netns.NetworkNamespace;
import dev.culvert.testkit.backend.Addressing;
import dev.culvert.ztunnel.dns.DnsSettings.Limits;
import java.io.DataInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;

/// SOCKS5 in a pod, byte for byte (RFC 1928).
@MeshTest(backends = BackendKind.NETNS)
class Socks5Test {
    private static final int PORT = 8080;
    private static final String HELLO = "050100";
    private static final Limits LIMITS = new Limits(Duration.ofMillis(300), 4096, 256, 64);

    private TestService shop(Mesh mesh) {
        mesh.names(LIMITS, new InetSocketAddress(Addressing.pod(1, 200, true), 53));
        var echo = mesh.workload("echo").on("node-b").captured().echo(PORT);
        var shop = mesh.service("shop").vip().port(80, PORT).backedBy(echo);
        mesh.workload("client").on("node-a").captured().address();
        return shop;
    }

    private static Socket dial() throws IOException {
        try (var netns = NetworkNamespace.open(Path.of("/run/netns/client"))) {
            var socket =
                    netns.<SocketChannel, IOException>call(SocketChannel::open).socket();
            socket.connect(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 15080), 5000);
            socket.setSoTimeout(15_000);
            return socket;
        }
    }

    private static void send(Socket socket, String hex) throws IOException {
        socket.getOutputStream().write(HexFormat.of().parseHex(hex.replace(" ", "")));
    }

    private static String read(Socket socket, int bytes) throws IOException {
        var read = new byte[bytes];
        new DataInputStream(socket.getInputStream()).readFully(read);
        return HexFormat.of().formatHex(read);
    }

    private static boolean isOver(Socket socket) throws IOException {
        return socket.getInputStream().read() < 0;
    }

    private static String target(InetAddress ip, int port) {
        var bytes = ip.getAddress();
        return "050100" + (bytes.length == 4 ? "01" : "04") + HexFormat.of().formatHex(bytes) + port(port);
    }

    private static String target(String name, int port) {
        var bytes = name.getBytes(StandardCharsets.US_ASCII);
        return "05010003" + HexFormat.of().toHexDigits((byte) bytes.length)
                + HexFormat.of().formatHex(bytes) + port(port);
    }

    private static String port(int port) {
        return HexFormat.of().toHexDigits((short) port);
    }

    /// @return the reply code
    private static String ask(Socket socket, String request) throws IOException {
        send(socket, HELLO);
        assertThat(read(socket, 2)).isEqualTo("0500");
        send(socket, request);
        var reply = read(socket, 10);
        assertThat(reply).startsWith("05").endsWith("0001000000000000");
        return reply.substring(2, 4);
    }

    @Test
    void servicesAndPodsByAddressAndName(Mesh mesh) throws Exception {
        var shop = shop(mesh);
        for (var request : List.of(
                target(shop.vipFor(Family.V4), 80),
                target(shop.vipFor(Family.V6), 80),
                target("shop", 80),
                target("Shop.default.svc.cluster.local.", 80),
                target(mesh.workload("echo").address(), PORT),
                target(shop.vipFor(Family.V4).getHostAddress(), 80))) {
            try (var socket = dial()) {
                assertThat(ask(socket, request)).as(request).isEqualTo("00");
                send(socket, "68690a");
                assertThat(read(socket, 3)).isEqualTo("68690a");
                assertThat(mesh.workload("echo").onlyTunnel().peer().toString()).endsWith("/sa/client");
                socket.shutdownOutput();
                assertThat(isOver(socket)).isTrue();
            }
            Await.until("idle", () -> mesh.live().isEmpty());
        }
    }

    /// All in one segment, bytes for the server included.
    @Test
    void hastyApplicationsLoseNothing(Mesh mesh) throws Exception {
        shop(mesh);
        try (var socket = dial()) {
            send(socket, HELLO + target("shop", 80) + "68690a");
            assertThat(read(socket, 2 + 10 + 3)).isEqualTo("0500" + "05000001000000000000" + "68690a");
        }
        try (var socket = dial()) {
            for (var part : (HELLO + target("shop", 80) + "68690a").split("(?<=\\G..)", -1)) {
                send(socket, part);
            }
            assertThat(read(socket, 2 + 10 + 3)).endsWith("68690a");
        }
    }

    @Test
    void refusalsSayWhy(Mesh mesh) throws Exception {
        var shop = shop(mesh);
        mesh.expectError("");
        refused("02", target(InetAddress.ofLiteral("127.0.0.1"), 15080));
        refused("02", target(InetAddress.ofLiteral("127.0.0.1"), 15001));
        refused("05", target(InetAddress.ofLiteral("127.0.0.1"), 9));
        refused("04", target(shop.vipFor(Family.V4), 81));
        refused("04", target("nobody.example.com", 80));
        refused("08", target("a..b", 80)); // no name
        refused("07", target(shop.vipFor(Family.V4), 80).replaceFirst("0501", "0502"));
        refused("07", target(shop.vipFor(Family.V4), 80).replaceFirst("0501", "0503"));
        refused("08", "05010002" + "c6130001" + "0050");
        refused("01", target(shop.vipFor(Family.V4), 0));
        assertThat(mesh.counted("culvert_socks5_refused")).isEqualTo(10);
    }

    private static void refused(String code, String request) throws IOException {
        try (var socket = dial()) {
            assertThat(ask(socket, request)).as(request).isEqualTo(code);
            assertThat(isOver(socket)).isTrue();
        }
    }

    @Test
    void otherProtocolsMethodsAndSilenceEnd(Mesh mesh) throws Exception {
        shop(mesh);
        try (var password = dial();
                var old = dial();
                var http = dial();
                var silent = dial()) {
            send(password, "050102");
            assertThat(read(password, 2)).isEqualTo("05ff");
            assertThat(isOver(password)).isTrue();
            send(old, "0401005001020304");
            assertThat(isOver(old)).isTrue();
            http.getOutputStream().write("GET / HTTP/1.1\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            assertThat(isOver(http)).isTrue();
            assertThat(isOver(silent)).as("after 5 s").isTrue();
        }
        assertThat(mesh.counted("culvert_socks5_refused")).isEqualTo(4);
    }
}
