package dev.culvert.kube.object;

import java.net.InetAddress;
import java.util.List;
import java.util.Map;

/// A `v1` Service.
///
/// @param addresses cluster IPs; empty if headless or not allocated yet
/// @param ipFamilies `IPv4`, `IPv6`; empty if not said
/// @param trafficDistribution empty if not said
/// @param balancers addresses and names that a load balancer has given it
public record Service(
        Metadata metadata,
        Type type,
        boolean headless,
        List<InetAddress> addresses,
        List<String> ipFamilies,
        List<Port> ports,
        Map<String, String> selector,
        boolean localTrafficOnly,
        String trafficDistribution,
        boolean publishNotReady,
        List<String> balancers,
        Place place)
        implements KubeObject {
    /// How a Service is meant to be reached.
    public enum Type {
        CLUSTER_IP,
        NODE_PORT,
        LOAD_BALANCER,
        EXTERNAL_NAME
    }

    /// One port of a Service.
    ///
    /// @param name empty if it has none
    /// @param appProtocol empty if not said
    public record Port(String name, int number, PortRef target, String protocol, String appProtocol) {}

    public Service {
        addresses = List.copyOf(addresses);
        ipFamilies = List.copyOf(ipFamilies);
        ports = List.copyOf(ports);
        balancers = List.copyOf(balancers);
        selector = Map.copyOf(selector);
    }

    /// Whether it has a selector and the labels fit it.
    public boolean selects(Map<String, String> labels) {
        return !selector.isEmpty() && labels.entrySet().containsAll(selector.entrySet());
    }
}
