package dev.culvert.agent.pods;

import dev.culvert.agent.rules.Probes;
import java.io.IOException;
import java.util.Set;

/// Lets the kubelet's probes pass by the proxy, on their way from the node to captured pods. Confined to one
/// thread at a time.
public interface ProbeBypass extends AutoCloseable {
    /// Where nobody probes from outside, or probes are to be proxied.
    ProbeBypass NONE = new ProbeBypass() {
        @Override
        public Probes inPod(PodView pod) {
            return new Probes.Proxied();
        }

        @Override
        public void pods(Set<Probes.Target> pods) {}

        @Override
        public void close() {}
    };

    /// What the rules in a captured pod let pass. May change with the node's addresses.
    Probes inPod(PodView pod) throws IOException;

    /// All captured pods of the node. May be repeated, and is to be: the node's rules are put back if
    /// somebody changed them.
    void pods(Set<Probes.Target> pods) throws IOException;

    /// Removes everything of ours from the node.
    @Override
    void close() throws IOException;
}
