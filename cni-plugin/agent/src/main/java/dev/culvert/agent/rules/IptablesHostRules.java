package dev.culvert.agent.rules;

import dev.culvert.agent.rules.IptablesRules.Family;
import java.net.InetAddress;
import java.util.Collection;
import java.util.stream.Stream;

/// The same as [HostRules] in the language of iptables. Bridged frames come by here only where
/// `bridge-nf-call-iptables` is set, as Kubernetes asks for.
public final class IptablesHostRules {
    private static final String DIRECT = "CULVERT_PROBES";
    private static final String KUBELET = "CULVERT_KUBELET";
    private static final String LINK_LOCAL = "ISTIO_POSTRT";
    private static final String HOOK = "POSTROUTING -j ";

    private IptablesHostRules() {}

    /// On postrouting, where the destination is the pod already: on output it may still be a Service.
    public static String direct(Family family, Kubelet kubelet, Collection<Probes.Target> pods, IptablesSaved saved) {
        var text = new StringBuilder("*mangle\n:%s - [0:0]\n:%s - [0:0]\n".formatted(DIRECT, KUBELET));
        var match = match(kubelet);
        text.append("-A %s %s -j %s 255\n".formatted(KUBELET, match, family.setHops));
        text.append("-A %s %s -j ACCEPT\n".formatted(KUBELET, match));
        for (var pod : pods) {
            addresses(family, pod).forEach(address -> {
                IptablesRules.ports(DIRECT, pod.ports(), "-d %s -j %s".formatted(address, KUBELET))
                        .forEach(rule -> text.append(rule).append("\n"));
                text.append("-A %s -d %s%s -m %s 255 -j %s 64\n"
                        .formatted(DIRECT, address, besideDiscovery(family), family.hops, family.setHops));
            });
        }
        text.append(saved.deleted("mangle", HOOK + DIRECT)).append("-I " + HOOK + DIRECT + "\nCOMMIT\n");
        return text + wrapped("nat", without("nat", LINK_LOCAL, saved));
    }

    /// As in [HostRules].
    private static String besideDiscovery(Family family) {
        return family == Family.V4 ? "" : " ! -p ipv6-icmp";
    }

    public static String linkLocal(Family family, long user, Collection<Probes.Target> pods, IptablesSaved saved) {
        var text = new StringBuilder("*nat\n:%s - [0:0]\n".formatted(LINK_LOCAL));
        var source = family == Family.V4 ? InPodRules.PROBE_V4 : InPodRules.PROBE_V6;
        pods.stream()
                .flatMap(pod -> addresses(family, pod))
                .map(address -> "-A %s -d %s -p tcp -m owner --uid-owner %d -j SNAT --to-source %s\n"
                        .formatted(LINK_LOCAL, address, user, source))
                .forEach(text::append);
        text.append(saved.deleted("nat", HOOK + LINK_LOCAL)).append("-I " + HOOK + LINK_LOCAL + "\nCOMMIT\n");
        return text + wrapped("mangle", without("mangle", DIRECT, saved) + without("mangle", KUBELET, saved));
    }

    public static String none(IptablesSaved saved) {
        return wrapped("mangle", without("mangle", DIRECT, saved) + without("mangle", KUBELET, saved))
                + wrapped("nat", without("nat", LINK_LOCAL, saved));
    }

    private static String wrapped(String table, String rules) {
        return rules.isEmpty() ? "" : "*" + table + "\n" + rules + "COMMIT\n";
    }

    private static String without(String table, String chain, IptablesSaved saved) {
        return saved.hasChain(table, chain)
                ? saved.deleted(table, HOOK + chain) + "-F %1$s\n-X %1$s\n".formatted(chain)
                : "";
    }

    private static Stream<String> addresses(Family family, Probes.Target pod) {
        return pod.addresses().stream()
                .filter(family::has)
                .map(InetAddress::getHostAddress)
                .sorted();
    }

    private static String match(Kubelet kubelet) {
        return switch (kubelet) {
            case Kubelet.InControlGroup group -> "-m cgroup --path " + group.path();
            case Kubelet.OfUser(var user) -> "-m owner --uid-owner " + user;
        };
    }
}
