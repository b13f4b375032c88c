package dev.culvert.agent.rules;

import dev.culvert.kube.object.Exclusions;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// The nftables rules inside a pod: the three tables of Istio's native nftables mode, both IP families in
/// one, except that only the first packet of a new connection is redirected. What was open before enrolment
/// keeps its path. Each text is one transaction for `nft -f`, so that a replacement opens no gap, and
/// applying it again changes nothing. The three tables must be there: no text but [#made] makes them.
public final class InPodRules {
    static final String NAT = "istio-ambient-nat";
    static final String MANGLE = "istio-ambient-mangle";
    static final String RAW = "istio-ambient-raw";
    static final String FENCE = "culvert-fence";

    /// All that a capture may use.
    public static final List<String> TABLES = List.of(MANGLE, NAT, RAW);

    private static final String PREROUTING = "istio-prerouting";
    private static final String OUTPUT = "istio-output";

    static final String PROBE_V4 = "169.254.7.127";
    static final String PROBE_V6 = "fd16:9254:7127:1337:ffff:ffff:ffff:ffff";
    private static final String NEW = "tcp flags & (fin|syn|rst|ack) == syn";
    private static final String NOT_PROXY = "meta mark & 0xfff != 0x539";
    private static final List<Family> FAMILIES = List.of(
            new Family("ip", "ipv4_addr", "127.0.0.1", PROBE_V4, "ip ttl"),
            new Family("ip6", "ipv6_addr", "::1", PROBE_V6, "ip6 hoplimit"));

    /// Connections that were open when connection tracking began, one set a family: what it calls
    /// invalid of these is theirs all the same, when the first packet that it sees is a FIN or RST.
    private static final String BEFORE = "culvert-before-";

    /// Has the protocol of connections that the proxy opens to the app by a zone of their own. Only where they
    /// did from the beginning: an open connection is not found under another zone.
    private static final String ZONED = "culvert-zoned";

    private static final String ZONES = "culvert-zones";

    private InPodRules() {}

    /// One end of a TCP connection of the pod.
    public record Open(InetSocketAddress local, InetSocketAddress remote) {}

    /// @param probe the address that the node gives to the kubelet's probes, if it does
    /// @param hops how many routers a packet may still pass
    private record Family(String name, String type, String loopback, String probe, String hops) {
        boolean has(InetAddress address) {
            return address instanceof Inet4Address == name.equals("ip");
        }
    }

    /// What stands before the other texts where tables may be missing.
    public static String made(Collection<String> tables) {
        return tables.stream().map("add table inet %s\n"::formatted).collect(Collectors.joining());
    }

    /// The tables with rules of a capture; those of one that is released are the same, without name lookups.
    public static List<String> tables(Capture capture) {
        return capture.dns() ? TABLES : List.of(NAT, MANGLE);
    }

    /// Begins connection tracking. Fails where the chain is there already: then it has begun before.
    public static String tracking() {
        return """
                create chain inet %1$s %3$s
                %2$sadd rule inet %1$s %3$s ct state invalid counter
                """.formatted(MANGLE, begun(), OUTPUT);
    }

    /// What a tracking that has no earlier connections needs, beside the chains of [#enrolled].
    public static String begun() {
        return sets() + "add element inet %s %s { tcp }\n".formatted(MANGLE, ZONED);
    }

    private static String sets() {
        var text = new StringBuilder("add set inet %s %s { type inet_proto; }\n".formatted(MANGLE, ZONED));
        for (var family : FAMILIES) {
            text.append("add set inet %s %s%s { type %s . inet_service . %s . inet_service; }\n"
                    .formatted(MANGLE, BEFORE, family.name, family.type, family.type));
        }
        return text.toString();
    }

    /// Names what was open before [#tracking].
    public static String before(Collection<Open> connections) {
        var text = new StringBuilder();
        for (var family : FAMILIES) {
            var elements = connections.stream()
                    .filter(one -> family.has(one.local.getAddress()))
                    .map(one -> "%s . %d . %s . %d"
                            .formatted(
                                    one.local.getAddress().getHostAddress(),
                                    one.local.getPort(),
                                    one.remote.getAddress().getHostAddress(),
                                    one.remote.getPort()))
                    .distinct()
                    .collect(Collectors.joining(", "));
            if (!elements.isEmpty()) {
                text.append("add element inet %s %s%s { %s }\n".formatted(MANGLE, BEFORE, family.name, elements));
            }
        }
        return text.toString();
    }

    /// Captures new connections.
    public static String enrolled(Capture capture) {
        var nat = new ArrayList<Rule>();
        nat.addAll(natPrerouting(capture));
        nat.addAll(natOutput(capture));
        return tables(nat, mangle(), capture.dns() ? raw() : List.of());
    }

