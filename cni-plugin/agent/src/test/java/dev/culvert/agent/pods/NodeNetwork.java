package dev.culvert.agent.pods;

import dev.culvert.linux.netns.NetworkNamespace;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;

/// A node with two pods, behind its routing or on its bridge, and a host outside: four namespaces, both
/// IP families. The node masquerades everything and has a NodePort that leads to the first pod. All but
/// the node begin with a TTL of 255.
final class NodeNetwork {
    static final int NODE_PORT = 30080;
    static final int PROBED = 8080;

    private static final AtomicInteger COUNT = new AtomicInteger();

    /// How pods hang on their node.
    enum Kind {
        ROUTED,
        BRIDGED
    }

    private final String prefix = "n" + COUNT.incrementAndGet() + "-";
    private final Map<String, NetworkNamespace> namespaces = new LinkedHashMap<>();
    private final Process resident;

    /// @param bridgedFrames whether the rules for routed packets see them, too
    NodeNetwork(Kind kind, boolean bridgedFrames) throws Exception {
        for (var name : List.of("node", "pod", "neighbour", "outside")) {
            PodNetwork.run("ip", "netns", "add", prefix + name);
            namespaces.put(name, NetworkNamespace.open(Path.of("/run/netns", prefix + name)));
            in(name, "ip", "link", "set", "lo", "up");
        }
        for (var setting : List.of("ipv4/ip_forward", "ipv6/conf/all/forwarding")) {
            set("node", setting, "1");
        }
        if (kind == Kind.BRIDGED) {
            for (var family : List.of("iptables", "ip6tables")) {
                set("node", "bridge/bridge-nf-call-" + family, bridgedFrames ? "1" : "0");
            }
            in("node", "ip", "link", "add", "br0", "type", "bridge", "forward_delay", "0");
            in("node", "ip", "link", "set", "br0", "up");
            address("node", "198.18.64.1/24", "br0");
            address("node", "2001:2:0:40::1/64", "br0");
        }
        attach("pod", kind, "2");
        attach("neighbour", kind, "3");
        in("node", "ip", "link", "add", "out", "type", "veth", "peer", "eth0", "netns", prefix + "outside");
        up("outside", "out");
        address("node", "198.18.70.1/24", "out");
        address("node", "2001:2:0:46::1/64", "out");
        address("outside", "198.18.70.2/24", "eth0");
        address("outside", "2001:2:0:46::2/64", "eth0");
        in("outside", "ip", "route", "add", "default", "via", "198.18.70.1");
        in("outside", "ip", "-6", "route", "add", "default", "via", "2001:2:0:46::1");
        for (var name : List.of("pod", "neighbour", "outside")) {
            beginWith255(name);
        }
        in("node", "nft", """
                table inet kube-proxy {
                    chain prerouting {
                        type nat hook prerouting priority -100;
                        fib daddr type local tcp dport %1$d dnat ip to 198.18.64.2:%2$d
                        fib daddr type local tcp dport %1$d dnat ip6 to [2001:2:0:40::2]:%2$d
                    }
                    chain postrouting { type nat hook postrouting priority 100; masquerade; }
                }
                """.formatted(NODE_PORT, PROBED));
        resident = new ProcessBuilder(
                        "nsenter",
                        "--net=/run/netns/" + prefix + "node",
                        "sh",
                        "-c",
                        "echo inside; exec sleep infinity")
                .start();
        resident.inputReader().readLine();
    }

    private void attach(String name, Kind kind, String host) throws Exception {
        in("node", "ip", "link", "add", "to-" + host, "type", "veth", "peer", "eth0", "netns", prefix + name);
        up(name, "to-" + host);
        var v4 = "198.18.64." + host;
        var v6 = "2001:2:0:40::" + host;
        if (kind == Kind.BRIDGED) {
            in("node", "ip", "link", "set", "to-" + host, "master", "br0");
            address(name, v4 + "/24", "eth0");
            address(name, v6 + "/64", "eth0");
        } else {
            address("node", "198.18.64.1/32", "to-" + host);
            address("node", "2001:2:0:40::1/128", "to-" + host);
            in("node", "ip", "route", "add", v4, "dev", "to-" + host);
            in("node", "ip", "-6", "route", "add", v6, "dev", "to-" + host);
            address(name, v4 + "/32", "eth0");
            address(name, v6 + "/128", "eth0");
            in(name, "ip", "route", "add", "198.18.64.1", "dev", "eth0");
            in(name, "ip", "-6", "route", "add", "2001:2:0:40::1", "dev", "eth0");
        }
        in(name, "ip", "route", "add", "default", "via", "198.18.64.1");
        in(name, "ip", "-6", "route", "add", "default", "via", "2001:2:0:40::1");
    }

    private void up(String name, String device) throws Exception {
        in("node", "ip", "link", "set", device, "up");
        in(name, "ip", "link", "set", "eth0", "up");
    }

    private void address(String name, String address, String device) throws Exception {
        in(name, "ip", "addr", "add", address, "dev", device, "nodad");
    }

    /// What a namespace sends from now on.
    void beginWith255(String name) throws Exception {
        set(name, "ipv4/ip_default_ttl", "255");
        var devices = namespace(name).<List<Path>, Exception>call(() -> {
            try (var found = Files.list(Path.of("/proc/sys/net/ipv6/conf"))) {
                return found.toList();
            }
        });
        for (var device : devices) {
            set(name, "ipv6/conf/" + device.getFileName() + "/hop_limit", "255");
        }
    }

    private void set(String name, String setting, String value) throws Exception {
        namespace(name).<Path, Exception>call(() -> Files.writeString(Path.of("/proc/sys/net", setting), value));
    }

    NetworkNamespace namespace(String name) {
        return Objects.requireNonNull(namespaces.get(name));
    }

    /// As [NetworkNamespace#open] again, for somebody who closes it.
    NetworkNamespace opened(String name) throws Exception {
        return NetworkNamespace.open(Path.of("/run/netns", prefix + name));
    }

    /// The node's `/proc/PID/net`.
    Path net() {
        return Path.of("/proc", Long.toString(resident.pid()), "net");
    }

    String in(String name, String... command) throws Exception {
        var all = new ArrayList<>(List.of("nsenter", "--net=/run/netns/" + prefix + name));
        all.addAll(List.of(command));
        return PodNetwork.run(all.toArray(String[]::new));
    }

    /// Who answers.
    String ask(String from, String address, int port) throws Exception {
        try (var line = PodNetwork.connect(namespace(from), address, port)) {
            return line.read();
        }
    }

    void close() throws Exception {
        resident.destroyForcibly().waitFor();
        for (var entry : namespaces.entrySet()) {
            entry.getValue().close();
            PodNetwork.run("ip", "netns", "del", prefix + entry.getKey());
        }
    }
}
