package dev.culvert.agent.kube;

import dev.culvert.agent.pods.NodeRules;
import dev.culvert.agent.pods.PodView;
import dev.culvert.agent.pods.ProbeBypass;
import dev.culvert.agent.rules.Kubelet;
import dev.culvert.agent.rules.Probes;
import dev.culvert.linux.netns.NetworkNamespace;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// Lets the kubelet's connections to captured pods pass, by rules in the node's network namespace that
/// go with those in the pods. They are put back when somebody changed any rules there; without captured
/// pods there are none. Confined to one platform thread at a time.
public final class KubeletProbes implements ProbeBypass {
    /// How old what is known of the node may be: its addresses, its kubelet, and whether its rules are ours.
    private static final Duration FRESH = Duration.ofMillis(500);

    private final Way way;
    private final NetworkNamespace node;
    private final Path net;
    private final KubeletFinder finder;
    private final NodeRules rules;

    private Set<InetAddress> addresses = Set.of();
    private @Nullable Kubelet kubelet;
    private long lookedNanos;

    private @Nullable Wanted applied;
    private int generation;

    /// How.
    public enum Way {
        /// By a TTL of 255.
        TTL,
        /// By Istio's link-local address.
        SNAT
    }

    /// @param node closed with this
    /// @param net the `/proc/PID/net` of the node's namespace
    public KubeletProbes(Way way, NetworkNamespace node, Path net, KubeletFinder finder, NodeRules rules) {
        this.way = way;
        this.node = node;
        this.net = net;
        this.finder = finder;
        this.rules = rules;
    }

    @Override
    public Probes inPod(PodView pod) throws IOException {
        return switch (way) {
            case SNAT -> new Probes.LinkLocal();
            case TTL -> {
                look();
                yield new Probes.Direct(pod.declared().probePorts(), addresses);
            }
        };
    }

    private Kubelet look() throws IOException {
        var known = kubelet;
        if (known != null && System.nanoTime() - lookedNanos < FRESH.toNanos()) {
            return known;
        }
        addresses = LocalAddresses.of(net).stream()
                .filter(address -> !address.isLoopbackAddress())
                .collect(Collectors.toSet());
        known = finder.find();
        kubelet = known;
        lookedNanos = System.nanoTime();
        return known;
    }

    @Override
    public void pods(Set<Probes.Target> pods) throws IOException {
        var known = look();
        // The inode of a control group that was made anew is seen in the kubelet only.
        var wanted = new Wanted(known, Set.copyOf(pods));
        if (wanted.equals(applied) && rules.generation(node) == generation) {
            return;
        }
        if (pods.isEmpty()) {
            rules.remove(node);
        } else {
            switch (way) {
                case TTL -> rules.direct(node, known, pods);
                case SNAT -> rules.linkLocal(node, known instanceof Kubelet.OfUser(var user) ? user : 0, pods);
            }
        }
        applied = wanted;
        generation = rules.generation(node);
    }

    private record Wanted(Kubelet kubelet, Set<Probes.Target> pods) {}

    @Override
    public void close() throws IOException {
        try (node) {
            rules.remove(node);
        }
    }
}
