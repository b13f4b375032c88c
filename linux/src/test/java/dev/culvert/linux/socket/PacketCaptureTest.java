package dev.culvert.linux.socket;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.culvert.linux.netns.Namespaces;
import dev.culvert.linux.netns.NetworkNamespace;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class PacketCaptureTest {
    @Test
    void seesWhatCrossesTheInterfaceAndNothingElse() throws Exception {
        var left = Namespaces.add("capture-left");
        var right = Namespaces.add("capture-right");
        Namespaces.run(
                "ip",
                "-n",
                "capture-left",
                "link",
                "add",
                "wire",
                "type",
                "veth",
                "peer",
                "wire",
                "netns",
                "capture-right");
        for (var side : new String[] {"left", "right"}) {
            var address = side.equals("left") ? "1" : "2";
            Namespaces.run("ip", "-n", "capture-" + side, "addr", "add", "198.18.0." + address + "/24", "dev", "wire");
            Namespaces.run(
                    "ip", "-n", "capture-" + side, "addr", "add", "2001:2::" + address + "/64", "dev", "wire", "nodad");
            Namespaces.run("ip", "-n", "capture-" + side, "link", "set", "wire", "up");
        }
        var frames = new RecordedFrames(1 << 20);
        try (var leftNamespace = NetworkNamespace.open(left);
                var rightNamespace = NetworkNamespace.open(right);
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
