package dev.culvert.testkit.netns;

import dev.culvert.testkit.backend.Addressing;
import dev.culvert.testkit.backend.Backend;
import dev.culvert.testkit.backend.Place;
import dev.culvert.testkit.backend.Tap;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import java.io.IOException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;

/// Nodes and pods as network namespaces: a bridge at home is the wire, pods are behind their node by routing.
/// It needs a process with a network and mount namespace of its own, as the build's test JVM has.
public final class NetnsNetwork implements Backend {
    private static final String BRIDGE = "wire";
    private static final int LOOPS = 2;

    private final Map<String, Integer> nodes = new LinkedHashMap<>();
    private int pods;

    /// @throws IOException naming what is missing, and what to do
    public NetnsNetwork() throws IOException {
        try {
            Shell.run("ip link add " + BRIDGE + " type bridge stp_state 0 forward_delay 0; ip link set " + BRIDGE
                    + " up; mkdir -p /run/netns");
        } catch (IOException e) {
            throw new IOException(
                    "backend NETNS needs ip, nft, nsenter and CAP_NET_ADMIN in network and mount namespaces of its own:"
                            + " run the tests by ./mvnw (its test JVM is build/test-jdk/bin/java), or leave NETNS out of"
                            + " @MeshTest's backends. " + e.getMessage(),
                    e);
        }
    }

    private int number(String node) throws IOException {
        var number = nodes.get(node);
        if (number == null) {
            throw new IOException("no node " + node + ": there are " + nodes.keySet());
        }
        return number;
    }

    private static String device(int node) {
        return "wire-" + node;
    }

    @Override
    public EventLoopGroup loops(String node) {
        return new MultiThreadIoEventLoopGroup(LOOPS, EpollIoHandler.newFactory());
    }

    @Override
    public void addNode(String node) throws IOException {
        var number = nodes.size() + 1;
        Shell.run(
                "ip netns add %1$s; ip link add %2$s type veth peer name wire0 netns %1$s; ip link set %2$s master %3$s up"
                        .formatted(node, device(number), BRIDGE));
        Shell.inside(node, """
                echo 1 > /proc/sys/net/ipv4/ip_forward; echo 0 > /proc/sys/net/ipv6/conf/all/disable_ipv6
                echo 1 > /proc/sys/net/ipv6/conf/all/forwarding; echo 0 > /proc/sys/net/ipv4/conf/all/rp_filter
                echo 0 > /proc/sys/net/ipv6/conf/wire0/accept_dad
                ip link set lo up; ip link set wire0 up
                ip addr add %s/24 dev wire0; ip addr add %s/64 dev wire0 nodad
                """.formatted(Addressing.wire(number, true), Addressing.wire(number, false)));
        for (var other : nodes.entrySet()) {
            Shell.inside(node, routes(other.getValue()));
            Shell.inside(other.getKey(), routes(number));
        }
        nodes.put(node, number);
    }

    private static String routes(int to) {
        return "ip route replace %s via %s; ip -6 route replace %s via %s"
                .formatted(
                        Addressing.podNet(to, true),
                        Addressing.wire(to, true),
                        Addressing.podNet(to, false),
                        Addressing.wire(to, false));
    }

    private static String noRoutes(int to) {
        return "ip route replace blackhole %s; ip -6 route del %s; ip -6 route add blackhole %s"
                .formatted(Addressing.podNet(to, true), Addressing.podNet(to, false), Addressing.podNet(to, false));
    }

    @Override
    public Place addPod(String node, String pod, List<InetAddress> addresses) throws IOException {
        var number = number(node);
        var device = "pod" + pods++;
        Shell.run("ip netns add %s; nsenter --net=%s ip link add %s type veth peer name eth0 netns %s"
                .formatted(pod, Shell.netns(node), device, pod));
        var outside = new StringBuilder("""
                echo 0 > /proc/sys/net/ipv6/conf/%1$s/accept_dad
                ip link set %1$s up
                """.formatted(device));
        var inside = new StringBuilder("""
                echo 0 > /proc/sys/net/ipv6/conf/all/disable_ipv6
                echo 0 > /proc/sys/net/ipv6/conf/eth0/accept_dad
                ip link set lo up; ip link set eth0 up
                """);
        for (var address : addresses) {
            var v4 = address instanceof Inet4Address;
            var ip = v4 ? "ip " : "ip -6 ";
            var host = v4 ? "/32 dev " : "/128 dev ";
            var gateway = Addressing.gateway(number, v4);
            var text = address.getHostAddress();
            var flags = v4 ? "\n" : " nodad\n";
            outside.append(ip + "addr add " + gateway + host + device + flags);
            outside.append(ip + "route add " + text + " dev " + device + "\n");
            inside.append(ip + "addr add " + text + host + "eth0" + flags);
            inside.append(ip + "route add " + gateway + " dev eth0\n");
            inside.append(ip + "route add default via " + gateway + " dev eth0\n");
        }
        Shell.inside(node, outside.toString());
        Shell.inside(pod, inside.toString());
        return new NetnsPlace(pod);
    }

    @Override
    public Tap tap(String a, String b) throws IOException {
        number(b);
        return NetnsTap.open(device(number(a)));
    }

    @Override
    public void partition(String a, String b) throws IOException {
        Shell.inside(a, noRoutes(number(b)));
        Shell.inside(b, noRoutes(number(a)));
    }

    @Override
    public void heal(String a, String b) throws IOException {
        for (var node : List.of(a, b)) {
            Shell.inside(
                    node,
                    "ip -6 route del blackhole " + Addressing.podNet(number(node.equals(a) ? b : a), false)
                            + " 2>/dev/null || :\n"
                            + routes(number(node.equals(a) ? b : a))
                            + "\ntc qdisc del dev wire0 root 2>/dev/null || :");
        }
    }

    /// @throws IOException if the kernel cannot
    @Override
    public void delay(String a, String b, Duration oneWay) throws IOException {
        for (var node : List.of(a, b)) {
            number(node);
            try {
                Shell.inside(node, "tc qdisc replace dev wire0 root netem delay " + oneWay.toMillis() + "ms");
            } catch (IOException e) {
                throw new IOException(
                        "delay on NETNS needs the kernel's sch_netem (modprobe sch_netem); IN_PROCESS has delay"
                                + " anywhere. "
                                + e.getMessage(),
                        e);
            }
        }
    }

    /// Real time passes.
    @Override
    public void advance(Duration time) {
        var end = System.nanoTime() + time.toNanos();
        for (var left = time.toNanos(); left > 0; left = end - System.nanoTime()) {
            LockSupport.parkNanos(left);
        }
    }

    @Override
    public void close() throws IOException {
        for (var number : nodes.values()) { // a namespace's own removal of its devices is not waited for by the kernel
            Shell.run("ip link del " + device(number));
        }
        for (var node : nodes.keySet()) {
            Shell.run("ip netns del " + node);
        }
        Shell.run("ip link del " + BRIDGE);
        var left = Shell.run("ip netns list; ip -o link | grep -v ' lo: ' || :").strip();
        if (!left.isEmpty()) {
            throw new IOException("network namespaces or devices are left: " + left);
        }
    }
}
