package dev.culvert.agent.rules;

import dev.culvert.agent.rules.InPodRules.Open;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// The same rules as [InPodRules] in the language of iptables, for pods on nodes without nftables:
/// Istio's chains, one IP family at a time. Each text is the input of `iptables-restore --noflush`,
/// which changes one table after the other, each at once.
public final class IptablesRules {
    private static final String PREROUTING = "ISTIO_PRERT";
    private static final String OUTPUT = "ISTIO_OUTPUT";
    private static final String BEFORE = "CULVERT_BEFORE";
    /// There and empty where [InPodRules] has its set of the name.
    private static final String ZONED = "CULVERT_ZONED";

    private static final String FENCE = "CULVERT_FENCE";
    private static final String PROBE = "CULVERT_PROBE";
    private static final String OURS = "-m mark --mark 0x539/0xfff";
    private static final String NOT_PROXY = "-m mark ! --mark 0x539/0xfff";
    /// As many ports as one match takes.
    private static final int PORTS = 15;

    /// One of the two.
    public enum Family {
        V4("iptables", "127.0.0.1/32", InPodRules.PROBE_V4, "ttl --ttl-eq", "TTL --ttl-set"),
        V6("ip6tables", "::1/128", InPodRules.PROBE_V6, "hl --hl-eq", "HL --hl-set");

        private final String program;
        private final String loopback;
        private final String probe;
        final String hops;
        final String setHops;

        Family(String program, String loopback, String probe, String hops, String setHops) {
            this.program = program;
            this.loopback = loopback;
            this.probe = probe;
            this.hops = hops;
            this.setHops = setHops;
        }

        public String program() {
            return program;
        }

        boolean has(InetAddress address) {
            return address instanceof Inet4Address == (this == V4);
        }
    }

    private IptablesRules() {}

    /// Whether connection tracking has begun by [#tracking].
    public static boolean tracks(IptablesSaved saved) {
        return saved.hasChain("mangle", BEFORE);
    }

    /// Begins connection tracking.
    public static String tracking() {
        return "*mangle\n:%1$s - [0:0]\n:%2$s - [0:0]\n-A OUTPUT -m conntrack --ctstate INVALID -j %1$s\nCOMMIT\n"
                .formatted(BEFORE, ZONED);
    }

    /// Names what was open before [#tracking].
    public static String before(Family family, Collection<Open> connections) {
        var rules = connections.stream()
                .filter(one -> family.has(one.local().getAddress()))
                .map(one -> "-A %s -p tcp -s %s --sport %d -d %s --dport %d -j ACCEPT\n"
                        .formatted(
                                BEFORE,
                                host(one.local()),
                                one.local().getPort(),
                                host(one.remote()),
                                one.remote().getPort()))
                .distinct()
                .collect(Collectors.joining());
        return "*mangle\n" + rules + "COMMIT\n";
    }

    private static String host(InetSocketAddress address) {
        return address.getAddress().getHostAddress();
    }

    /// Captures new connections.
    /// @param saved what is there
    public static String enrolled(Family family, Capture capture, IptablesSaved saved) {
        return mangle(saved) + raw(capture.dns(), saved) + nat(family, capture, saved);
    }

    /// As [InPodRules#releasing].
    public static String releasing(IptablesSaved saved) {
        return mangle(saved) + table("nat", List.of(), saved) + raw(false, saved);
    }

    /// Removes everything of ours.
    public static String deletion(IptablesSaved saved) {
        return Stream.of("mangle", "nat", "raw")
                .map(table -> removed(table, saved))
                .collect(Collectors.joining());
    }

    /// As [InPodRules#fence].
    public static String fence(IptablesSaved saved) {
        var text = new StringBuilder("*raw\n:%1$s - [0:0]\n-A %1$s -j DROP\n".formatted(FENCE));
        jumps(text, "raw", FENCE, FENCE, saved);
        return text + "COMMIT\n";
    }

    /// Lifts the fence, whether it is there or not.
    public static String unfenced(IptablesSaved saved) {
        var text = new StringBuilder("*raw\n");
        unhook(text, "raw", Set.of(FENCE), saved);
        return text + "COMMIT\n";
    }

    private static String mangle(IptablesSaved saved) {
        return table(
                "mangle",
                List.of(
                        "-A %s %s -j CONNMARK --set-xmark 0x111/0xfff".formatted(PREROUTING, OURS),
                        "-A %s -m conntrack --ctstate INVALID -j %s".formatted(OUTPUT, BEFORE),
                        "-A %s -p tcp -m conntrack --ctstate INVALID -j DROP".formatted(OUTPUT),
                        "-A %s -m connmark --mark 0x111/0xfff -j CONNMARK --restore-mark --nfmask 0xffffffff --ctmask 0xffffffff"
                                .formatted(OUTPUT)),
                saved);
    }

    private static String raw(boolean dns, IptablesSaved saved) {
        var rules = new ArrayList<String>();
        if (saved.hasChain("mangle", ZONED)) {
            rules.add("-A %s -o lo -p tcp %s -j CT --zone-orig 2".formatted(OUTPUT, OURS));
        }
        if (dns) {
            rules.add("-A %s -p udp --sport 53 %s -j CT --zone 1".formatted(PREROUTING, NOT_PROXY));
            rules.add("-A %s -p udp --dport 53 %s -j CT --zone 1".formatted(OUTPUT, OURS));
        }
        return rules.isEmpty() ? removed("raw", saved) : table("raw", rules, saved);
    }

