package dev.culvert.ztunnel.app;

import static org.assertj.core.api.Assertions.assertThat;

import dev.culvert.mesh.model.identity.SpiffeId;
import dev.culvert.proxy.ca.TestAuthority;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Peers of port 15008 that hold on to what they do not use, on real sockets; each limit is seen in the metrics. The
/// frames of a hostile peer are rows of `HostilePeerTest`.
@Timeout(120)
class HostileTunnelTest {
    private static final int MAX_HANDSHAKES = 1_000;
    private static final SpiffeId SELF = new SpiffeId("cluster.local", "shop", "cart");

    @TempDir
    Path directory;

    private final TestAuthority authority;

    HostileTunnelTest() throws IOException {
        authority = new TestAuthority();
    }

    private RunningZtunnel start(Map<String, String> more) throws Exception {
        var environment = new HashMap<>(more);
        environment.putAll(Map.of(
                "POD_NAME", "cart",
                "POD_NAMESPACE", "shop",
                "SERVICE_ACCOUNT", "cart",
                "NODE_NAME", "n1",
                "LOCAL_XDS", """
                        workloads:
                        - {uid: a, name: cart, namespace: shop, trustDomain: cluster.local, serviceAccount: cart, protocol: HBONE,
                           workloadIps: [127.0.0.1], clusterId: Kubernetes, node: n1, services: {}}
                        """));
        return new RunningZtunnel(
                directory, authority, environment, "500 not ready, pending: workload proxy manager\n");
    }

    private static Socket connect() throws IOException {
        var socket = new Socket(InetAddress.ofLiteral("127.0.0.1"), 15008);
        socket.setSoTimeout(60_000);
        return socket;
    }

    private static void awaitLimit(String label, int times) throws InterruptedException {
        var line = "culvert_hbone_limits_total{limit=\"" + label + "\"} " + times + "\n";
        while (!RunningZtunnel.get(15020, "/metrics").contains(line)) {
            TimeUnit.MILLISECONDS.sleep(20);
        }
    }

    @Test
    void whoNeverBeginsTlsIsClosed() throws Exception {
        try (var _ = start(Map.of("CULVERT_HANDSHAKE_TIMEOUT", "1s"));
                var silent = connect()) {
            assertThat(silent.getInputStream().read()).isEqualTo(-1);
            awaitLimit("handshake", 1);
        }
    }

    @Test
    void handshakesAtOnceAreBoundedAndTheNextPeerIsServed() throws Exception {
        var loops = new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
        List<Socket> silent = new ArrayList<>();
        try (var _ = start(Map.of("CULVERT_HANDSHAKE_TIMEOUT", "110s"));
                var peer = new HbonePeer(authority, loops.next(), SELF)) {
            for (var i = 0; i < MAX_HANDSHAKES; i++) {
                silent.add(connect());
            }
            try (var next = connect()) {
                assertThat(next.getInputStream().read()).isEqualTo(-1);
            }
            awaitLimit("handshakes", 1);
            silent.removeLast().close();
            awaitServed(peer);
        } finally {
            for (var socket : silent) {
                socket.close();
            }
            loops.shutdownGracefully(0, 1, TimeUnit.SECONDS).await();
        }
    }

    /// The end of the other socket may be heard a moment later.
    private static void awaitServed(HbonePeer peer) throws Exception {
        for (var served = false; !served; ) {
            served = peer.connect(15020).handle((_, failure) -> failure == null).get(60, TimeUnit.SECONDS);
        }
        assertThat(peer.ask(15020)).contains("HTTP/1.1 200 ");
    }

    @Test
    void whoKeepsATunnelWithoutStreamsIsToldToGo() throws Exception {
        var loops = new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
        try (var _ = start(Map.of("CULVERT_TUNNEL_IDLE", "1s"));
                var peer = new HbonePeer(authority, loops.next(), SELF)) {
            assertThat(peer.ask(15020)).contains("HTTP/1.1 200 ");
            awaitLimit("idle", 1);
            assertThat(peer.ask(15020)).contains("HTTP/1.1 200 "); // by a tunnel of its own
        } finally {
            loops.shutdownGracefully(0, 1, TimeUnit.SECONDS).await();
        }
    }
}