    /// Captures nothing new, and keeps what captured connections need until they end: the NAT chains (without
    /// a chain the kernel stops translating open connections) and the marks that lead replies back to the
    /// proxy.
    public static String releasing() {
        return tables(List.of(), mangle(), List.of());
    }

    /// Drops every packet of both IP families, in, out and through, `lo` included: for a pod in which nothing
    /// runs yet. Its hooks come before all of ours and before connection tracking, so no state is left
    /// behind.
    public static String fence() {
        var text = new StringBuilder(made(List.of(FENCE))).append("flush table inet %s\n".formatted(FENCE));
        for (var hook : List.of("prerouting", "output")) {
            text.append("add chain inet %s %s { type filter hook %s priority -400; policy drop; }\n"
                    .formatted(FENCE, hook, hook));
        }
        return text.toString();
    }

    /// Lifts the fence, whether it is there or not.
    public static String unfenced() {
        return made(List.of(FENCE)) + deleted(FENCE);
    }

    /// Removes all tables, the fence whether it is there or not.
    public static String deletion() {
        return deleted(NAT) + deleted(MANGLE) + deleted(RAW) + unfenced();
    }

    private static List<Rule> natPrerouting(Capture capture) {
        if (!capture.inbound()) {
            return List.of();
        }
        var rules = new ArrayList<>(probes(capture.probes()));
        var ports = capture.exclusions().inboundPorts();
        if (!ports.isEmpty()) {
            rules.add(excluded(
                    PREROUTING, "tcp dport { %s }".formatted(list(ports.stream().map(String::valueOf)))));
        }
        for (var family : FAMILIES) {
            var match =
                    "%s daddr != %s tcp dport != 15008 %s %s".formatted(family.name, family.loopback, NOT_PROXY, NEW);
            rules.add(new Rule(
                    PREROUTING,
                    match,
                    "redirect to :15006",
                    "new inbound connections in clear; HBONE and the proxy's own calls pass"));
        }
        return rules;
    }

    private static List<Rule> probes(Probes probes) {
        return switch (probes) {
            case Probes.Proxied() -> List.of();
            case Probes.LinkLocal() ->
                FAMILIES.stream()
                        .map(family -> new Rule(
                                PREROUTING,
                                "meta l4proto tcp %s saddr %s".formatted(family.name, family.probe),
                                "accept",
                                "probes of the kubelet bypass the proxy"))
                        .toList();
            case Probes.Direct(var ports, var node) ->
                FAMILIES.stream()
                        .filter(family -> !ports.isEmpty() && node.stream().anyMatch(family::has))
                        .map(family -> new Rule(
                                PREROUTING,
                                "%s saddr { %s } %s 255 tcp dport { %s } %s"
                                        .formatted(
                                                family.name,
                                                list(node.stream()
                                                        .filter(family::has)
                                                        .map(InetAddress::getHostAddress)),
                                                family.hops,
                                                list(ports.stream().map(String::valueOf)),
                                                NEW),
                                "accept",
                                "the kubelet's probes: only the node's own, to declared ports, with 255"))
                        .toList();
        };
    }

    private static String list(Stream<String> elements) {
        return elements.sorted().collect(Collectors.joining(", "));
    }

    private static List<Rule> natOutput(Capture capture) {
        var rules = new ArrayList<Rule>();
        if (capture.probes() instanceof Probes.LinkLocal) {
            for (var family : FAMILIES) {
                rules.add(new Rule(
                        OUTPUT,
                        "meta l4proto tcp %s daddr %s".formatted(family.name, family.probe),
                        "accept",
                        "replies to probes of the kubelet"));
            }
        }
        if (capture.dns()) {
            rules.addAll(dns());
        }
        rules.add(new Rule(
                OUTPUT,
                "meta l4proto tcp meta mark & 0xfff == 0x111",
                "accept",
                "replies to the proxy, which spoofs the peer's address"));
        for (var family : FAMILIES) {
            rules.add(new Rule(
                    OUTPUT,
                    "oifname \"lo\" %s daddr != %s".formatted(family.name, family.loopback),
                    "accept",
                    "the pod to itself"));
        }
        rules.addAll(excludedOutbound(capture.exclusions()));
        for (var family : FAMILIES) {
            rules.add(new Rule(
                    OUTPUT,
                    "%s daddr != %s %s %s".formatted(family.name, family.loopback, NOT_PROXY, NEW),
                    "redirect to :15001",
                    "new outbound connections"));
        }
        return rules;
    }