    private static String nat(Family family, Capture capture, IptablesSaved saved) {
        var rules = new ArrayList<String>();
        if (capture.inbound()) {
            rules.addAll(probes(family, capture.probes()));
            rules.addAll(ports(PREROUTING, capture.exclusions().inboundPorts(), "-j ACCEPT"));
            rules.add("-A %s ! -d %s -p tcp ! --dport 15008 %s --syn -j REDIRECT --to-ports 15006"
                    .formatted(PREROUTING, family.loopback, NOT_PROXY));
        }
        if (capture.probes() instanceof Probes.LinkLocal) {
            rules.add("-A %s -d %s -p tcp -j ACCEPT".formatted(OUTPUT, family.probe));
        }
        if (capture.dns()) {
            rules.add("-A %s ! -o lo -p udp --dport 53 %s -j REDIRECT --to-ports 15053".formatted(OUTPUT, NOT_PROXY));
            rules.add("-A %s ! -d %s -p tcp --dport 53 %s --syn -j REDIRECT --to-ports 15053"
                    .formatted(OUTPUT, family.loopback, NOT_PROXY));
        }
        rules.add("-A %s -p tcp -m mark --mark 0x111/0xfff -j ACCEPT".formatted(OUTPUT));
        rules.add("-A %s ! -d %s -o lo -j ACCEPT".formatted(OUTPUT, family.loopback));
        rules.addAll(ports(OUTPUT, capture.exclusions().outboundPorts(), "-j ACCEPT"));
        capture.exclusions().outboundBlocks().stream()
                .filter(block -> family.has(block.address()))
                .map(block -> "-A %s -d %s/%d -p tcp -j ACCEPT"
                        .formatted(OUTPUT, block.address().getHostAddress(), block.length()))
                .forEach(rules::add);
        rules.add("-A %s ! -d %s -p tcp %s --syn -j REDIRECT --to-ports 15001"
                .formatted(OUTPUT, family.loopback, NOT_PROXY));
        return table("nat", rules, saved);
    }

    private static List<String> probes(Family family, Probes probes) {
        return switch (probes) {
            case Probes.Proxied() -> List.of();
            case Probes.LinkLocal() -> List.of("-A %s -s %s -p tcp -j ACCEPT".formatted(PREROUTING, family.probe));
            case Probes.Direct(var ports, var node) -> {
                var rules = ports(PREROUTING, ports, "--syn -m %s 255 -j %s".formatted(family.hops, PROBE));
                node.stream()
                        .filter(family::has)
                        .map(address -> "-A %s -s %s -j ACCEPT".formatted(PROBE, address.getHostAddress()))
                        .sorted()
                        .forEach(rules::add);
                yield rules;
            }
        };
    }

    /// @return one rule for every 15 ports
    static List<String> ports(String chain, Set<Integer> ports, String rest) {
        var sorted = ports.stream().sorted().map(String::valueOf).toList();
        var rules = new ArrayList<String>();
        for (var from = 0; from < sorted.size(); from += PORTS) {
            var some = sorted.subList(from, Math.min(from + PORTS, sorted.size()));
            rules.add("-A %s -p tcp -m multiport --dports %s %s".formatted(chain, String.join(",", some), rest));
        }
        return rules;
    }

    /// Our chains, emptied and filled, and our jumps before everybody else's rules.
    private static String table(String name, List<String> rules, IptablesSaved saved) {
        var text = new StringBuilder("*" + name + "\n");
        for (var chain : name.equals("nat") ? List.of(PREROUTING, OUTPUT, PROBE) : List.of(PREROUTING, OUTPUT)) {
            text.append(":%s - [0:0]\n".formatted(chain));
        }
        rules.forEach(rule -> text.append(rule).append("\n"));
        jumps(text, name, PREROUTING, OUTPUT, saved);
        return text + "COMMIT\n";
    }

    private static void jumps(StringBuilder text, String table, String prerouting, String output, IptablesSaved saved) {
        for (var jump : List.of("PREROUTING -j " + prerouting, "OUTPUT -j " + output)) {
            text.append(saved.deleted(table, jump));
            text.append("-I ").append(jump).append("\n");
        }
    }

    private static String removed(String table, IptablesSaved saved) {
        if (!saved.hasChain(table, OUTPUT)) {
            return "";
        }
        var text = new StringBuilder("*" + table + "\n");
        var chains = new ArrayList<>(List.of(PREROUTING, OUTPUT, PROBE));
        if (table.equals("mangle")) {
            text.append(saved.deleted(table, "OUTPUT -m conntrack --ctstate INVALID -j " + BEFORE));
            chains.addAll(List.of(BEFORE, ZONED));
        }
        unhook(text, table, chains, saved);
        return text + "COMMIT\n";
    }

    private static void unhook(StringBuilder text, String table, Collection<String> chains, IptablesSaved saved) {
        var there =
                chains.stream().filter(chain -> saved.hasChain(table, chain)).toList();
        for (var chain : there) {
            text.append(saved.deleted(table, "PREROUTING -j " + chain));
            text.append(saved.deleted(table, "OUTPUT -j " + chain));
            text.append("-F ").append(chain).append("\n");
        }
        there.forEach(chain -> text.append("-X ").append(chain).append("\n"));
    }
}
