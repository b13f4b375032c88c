package dev.culvert.agent.pods;

import java.net.InetAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What the agent knows of one pod of its node.
/// @param netns where its network namespace can be opened, if known
/// @param finished whether it has succeeded or failed for good
public record PodView(
        Name name,
        String serviceAccount,
        Map<String, String> labels,
        Map<String, String> annotations,
        Map<String, String> namespaceLabels,
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

    public PodView {
        labels = Map.copyOf(labels);
        annotations = Map.copyOf(annotations);
        namespaceLabels = Map.copyOf(namespaceLabels);
        ips = List.copyOf(ips);
    }

    public String uid() {
        return name.uid();
    }
}