    private static List<Rule> excludedOutbound(Exclusions exclusions) {
        var rules = new ArrayList<Rule>();
        var ports = exclusions.outboundPorts();
        if (!ports.isEmpty()) {
            rules.add(excluded(
                    OUTPUT, "tcp dport { %s }".formatted(list(ports.stream().map(String::valueOf)))));
        }
        for (var block : exclusions.outboundBlocks()) {
            for (var family : FAMILIES) {
                if (family.has(block.address())) {
                    var address = block.address().getHostAddress();
                    rules.add(excluded(
                            OUTPUT, "%s daddr %s/%d meta l4proto tcp".formatted(family.name, address, block.length())));
                }
            }
        }
        return rules;
    }

    private static Rule excluded(String chain, String match) {
        return new Rule(chain, match, "accept", "excluded by an annotation of the pod");
    }

    private static List<Rule> dns() {
        var rules = new ArrayList<Rule>();
        rules.add(new Rule(
                OUTPUT,
                "oifname != \"lo\" %s udp dport 53".formatted(NOT_PROXY),
                "redirect to :15053",
                "name lookups by UDP"));
        for (var family : FAMILIES) {
            rules.add(new Rule(
                    OUTPUT,
                    "%s daddr != %s tcp dport 53 %s %s".formatted(family.name, family.loopback, NOT_PROXY, NEW),
                    "redirect to :15053",
                    "name lookups by TCP"));
        }
        return rules;
    }

    private static List<Rule> mangle() {
        var rules = new ArrayList<Rule>();
        rules.add(new Rule(
                PREROUTING,
                "meta mark & 0xfff == 0x539",
                "ct mark set ct mark & 0xfffff000 | 0x111",
                "remember connections that the proxy opened to the app"));
        for (var family : FAMILIES) {
            rules.add(new Rule(
                    OUTPUT,
                    "ct state invalid %1$s saddr . tcp sport . %1$s daddr . tcp dport @%2$s%1$s"
                            .formatted(family.name, BEFORE),
                    "accept",
                    "the end of a connection that was open before the capture"));
        }
        rules.add(new Rule(
                OUTPUT,
                "ct state invalid meta l4proto tcp",
                "drop",
                "a reply without its connection would lose its mark and leave in clear"));
        rules.add(new Rule(
                OUTPUT,
                "ct mark & 0xfff == 0x111",
                "meta mark set ct mark",
                "their replies are routed back to the proxy over lo"));
        return rules;
    }

    private static List<Rule> raw() {
        return List.of(
                new Rule(
                        PREROUTING,
                        "udp sport 53 %s".formatted(NOT_PROXY),
                        "ct zone set 1",
                        "answers to the proxy's own lookups do not collide with the app's"),
                new Rule(
                        OUTPUT,
                        "udp dport 53 meta mark & 0xfff == 0x539",
                        "ct zone set 1",
                        "the proxy's own lookups do not collide with the app's"));
    }

    private static String tables(List<Rule> nat, List<Rule> mangle, List<Rule> raw) {
        return table(NAT, nat, "nat", "nat", -100)
                + sets()
                + table(MANGLE, mangle, "filter", "route", -150)
                + zones()
                + (raw.isEmpty() ? deleted(RAW) : table(RAW, raw, "filter", "filter", -300));
    }

    /// What the proxy opens to the app has the peer's address and a port of the kernel's choice: by chance that of
    /// an open connection of the peer itself to the same port, in clear, whose translation it would take away.
    private static String zones() {
        var rule = new Rule(
                ZONES,
                "oifname \"lo\" meta mark & 0xfff == 0x539 meta l4proto @" + ZONED,
                "ct original zone set 2",
                "the proxy's connections to the app do not collide with the peer's own");
        return "add chain inet %1$s %2$s { type filter hook output priority -300; policy accept; }\nadd rule inet %1$s %3$s\n"
                .formatted(MANGLE, ZONES, rule.text());
    }

    private static String deleted(String table) {
        return "delete table inet %s\n".formatted(table);
    }

    /// @param outputType of the mangle table must be `route`, or a new mark does not route anew
    private static String table(String name, List<Rule> rules, String preroutingType, String outputType, int priority) {
        var text = new StringBuilder();
        text.append("flush table inet %s\n".formatted(name));
        for (var chain : List.of(PREROUTING, OUTPUT)) {
            text.append("add chain inet %s %s\n".formatted(name, chain));
        }
        text.append(baseChain(name, "prerouting", preroutingType, priority, PREROUTING));
        text.append(baseChain(name, "output", outputType, priority, OUTPUT));
        for (var rule : rules) {
            text.append("add rule inet %s %s\n".formatted(name, rule.text()));
        }
        return text.toString();
    }

    private static String baseChain(String table, String hook, String type, int priority, String chain) {
        return "add chain inet %s %s { type %s hook %s priority %s; policy accept; }\nadd rule inet %s %s jump %s\n"
                .formatted(table, hook, type, hook, priority, table, hook, chain);
    }
}
