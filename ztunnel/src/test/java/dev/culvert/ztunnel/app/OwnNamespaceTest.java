package dev.culvert.ztunnel.app;

import static org.assertj.core.api.Assertions.assertThat;

import dev.culvert.hbone.failure.ProxyException;
import dev.culvert.mesh.model.identity.SpiffeId;
import dev.culvert.proxy.ca.TestAuthority;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// What ztunnel serves in the network namespace that it runs in: in dedicated mode its one workload, in shared mode
/// its own metrics. The test's process has a network of its own.
@Timeout(240)
class OwnNamespaceTest {
    private static final String MESH = """
            workloads:
            - {uid: Kubernetes//Pod/shop/cart, name: cart, namespace: shop, trustDomain: cluster.local, serviceAccount: cart, protocol: HBONE,
               workloadIps: [127.0.0.1], clusterId: Kubernetes, node: n1, services: {shop/cart.shop.svc.cluster.local: {9999: 8080}}}
            services:
            - {name: cart, namespace: shop, hostname: cart.shop.svc.cluster.local, vips: [/198.18.4.20], ports: {9999: 8080}}
            """;
    private static final SpiffeId CART = new SpiffeId("cluster.local", "shop", "cart");

    @TempDir
    Path directory;

    private static void run(String command) throws IOException, InterruptedException {
        var process = new ProcessBuilder("sh", "-ec", command)
                .redirectErrorStream(true)
                .start();
        var said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as("%s: %s", command, said).isZero();
    }

    @Test
    void dedicatedModeServesItsOneWorkloadBothWays() throws Exception {
        run("ip route add 198.18.4.0/24 dev lo src 127.0.0.1; nft add table ip test;"
                + " nft 'add chain ip test output { type nat hook output priority -100; }';"
                + " nft add rule ip test output tcp dport 9999 redirect to :15001");
        try (var proxy = new RunningZtunnel(
                        directory,
                        new TestAuthority(),
                        Map.of(
                                "PROXY_MODE", "dedicated",
                                "PROXY_WORKLOAD_INFO", "shop/cart/cart",
                                "LOCAL_XDS", MESH,
                                "NODE_NAME", "n1"),
                        "200 ready\n");
                var server = new ServerSocket(8080, 10, InetAddress.ofLiteral("127.0.0.1"));
                var client = new Socket("198.18.4.20", 9999)) {
            client.setSoTimeout(20_000);
            server.setSoTimeout(20_000);
            client.getOutputStream().write("hello".getBytes(StandardCharsets.UTF_8));
            try (var accepted = server.accept()) {
                assertThat(accepted.getInputStream().readNBytes(5)).asString().isEqualTo("hello");
                accepted.getOutputStream().write("world".getBytes(StandardCharsets.UTF_8));
                assertThat(client.getInputStream().readNBytes(5)).asString().isEqualTo("world");
            }
            client.shutdownOutput();
            proxy.awaitLog("direction=\"outbound\"", "src.identity=\"" + CART + "\"", "dst.hbone_addr=127.0.0.1:8080");
        } finally {
            run("nft delete table ip test; ip route del 198.18.4.0/24 dev lo");
        }
    }

    /// Only the metrics, only to who has a certificate.
    @Test
    void theMeshScrapesTheProxyItselfAndReachesNothingElse() throws Exception {
        var authority = new TestAuthority();
        var loops = new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
        try (var proxy = new RunningZtunnel(
                        directory,
                        authority,
                        Map.of(
                                "POD_NAME", "cart",
                                "POD_NAMESPACE", "shop",
                                "SERVICE_ACCOUNT", "cart",
                                "LOCAL_XDS", MESH,
                                "NODE_NAME", "n1"),
                        "500 not ready, pending: workload proxy manager\n");
                var peer = new HbonePeer(authority, loops.next(), CART)) {
            assertThat(peer.ask(15020)).contains("HTTP/1.1 200 ", "istio_build{component=\"ztunnel\"");
            assertThat(peer.connect(15000)).completesExceptionallyWithin(60, TimeUnit.SECONDS);
            assertThat(peer.connect(15000)
                            .handle((_, failure) -> ProxyException.of(failure).text())
                            .get())
                    .contains("400 Bad Request");
            proxy.awaitLog("metrics are served by HBONE as shop/cart", "port 15000 is not served here");
        } finally {
            loops.shutdownGracefully(0, 1, TimeUnit.SECONDS).await();
        }
    }
}
