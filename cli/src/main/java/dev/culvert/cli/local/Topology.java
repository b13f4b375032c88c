package dev.culvert.cli.local;

import dev.culvert.cli.local.Addressing.Node;
import dev.culvert.cli.local.Addressing.Pair;
import dev.culvert.linux.netns.NetworkNamespace;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/// The network: a wire (a bridge at home), nodes on it, pods behind their node by routing. Both IP families
/// everywhere.
final class Topology {
    static final String CONTROL_PLANE = "control-plane";
    private static final String WIRE = "wire";

    private final List<String> namespaces = new ArrayList<>();
    private final List<Named> nodes = new ArrayList<>();
    private final List<String> wires = new ArrayList<>();
    private int devices;

    private record Named(String name, Node node) {}

    /// The wire and the control plane's namespace.
    void build() throws IOException {
        Commands.run("ip", "link", "add", WIRE, "type", "bridge", "stp_state", "0", "forward_delay", "0");
        Commands.run("ip", "link", "set", WIRE, "up");
        attachToWire(CONTROL_PLANE, 0, new Pair(Addressing.CONTROL_PLANE_V4, Addressing.CONTROL_PLANE_V6));
    }

    /// The device at home through which all frames of a node pass.
    static String wireOf(int node) {
        return WIRE + "-" + node;
    }

    void addNode(String name, Node node, Collection<Node> others) throws IOException {
        attachToWire(name, node.number(), node.wire());
        forward(name);
        routes(CONTROL_PLANE, node);
        for (var other : others) {
            routes(nameOf(other), node);
            routes(name, other);
        }
        nodes.add(new Named(name, node));
    }

    private String nameOf(Node node) {
        return nodes.stream()
                .filter(named -> named.node.equals(node))
                .findFirst()
                .orElseThrow()
                .name;
    }

    private static void routes(String from, Node to) throws IOException {
        Commands.ip(
                from,
                "-4",
                "route add " + to.podNet().v4() + " via " + to.wire().v4() + "\n");
        Commands.ip(
                from,
                "-6",
                "route add " + to.podNet().v6() + " via " + to.wire().v6() + "\n");
    }

    private void attachToWire(String namespace, int number, Pair address) throws IOException {
        addNamespace(namespace);
        var device = wireOf(number);
        Commands.run("ip", "link", "add", device, "type", "veth", "peer", "name", "wire0", "netns", namespace);
        wires.add(device);
        Commands.run("ip", "link", "set", device, "master", WIRE, "up");
        Commands.ip(namespace, "-4", "link set wire0 up\naddr add " + address.v4() + "/24 dev wire0\n");
        Commands.ip(namespace, "-6", "addr add " + address.v6() + "/64 dev wire0 nodad\n");
    }

    /// A pod's namespace (or ztunnel's own) behind its node.
    void addPod(String namespace, String nodeName, Node node, Pair address) throws IOException {
        addNamespace(namespace);
        var device = "pod" + devices++;
        var gateway = node.gateway();
        Commands.ip(
                nodeName,
                "-4",
                "link add %s type veth peer name eth0 netns %s\nlink set %s up\n"
                                .formatted(device, Commands.netns(namespace), device)
                        + "addr add %s/32 dev %s\n".formatted(gateway.v4(), device)
                        + "route add %s dev %s\n".formatted(address.v4(), device));
        Commands.ip(
                nodeName,
                "-6",
                "addr add %s/128 dev %s nodad\nroute add %s dev %s\n"
                        .formatted(gateway.v6(), device, address.v6(), device));
        Commands.ip(
                namespace,
                "-4",
                "link set eth0 up\naddr add %s/32 dev eth0\nroute add %s dev eth0\n"
                                .formatted(address.v4(), gateway.v4())
                        + "route add default via %s dev eth0\n".formatted(gateway.v4()));
        Commands.ip(
                namespace,
                "-6",
                "addr add %s/128 dev eth0 nodad\nroute add %s dev eth0\n".formatted(address.v6(), gateway.v6())
                        + "route add default via %s dev eth0\n".formatted(gateway.v6()));
    }

    private void addNamespace(String namespace) throws IOException {
        Commands.run("ip", "netns", "add", namespace);
        namespaces.add(namespace);
        Commands.ip(namespace, "-4", "link set lo up\n");
        write(namespace, "ipv6/conf/all/disable_ipv6", "0");
    }

    private static void forward(String namespace) throws IOException {
        write(namespace, "ipv4/ip_forward", "1");
        write(namespace, "ipv6/conf/all/forwarding", "1");
        write(namespace, "ipv4/conf/all/rp_filter", "0");
    }

    private static void write(String namespace, String setting, String value) throws IOException {
        try (var netns = NetworkNamespace.open(Commands.netns(namespace))) {
            netns.<Path, IOException>call(() -> Files.writeString(Path.of("/proc/sys/net", setting), value));
        }
    }

    void removeNamespace(String namespace) throws IOException {
        if (namespaces.remove(namespace)) {
            Commands.run("ip", "netns", "del", namespace);
        }
    }

    /// Everything.
    void remove() throws IOException {
        for (var device : wires) { // a namespace's own removal of its devices is not waited for by the kernel
            Commands.run("ip", "link", "del", device);
        }
        wires.clear();
        for (var namespace : List.copyOf(namespaces)) {
            removeNamespace(namespace);
        }
        Commands.run("ip", "link", "del", WIRE);
    }
}
