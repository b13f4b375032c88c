package dev.culvert.ztunnel.app;

import dev.culvert.hbone.codec.H2Limits;
import dev.culvert.hbone.pool.PoolLimits;
import dev.culvert.linux.netns.NetworkNamespace;
import dev.culvert.mesh.model.state.Change;
import dev.culvert.mesh.model.workload.Locality;
import dev.culvert.mesh.model.workload.Workload;
import dev.culvert.proxy.ca.CertificateStore;
import dev.culvert.proxy.mesh.MeshState;
import dev.culvert.proxy.telemetry.ConnectionMetrics;
import dev.culvert.ztunnel.inpod.Node;
import dev.culvert.ztunnel.inpod.NodeSettings;
import dev.culvert.ztunnel.inpod.Pod;
import dev.culvert.ztunnel.inpod.PodId;
import dev.culvert.ztunnel.inpod.PodSockets;
import dev.culvert.ztunnel.inpod.SocketSettings;
import dev.culvert.ztunnel.relay.Worker;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/// Two pods in network namespaces of their own, joined by a wire, captured by one data path of ours.
final class TwoPods implements AutoCloseable {
    static final InetAddress CLIENT_V4 = InetAddress.ofLiteral("198.18.1.1");
    static final InetAddress SERVER_V4 = InetAddress.ofLiteral("198.18.1.2");
    static final InetAddress CLIENT_V6 = InetAddress.ofLiteral("2001:2::1");
    static final InetAddress SERVER_V6 = InetAddress.ofLiteral("2001:2::2");

    private static final String RULES = """
            add table inet capture
            add chain inet capture c-mark { type filter hook prerouting priority -150; }
            add chain inet capture c-route { type route hook output priority -150; }
            add chain inet capture c-pre { type nat hook prerouting priority -100; }
            add chain inet capture c-out { type nat hook output priority -100; }
            add rule inet capture c-mark meta mark & 0xfff == 0x539 ct mark set 0x111
            add rule inet capture c-route ct mark & 0xfff == 0x111 meta mark set ct mark
            add rule inet capture c-pre meta l4proto tcp meta mark & 0xfff != 0x539 tcp dport != 15008 redirect to :15006
            add rule inet capture c-out meta mark & 0xfff == 0x111 accept
            add rule inet capture c-out oifname "lo" accept
            add rule inet capture c-out meta l4proto tcp meta mark & 0xfff != 0x539 redirect to :15001
            """;

    private final EventLoopGroup loops = new MultiThreadIoEventLoopGroup(2, EpollIoHandler.newFactory());
    private final List<ServingPod> served = new ArrayList<>();
    private final CertificateStore certificates;
    final MeshState mesh = new MeshState();
    final SimpleMeterRegistry metrics = new SimpleMeterRegistry();
    final List<Worker> workers = new ArrayList<>();
    final NetworkNamespace client;
    final NetworkNamespace server;

    TwoPods() throws IOException {
        makeNamespaces();
        client = NetworkNamespace.open(Path.of("/run/netns/client"));
        server = NetworkNamespace.open(Path.of("/run/netns/server"));
        loops.forEach(loop -> workers.add(new Worker((EventLoop) loop, PoolLimits.DEFAULTS, 8L << 20)));
        certificates = new CertificateStore(new TestAuthority(), null, Clock.systemUTC());
        mesh.apply(List.of(
                new Change.PutWorkload(workload("client", CLIENT_V4, CLIENT_V6)),
                new Change.PutWorkload(workload("server", SERVER_V4, SERVER_V6))));
        var settings =
                new NodeSettings("", "", true, true, Duration.ofSeconds(5), Duration.ofSeconds(10), H2Limits.DEFAULTS);
        var node = new Node(mesh, certificates, new ConnectionMetrics(metrics), loops, workers, settings);
        serve(node, "client");
        serve(node, "server");
    }

    private static void makeNamespaces() throws IOException {
        shell("""
                ip netns add client; ip netns add server
                ip link add name veth-c netns client type veth peer name veth-s netns server
                """);
        for (var pod : List.of("client", "server")) {
            var device = pod.equals("client") ? "veth-c" : "veth-s";
            var last = pod.equals("client") ? "1" : "2";
            inside(pod, """
                    ip link set lo up; ip link set %1$s up
                    ip addr add 198.18.1.%2$s/24 dev %1$s; ip addr add 2001:2::%2$s/64 dev %1$s nodad
                    ip rule add fwmark 0x111/0xfff lookup 100; ip -6 rule add fwmark 0x111/0xfff lookup 100
                    ip route add local default dev lo table 100; ip -6 route add local default dev lo table 100
                    """.formatted(device, last));
            inside(pod, "nft -f - <<'END'\n" + RULES + "END\n");
        }
    }

    static void inside(String pod, String script) throws IOException {
        shell("nsenter --net=/run/netns/" + pod + " sh -e <<'SCRIPT'\n" + script + "SCRIPT\n");
    }

    static void shell(String script) throws IOException {
        var process = new ProcessBuilder("sh", "-e", "-c", script)
                .redirectErrorStream(true)
                .start();
        var output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.onExit().join().exitValue() != 0) {
            throw new IOException(script + "\n" + output);
        }
    }

    static Workload workload(String name, InetAddress... addresses) {
        return new Workload(
                "test//Pod/default/" + name,
                new Workload.Place("", "test", "", Locality.UNKNOWN, false),
                new Workload.Names(name, "default", "cluster.local", name, name, "", name, "pod"),
                List.of(addresses),
                Workload.Tunnel.HBONE,
                List.of(),
                true,
                "",
                Map.of(),
                1);
    }

    private void serve(Node node, String name) throws IOException {
        var sockets = new PodSockets(
                NetworkNamespace.open(Path.of("/run/netns/" + name)),
                new SocketSettings(1337, true, true, Duration.ofSeconds(10), SocketSettings.Keepalive.DEFAULT));
        var pod = new ServingPod(new Pod(new PodId(name, "default", name, name), sockets, node));
        pod.start();
        served.add(pod);
    }

    /// A socket of the client pod's application, connected.
    SocketChannel connect(InetSocketAddress to) throws IOException {
        var channel = client.<SocketChannel, IOException>call(SocketChannel::open);
        channel.connect(to);
        return channel;
    }

    /// A listening socket of the server pod's application.
    ServerSocketChannel listen(InetAddress ip) throws IOException {
        var channel = server.<ServerSocketChannel, IOException>call(ServerSocketChannel::open);
        channel.bind(new InetSocketAddress(ip, 0));
        return channel;
    }

    /// Connections alive in the data path, both sides counted.
    int live() {
        return workers.stream()
                .mapToInt(worker -> worker.describe().join().size())
                .sum();
    }

    /// Waits until nothing is alive any more.
    void awaitIdle() throws InterruptedException {
        var deadline = System.nanoTime() + Duration.ofSeconds(10).toNanos();
        while (live() > 0) {
            if (System.nanoTime() > deadline) {
                throw new AssertionError("still alive after 10 s: "
                        + workers.stream()
                                .map(worker -> worker.describe().join())
                                .toList());
            }
            TimeUnit.MILLISECONDS.sleep(5);
        }
    }

    @Override
    public void close() throws IOException {
        served.forEach(ServingPod::stop);
        loops.shutdownGracefully(0, 2, TimeUnit.SECONDS).syncUninterruptibly();
        certificates.close();
        client.close();
        server.close();
        shell("ip netns del client; ip netns del server");
    }
}
