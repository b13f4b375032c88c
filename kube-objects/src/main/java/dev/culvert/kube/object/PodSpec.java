package dev.culvert.kube.object;

import java.util.List;
import java.util.Map;

/// What a pod is to be.
///
/// @param nodeName empty if not placed
/// @param sidecars init containers that keep running (`restartPolicy: Always`)
public record PodSpec(
        String nodeName,
        Map<String, String> nodeSelector,
        String serviceAccount,
        boolean hostNetwork,
        List<Container> containers,
        List<Container> sidecars) {
    public PodSpec {
        nodeSelector = Map.copyOf(nodeSelector);
        containers = List.copyOf(containers);
        sidecars = List.copyOf(sidecars);
    }
}
