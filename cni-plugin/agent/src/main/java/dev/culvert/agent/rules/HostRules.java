package dev.culvert.agent.rules;

import java.net.Inet4Address;
import java.util.Collection;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// The nftables rules of the node itself, by which the pods' rules know the kubelet's probes. Each text
/// is one transaction for `nft -f`, which replaces what it made before.
public final class HostRules {
    private static final String LINK_LOCAL = "istio-ambient-nat";
    private static final String DIRECT = "culvert-probes";

    /// @param protocol as `meta protocol` names it
    /// @param but what keeps its hops: neighbour discovery is not believed without its 255 (RFC 4861 section 6.1)
    private record Family(String name, String type, String protocol, String hops, String but, boolean v4) {}

    private static final List<Family> FAMILIES = List.of(
            new Family("ip", "ipv4_addr", "ip", "ip ttl", "", true),
            new Family("ip6", "ipv6_addr", "ip6", "ip6 hoplimit", "ip6 nexthdr != ipv6-icmp ", false));

    private HostRules() {}

    /// Istio's way. The node gives a link-local source address to connections of its own processes of
    /// the kubelet's user, and of no one else: what is routed through the node has no local socket, and
    /// so no user.
    public static String linkLocal(long user, Collection<Probes.Target> pods) {
        return none("inet")
                + """
                table inet %1$s {
                    set istio-inpod-probes-v4 { type ipv4_addr; %3$s }
                    set istio-inpod-probes-v6 { type ipv6_addr; %4$s }
                    chain postrouting {
                        type nat hook postrouting priority 100; policy accept;
                        meta l4proto tcp meta skuid %2$d ip daddr @istio-inpod-probes-v4 counter snat ip to %5$s comment "probes of the kubelet"
                        meta l4proto tcp meta skuid %2$d ip6 daddr @istio-inpod-probes-v6 counter snat ip6 to %6$s comment "probes of the kubelet"
                    }
                }
                """.formatted(
                                LINK_LOCAL,
                                user,
                                elements(addresses(pods, true)),
                                elements(addresses(pods, false)),
                                InPodRules.PROBE_V4,
                                InPodRules.PROBE_V6);
    }

    /// The kubelet's packets to declared probe ports get a TTL of 255; nobody else's to a captured pod
    /// keeps one.
    public static String direct(Kubelet kubelet, Collection<Probes.Target> pods) {
        var text = new StringBuilder(none("inet")).append(remade("inet"));
        for (var family : FAMILIES) {
            text.append(podsSet("inet", family, pods));
            text.append("add set inet %s probed-%s { type %s . inet_service; %s }\n"
                    .formatted(DIRECT, family.name, family.type, elements(probed(family, pods))));
        }
        text.append(chain("inet", "output", 300)).append(chain("inet", "forward", 300));
        for (var family : FAMILIES) {
            text.append(rule(
                    "inet output",
                    "%s daddr . tcp dport @probed-%s %s".formatted(family.name, family.name, match(kubelet)),
                    "%s set 255 accept".formatted(family.hops),
                    "the kubelet's probes"));
            text.append(lowered("inet output", family, "", "a process of the node that is not the kubelet"));
            text.append(lowered("inet forward", family, "", "routed: no longer 255 but by somebody's rule"));
        }
        return text.toString();
    }

    /// The same for what is bridged past the node's routing: a neighbour on a bridge. The kernel takes
    /// two priority tags (VLAN 0) off a frame at its end, but one only here; who stacks them wants to
    /// pass for something else.
    public static String bridged(Collection<Probes.Target> pods) {
        var text = new StringBuilder(remade("bridge"));
        FAMILIES.forEach(family -> text.append(podsSet("bridge", family, pods)));
        text.append(chain("bridge", "prerouting", -300));
        for (var family : FAMILIES) {
            text.append(lowered(
                    "bridge prerouting", family, "meta protocol " + family.protocol + " ", "a neighbour on a bridge"));
        }
        text.append(rule(
                "bridge prerouting",
                "meta protocol { 0x8100, 0x88a8 } @nh,4,12 0",
                "drop",
                "stacked priority tags hide what is inside"));
        return text.toString();
    }

    /// Removes all tables of a family, whether they are there or not.
    /// @param family `inet` or `bridge`
    public static String none(String family) {
        return Stream.of(LINK_LOCAL, DIRECT)
                .map(table -> "add table %1$s %2$s\ndelete table %1$s %2$s\n".formatted(family, table))
                .collect(Collectors.joining());
    }

    private static String remade(String family) {
        return "add table %1$s %2$s\ndelete table %1$s %2$s\nadd table %1$s %2$s\n".formatted(family, DIRECT);
    }

    private static String chain(String family, String hook, int priority) {
        return "add chain %s %s %s { type filter hook %s priority %d; policy accept; }\n"
                .formatted(family, DIRECT, hook, hook, priority);
    }

    private static String lowered(String where, Family family, String first, String why) {
        return rule(
                where,
                "%s%s%s daddr @pods-%s %s 255".formatted(first, family.but, family.name, family.name, family.hops),
                family.hops + " set 64",
                why);
    }

    /// @param where family and chain
    private static String rule(String where, String match, String action, String why) {
        var parts = where.split(" ", -1);
        return "add rule %s %s %s\n".formatted(parts[0], DIRECT, new Rule(parts[1], match, action, why).text());
    }

    private static String match(Kubelet kubelet) {
        return switch (kubelet) {
            // nft looks for control groups under /sys/fs/cgroup, where the agent's own may be
            case Kubelet.InControlGroup group ->
                "socket cgroupv2 level %d \"../../..%s\"".formatted(group.level(), group.folder());
            case Kubelet.OfUser(var user) -> "meta skuid " + user;
        };
    }

    private static String podsSet(String table, Family family, Collection<Probes.Target> pods) {
        return "add set %s %s pods-%s { type %s; %s }\n"
                .formatted(table, DIRECT, family.name, family.type, elements(addresses(pods, family.v4)));
    }

    private static Stream<String> addresses(Collection<Probes.Target> pods, boolean v4) {
        return each(pods, v4, _ -> Stream.of(""));
    }

    private static Stream<String> probed(Family family, Collection<Probes.Target> pods) {
        return each(pods, family.v4, pod -> pod.ports().stream().map(port -> " . " + port));
    }

    private static Stream<String> each(
            Collection<Probes.Target> pods, boolean v4, Function<Probes.Target, Stream<String>> suffixes) {
        return pods.stream()
                .flatMap(pod -> pod.addresses().stream()
                        .filter(address -> address instanceof Inet4Address == v4)
                        .flatMap(address -> suffixes.apply(pod).map(suffix -> address.getHostAddress() + suffix)));
    }

    private static String elements(Stream<String> elements) {
        var text = elements.distinct().sorted().collect(Collectors.joining(", "));
        return text.isEmpty() ? "" : "elements = { " + text + " };";
    }
}
