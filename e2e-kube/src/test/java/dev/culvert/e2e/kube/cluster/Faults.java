package dev.culvert.e2e.kube.cluster;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Random;

/// Ends programs of nodes without a word, in an order and at moments that a seed gives. Each once only: the
/// kubelet lets a container that ends again and again wait for minutes.
final class Faults {
    /// A kubelet that no service manager has started is in the root group, with everybody else.
    private static final String OWN_GROUP =
            "grep -qx 0::/ /proc/$(pgrep -xo kubelet)/cgroup || exit 0; g=/sys/fs/cgroup; [ ! -d $g/unified ] || g=$g/unified;"
                    + " mkdir -p $g/kubelet-NODE; for p in $(pgrep -x kubelet); do echo $p > $g/kubelet-NODE/cgroup.procs; done";
    private static final String OTHER_KUBELET = "old=$(pgrep -xo kubelet); kill -9 $old; for i in $(seq 600); do"
            + " new=$(pgrep -xo kubelet) && [ \"$new\" != \"$old\" ] && exit 0; sleep 0.1; done; exit 1";

    private final KubeCluster cluster;
    private final Random random;
    private final List<Kill> left = new ArrayList<>();

    /// What ends. The brackets keep a pattern from matching the shell that runs it.
    enum Victim {
        AGENT("kill -9 $(pgrep -f [A]gentProgram)"),
        ZTUNNEL("kill -9 $(pgrep -f ztunnel.app.[Z]tunnel)"),
        KUBELET(OTHER_KUBELET);

        private final String script;

        Victim(String script) {
            this.script = script;
        }
    }

    private record Kill(Victim victim, String node) {}

    Faults(KubeCluster cluster, List<String> nodes) {
        this.cluster = cluster;
        var seed = Optional.ofNullable(System.getenv("CULVERT_KUBE_SEED"))
                .map(Long::parseLong)
                .orElseGet(() -> new Random().nextLong());
        System.out.println("CULVERT_KUBE_SEED=" + seed);
        random = new Random(seed);
        for (var node : nodes) {
            for (var victim : Victim.values()) {
                left.add(new Kill(victim, node));
            }
        }
        Collections.shuffle(left, random);
    }

    /// What a service manager does for a kubelet.
    static void ownGroup(KubeCluster cluster, String node) throws Exception {
        cluster.onNode(node, OWN_GROUP.replace("NODE", node));
    }

    static void kill(KubeCluster cluster, Victim victim, String node) throws Exception {
        System.out.println("kills " + victim + " of " + node);
        cluster.onNode(node, victim.script);
        if (victim == Victim.KUBELET) {
            ownGroup(cluster, node);
        }
    }

    <T> T pick(List<T> of) {
        return of.get(random.nextInt(of.size()));
    }

    /// Ends the next, or waits a moment.
    ///
    /// @return whether anything is left to end
    boolean next() throws Exception {
        if (!left.isEmpty() && random.nextBoolean()) {
            var kill = left.removeLast();
            kill(cluster, kill.victim, kill.node);
        } else {
            Thread.sleep(random.nextInt(1000));
        }
        return !left.isEmpty();
    }
}
