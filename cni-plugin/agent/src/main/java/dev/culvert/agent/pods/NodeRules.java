package dev.culvert.agent.pods;

import dev.culvert.agent.rules.Kubelet;
import dev.culvert.agent.rules.Probes;
import dev.culvert.linux.netns.NetworkNamespace;
import java.io.IOException;
import java.util.Collection;

/// Applies the rules in the node's own network namespace that go with those in pods.
public interface NodeRules {
    /// The kubelet's packets get 255, nobody else's keep it. May be repeated.
    void direct(NetworkNamespace node, Kubelet kubelet, Collection<Probes.Target> pods) throws IOException;

    /// The connections of the kubelet's user get Istio's link-local address. May be repeated.
    void linkLocal(NetworkNamespace node, long user, Collection<Probes.Target> pods) throws IOException;

    /// Removes everything of ours, whether it is there or not.
    void remove(NetworkNamespace node) throws IOException;

    /// As [NamespaceRules#generation].
    int generation(NetworkNamespace node) throws IOException;
}
