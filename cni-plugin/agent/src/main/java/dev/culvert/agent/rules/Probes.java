package dev.culvert.agent.rules;

import java.net.InetAddress;
import java.util.Set;

/// How the kubelet's probes reach the application of a captured pod.
public sealed interface Probes {
    /// As everything else does: through the proxy, and refused where a policy refuses plaintext.
    record Proxied() implements Probes {}

    /// Istio's way: from a link-local address that the node gives them ([HostRules#linkLocal]).
    record LinkLocal() implements Probes {}

    /// From the node's own addresses with a TTL or hop limit of 255, which no router leaves and the
    /// node gives to nobody else ([HostRules#direct]; RFC 5082).
    /// @param ports that the pod declares for probes; no other is open
    /// @param node all addresses of the node
    record Direct(Set<Integer> ports, Set<InetAddress> node) implements Probes {
        public Direct {
            ports = Set.copyOf(ports);
            node = Set.copyOf(node);
        }
    }

    /// A captured pod, as the node's rules need it.
    /// @param ports that it declares for probes
    record Target(Set<InetAddress> addresses, Set<Integer> ports) {
        public Target {
            addresses = Set.copyOf(addresses);
            ports = Set.copyOf(ports);
        }
    }
}
