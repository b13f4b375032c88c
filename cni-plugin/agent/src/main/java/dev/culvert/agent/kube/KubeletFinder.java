package dev.culvert.agent.kube;

import dev.culvert.agent.rules.Kubelet;
import java.io.IOException;

/// Finds out how the node's rules may know the kubelet. Confined to one thread.
@FunctionalInterface
public interface KubeletFinder {
    /// Looked at again each time: the kubelet may have started anew.
    Kubelet find() throws IOException;
}
