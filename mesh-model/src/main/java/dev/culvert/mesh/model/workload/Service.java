package dev.culvert.mesh.model.workload;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// A service, as `istio.workload.Service` tells it.
/// @param ports service port to target port; 0 means that each endpoint says
/// @param subjectAltNames further identities (SPIFFE URIs) that may answer for the service
public record Service(
        String name,
        NamespacedHostname key,
        List<NetworkAddress> vips,
        List<CidrVip> cidrVips,
        Map<Integer, Integer> ports,
        List<String> subjectAltNames,
        @Nullable GatewayAddress waypointOrNull,
        List<WeightedWaypoint> weightedWaypoints,
        LoadBalancing loadBalancing,
        IpFamilies ipFamilies,
        boolean canonical,
        boolean visibleInNamespaceOnly) {

    public record CidrVip(String network, Cidr cidr) {}

    public record WeightedWaypoint(GatewayAddress destination, int weight) {}

    public enum IpFamilies {
        AUTOMATIC,
        IPV4_ONLY,
        IPV6_ONLY,
        DUAL
    }

    public Service {
        vips = List.copyOf(vips);
        cidrVips = List.copyOf(cidrVips);
        ports = Map.copyOf(ports);
        subjectAltNames = List.copyOf(subjectAltNames);
        weightedWaypoints = List.copyOf(weightedWaypoints);
    }

    public String namespace() {
        return key.namespace();
    }

    public String hostname() {
        return key.hostname();
    }

    public Optional<GatewayAddress> waypoint() {
        return Optional.ofNullable(waypointOrNull);
    }

    /// Whether it has no endpoints of its own: connections go where they were dialled.
    public boolean passesOn() {
        return loadBalancing.mode() == LoadBalancing.Mode.PASSTHROUGH;
    }

    public boolean visibleTo(String clientNamespace) {
        return !visibleInNamespaceOnly || clientNamespace.equals(key.namespace());
    }
}
