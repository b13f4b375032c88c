package dev.culvert.linux.socket;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.culvert.linux.netns.Namespaces;
import dev.culvert.linux.netns.NetworkNamespace;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

class PacketCaptureTest {
    @Test
    void seesWhatCrossesTheInterfaceAndNothingElse() throws Exception {
        wire("capture-left", "capture-right");
        var frames = new RecordedFrames(1 << 20);
        try (var leftNamespace = NetworkNamespace.open(Path.of("/run/netns/capture-left"));
                var rightNamespace = NetworkNamespace.open(Path.of("/run/netns/capture-right"));
                PacketCapture capture = leftNamespace.call(() -> PacketCapture.open("wire"))) {
            capture.start(frames);
            for (var address : new String[] {"198.18.0.2", "2001:2::2"}) {
                frames.clear();
                send(leftNamespace, rightNamespace, InetAddress.getByName(address), "canary-" + address);
                assertThat(capture.awaitDrained(Duration.ofSeconds(5))).isTrue();
                assertThat(frames.contains(("canary-" + address).getBytes(US_ASCII)))
                        .isTrue();
                assertThat(frames.contains("another".getBytes(US_ASCII))).isFalse();
                assertThat(frames.count()).isGreaterThan(3);
                assertThat(frames.bytes()).isGreaterThan(200);
            }
            assertThat(capture.dropped()).isZero();
        }
    }

    /// A wire that is never silent.
    @Test
    void whatCrossedIsHandedOverWhileMoreCrosses() throws Exception {
        wire("busy-left", "busy-right");
        var frames = new RecordedFrames(64 << 20);
        try (var left = NetworkNamespace.open(Path.of("/run/netns/busy-left"));
                PacketCapture capture = left.call(() -> PacketCapture.open("wire"));
                DatagramSocket socket = left.call(() -> new DatagramSocket())) {
            capture.start(frames);
            var more = new AtomicBoolean(true);
            var sender = Thread.ofPlatform().start(() -> {
                while (more.get()) {
                    send(socket, "noise");
                }
            });
            try {
                send(socket, "canary");
                assertThat(capture.awaitDrained(Duration.ofSeconds(10))).isTrue();
                assertThat(frames.contains("canary".getBytes(US_ASCII))).isTrue();
            } finally {
                more.set(false);
                sender.join();
            }
        }
    }

    private static void send(DatagramSocket socket, String text) {
        try {
            var bytes = text.getBytes(US_ASCII);
            socket.send(new DatagramPacket(bytes, bytes.length, InetAddress.ofLiteral("198.18.0.2"), 9));
            Thread.sleep(Duration.ofNanos(100_000)); // many times within what is silence to poll
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void wire(String left, String right) throws Exception {
        Namespaces.add(left);
        Namespaces.add(right);
        Namespaces.run("ip", "-n", left, "link", "add", "wire", "type", "veth", "peer", "wire", "netns", right);
        for (var side : List.of(left, right)) {
            var address = side.equals(left) ? "1" : "2";
            Namespaces.run("ip", "-n", side, "addr", "add", "198.18.0." + address + "/24", "dev", "wire");
            Namespaces.run("ip", "-n", side, "addr", "add", "2001:2::" + address + "/64", "dev", "wire", "nodad");
            Namespaces.run("ip", "-n", side, "link", "set", "wire", "up");
        }
    }

    private static void send(NetworkNamespace from, NetworkNamespace to, InetAddress address, String text)
            throws Exception {
        try (ServerSocket server = to.call(() -> new ServerSocket(0, 1, address));
                Socket client = from.call(() -> new Socket(address, server.getLocalPort()));
                var accepted = server.accept()) {
            client.getOutputStream().write(text.getBytes(US_ASCII));
            assertThat(accepted.getInputStream().readNBytes(text.length()))
                    .asString(US_ASCII)
                    .isEqualTo(text);
        }
    }

    @Test
    void absenceIsNotClaimedWhenFramesWereNotKept() {
        var frames = new RecordedFrames(10);
        frames.accept("12345".getBytes(US_ASCII));
        frames.accept("1234567".getBytes(US_ASCII));
        assertThat(frames.contains("345".getBytes(US_ASCII))).isTrue();
        assertThatThrownBy(() -> frames.contains("67".getBytes(US_ASCII))).hasMessageContaining("not kept");
    }

    @Test
    void unknownInterfaceIsNamed() {
        assertThatThrownBy(() -> PacketCapture.open("absent0")).hasMessage("if_nametoindex(absent0): ENODEV");
    }
}
