package dev.culvert.cli.local;

import dev.culvert.cli.local.Addressing.Pair;
import dev.culvert.kube.object.ObjectKey;
import dev.culvert.kube.object.Service;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/// The Services: their addresses, which ready pods are behind them, the rules that lead there (kube-proxy's
/// part), and the names (the cluster DNS's part). Confined to the rig.
final class ServiceTable {
    private static final String TABLE = "culvert-services";

    private final Map<ObjectKey, Integer> numbers = new HashMap<>();
    private List<Entry> entries = List.of();

    /// One Service.
    record Entry(Service object, Pair vip) {
        String fqdn() {
            return object.name() + "." + object.namespace() + ".svc.cluster.local";
        }

        boolean selects(RunningPod pod) {
            return pod.plan().namespace().equals(object.namespace())
                    && object.selects(pod.plan().labels());
        }
    }

    void services(List<Service> services) {
        var found = new ArrayList<Entry>();
        for (var service : services) {
            var number = numbers.computeIfAbsent(service.key(), _ -> numbers.size() + 10);
            found.add(new Entry(service, Addressing.service(number)));
        }
        entries = List.copyOf(found);
    }

    List<Entry> entries() {
        return entries;
    }

    /// One transaction for a node's `nft`.
    String rules(Collection<RunningPod> pods) {
        var text = new StringBuilder("add table inet %s\nflush table inet %s\n".formatted(TABLE, TABLE));
        text.append("add chain inet %s prerouting { type nat hook prerouting priority -100; policy accept; }\n"
                .formatted(TABLE));
        for (var entry : entries) {
            if (entry.object.headless()) {
                continue;
            }
            var ready = pods.stream()
                    .filter(pod -> pod.isReady() && entry.selects(pod))
                    .toList();
            for (var port : entry.object.ports()) {
                appendPort(text, entry, port, ready);
            }
        }
        return text.toString();
    }

    private static void appendPort(StringBuilder text, Entry entry, Service.Port port, List<RunningPod> ready) {
        appendFamily(text, new Target("ip", entry.vip.v4(), port), ready, Pair::v4);
        appendFamily(text, new Target("ip6", entry.vip.v6(), port), ready, Pair::v6);
    }

    private record Target(String family, String vip, Service.Port port) {
        String match() {
            var protocol = port.protocol().equals("UDP") ? "udp" : "tcp";
            return "%s daddr %s %s dport %d".formatted(family, vip, protocol, port.number());
        }
    }

    private static void appendFamily(
            StringBuilder text, Target target, List<RunningPod> ready, Function<Pair, String> address) {
        var endpoints = new ArrayList<String>();
        for (var pod : ready) {
            targetPort(target.port, pod)
                    .ifPresent(number -> endpoints.add(address.apply(pod.address()) + " . " + number));
        }
        if (!endpoints.isEmpty()) { // without one the node has no route to the address, and says so
            text.append("add rule inet %s prerouting %s dnat %s to %s\n"
                    .formatted(TABLE, target.match(), target.family, choice(endpoints)));
        }
    }

    private static Optional<Integer> targetPort(Service.Port port, RunningPod pod) {
        return pod.plan().containers().stream()
                .flatMap(container -> container.number(port.target()).stream())
                .findFirst();
    }

    private static String choice(List<String> endpoints) {
        var numbered = new ArrayList<String>();
        for (var i = 0; i < endpoints.size(); i++) {
            numbered.add(i + " : " + endpoints.get(i));
        }
        return "numgen random mod %d map { %s }".formatted(endpoints.size(), String.join(", ", numbered));
    }

    /// A pod's `/etc/hosts`.
    String names(RunningPod pod, Collection<RunningPod> pods) {
        var text = new StringBuilder("127.0.0.1 localhost\n::1 localhost\n");
        for (var address : pod.address().both()) {
            text.append(address).append(' ').append(pod.plan().name()).append('\n');
        }
        for (var entry : entries) {
            var names = names(entry, pod.plan().namespace());
            for (var address : addresses(entry, pods)) {
                text.append(address).append(' ').append(names).append('\n');
            }
        }
        return text.toString();
    }

    private static List<String> addresses(Entry entry, Collection<RunningPod> pods) {
        if (!entry.object.headless()) {
            return entry.vip.both();
        }
        return pods.stream()
                .filter(pod -> pod.isReady() && entry.selects(pod))
                .flatMap(pod -> pod.address().both().stream())
                .toList();
    }

    private static String names(Entry entry, String namespace) {
        var name = entry.object.name() + "." + entry.object.namespace();
        var all = entry.fqdn() + " " + name + ".svc " + name;
        return entry.object.namespace().equals(namespace) ? all + " " + entry.object.name() : all;
    }
}
