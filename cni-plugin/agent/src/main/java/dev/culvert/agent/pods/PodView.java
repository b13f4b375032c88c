package dev.culvert.agent.pods;

import java.net.InetAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// What the agent knows of one pod of its node.
/// @param declared what its specification opens past the proxy
/// @param netns where its network namespace can be opened, if known
/// @param finished whether it has succeeded or failed for good
public record PodView(
        Name name,
        String serviceAccount,
        Map<String, String> labels,
        Map<String, String> annotations,
        Surroundings surroundings,
        Declared declared,
        List<InetAddress> ips,
        boolean hostNetwork,
        boolean finished,
        Optional<Path> netns) {

    /// Who it is.
    /// @param uid Kubernetes' own
    public record Name(String uid, String namespace, String name) {
        @Override
        public String toString() {
            return namespace + "/" + name;
        }
    }

    /// What is said about the pod elsewhere.
    /// @param namespaceLabels empty if no Namespace object could be read
    /// @param doubts what could not be read, and might ask for the pod's capture; for messages
    public record Surroundings(Optional<Map<String, String>> namespaceLabels, List<String> doubts) {
        public Surroundings {
            namespaceLabels = namespaceLabels.map(Map::copyOf);
            doubts = List.copyOf(doubts);
        }
    }

    /// What the pod's specification says of what may pass by the proxy.
    /// @param probePorts that the kubelet asks
    /// @param foreignProbes what probes ask elsewhere than in the pod, `HOST:PORT`; for messages
    public record Declared(Set<Integer> probePorts, List<String> foreignProbes) {
        public static final Declared NOTHING = new Declared(Set.of(), List.of());

        public Declared {
            probePorts = Set.copyOf(probePorts);
            foreignProbes = List.copyOf(foreignProbes);
        }
    }

    public PodView {
        labels = Map.copyOf(labels);
        annotations = Map.copyOf(annotations);
        ips = List.copyOf(ips);
    }

    /// The same pod, with something else said about it elsewhere.
    PodView with(Surroundings other) {
        return new PodView(
                name, serviceAccount, labels, annotations, other, declared, ips, hostNetwork, finished, netns);
    }

    public String uid() {
        return name.uid();
    }
}
