package dev.culvert.agent.kube;

import dev.culvert.agent.pods.NetnsFinder;
import dev.culvert.agent.pods.PodView;
import dev.culvert.linux.netns.NetworkNamespace;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Finds a pod's network namespace by the node's `/proc`: control groups name the pod of each process, and
/// the namespace must have one of the pod's addresses, for a process of the pod may be passing through
/// another one. Of several the oldest process decides. Confined to one thread at a time.
public final class ProcNamespaces implements NetnsFinder {
    private static final Logger LOG = LoggerFactory.getLogger(ProcNamespaces.class);
    /// One look at all processes serves many pods at the agent's start.
    private static final Duration FRESH = Duration.ofSeconds(1);

    private final Path proc;
    private Map<String, List<Member>> byPod = Map.of();
    private long lookedNanos;
    private boolean looked;

    /// One process of a pod.
    private record Member(Path folder, long started) {}

    /// @param proc the node's
    public ProcNamespaces(Path proc) {
        this.proc = proc;
    }

    @Override
    public NetworkNamespace find(PodView pod) throws IOException {
        if (pod.ips().isEmpty()) {
            throw new IOException("it has no address yet, by which its network namespace could be told");
        }
        var fresh = looked && System.nanoTime() - lookedNanos < FRESH.toNanos();
        for (var process : fresh ? processes(pod) : List.<Member>of()) {
            var found = open(process, pod);
            if (found != null) {
                return found;
            }
        }
        look();
        for (var process : processes(pod)) {
            var found = open(process, pod);
            if (found != null) {
                return found;
            }
        }
        throw new IOException("no process of it with one of its addresses " + pod.ips() + " was found in " + proc);
    }

    /// A static pod's control group has the kubelet's own uid of it.
    private List<Member> processes(PodView pod) {
        var found = new ArrayList<>(byPod.getOrDefault(ControlGroup.plain(pod.uid()), List.of()));
        var config = pod.annotations().get("kubernetes.io/config.hash");
        if (config != null) {
            found.addAll(byPod.getOrDefault(ControlGroup.plain(config), List.of()));
        }
        found.sort(Comparator.comparingLong(Member::started));
        return found;
    }

    private void look() throws IOException {
        var found = new HashMap<String, List<Member>>();
        try (var folders = Files.newDirectoryStream(proc, "[1-9]*")) {
            for (var folder : folders) {
                try {
                    var uid = ControlGroup.podOf(Files.readString(folder.resolve("cgroup")));
                    if (uid.isPresent()) {
                        found.computeIfAbsent(uid.get(), _ -> new ArrayList<>())
                                .add(new Member(folder, started(folder)));
                    }
                } catch (IOException e) {
                    LOG.trace("{} has ended: {}", folder, e.toString());
                }
            }
        }
        byPod = found;
        lookedNanos = System.nanoTime();
        looked = true;
    }

    /// @return null if the process has ended, or is not in the pod's namespace
    private @Nullable NetworkNamespace open(Member process, PodView pod) throws IOException {
        NetworkNamespace netns;
        try {
            netns = NetworkNamespace.open(process.folder.resolve("ns/net"));
        } catch (IOException e) {
            LOG.debug("{} is passed over: {}", process.folder, e.toString());
            return null;
        }
        try {
            var addresses = LocalAddresses.of(process.folder.resolve("net"));
            var same = started(process.folder) == process.started; // else the number is another process's by now
            if (same && !isNode(netns) && pod.ips().stream().anyMatch(addresses::contains)) {
                return netns;
            }
        } catch (IOException e) {
            LOG.debug("{} is passed over: {}", process.folder, e.toString());
        }
        netns.close();
        return null;
    }

    private boolean isNode(NetworkNamespace netns) throws IOException {
        try (var node = NetworkNamespace.open(proc.resolve("1/ns/net"))) {
            return node.id().equals(netns.id());
        }
    }

    /// Ticks between the machine's start and the process's (proc(5), field 22; the second field may have
    /// blanks).
    private static long started(Path folder) throws IOException {
        var stat = Files.readString(folder.resolve("stat"));
        var fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
        return Long.parseLong(fields[19]);
    }
}
