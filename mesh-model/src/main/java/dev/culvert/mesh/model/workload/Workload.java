package dev.culvert.mesh.model.workload;

import dev.culvert.mesh.model.identity.SpiffeId;
import java.net.InetAddress;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// One thing that opens or accepts connections, as `istio.workload.Workload` tells it.
/// @param services ports by service: service port to target port
/// @param capacity weight of load balancing; 0 is never chosen
public record Workload(
        String uid,
        Place place,
        Names names,
        List<InetAddress> addresses,
        Tunnel tunnel,
        List<String> authorizationPolicies,
        boolean healthy,
        String hostname,
        Map<NamespacedHostname, Map<Integer, Integer>> services,
        int capacity) {

    /// @param network "" is a network like any other
    public record Place(String network, String clusterId, String node, Locality locality, boolean hostNetwork) {}

    /// @param type `deployment`, `cronjob`, `pod` or `job`
    public record Names(
            String name,
            String namespace,
            String trustDomain,
            String serviceAccount,
            String canonicalName,
            String canonicalRevision,
            String workloadName,
            String type) {}

    /// How the workload is reached.
    /// @param plainPorts which its author keeps out of the mesh: reached without a tunnel
    public record Tunnel(
            TunnelProtocol protocol,
            boolean nativeTunnel,
            @Nullable GatewayAddress waypoint,
            @Nullable GatewayAddress networkGateway,
            @Nullable ApplicationTunnel application,
            Set<Integer> plainPorts) {
        public static final Tunnel PLAIN = new Tunnel(TunnelProtocol.TCP, false, null, null, null, Set.of());
        public static final Tunnel HBONE = new Tunnel(TunnelProtocol.HBONE, false, null, null, null, Set.of());

        public Tunnel {
            plainPorts = Set.copyOf(plainPorts);
        }
    }

    public Workload {
        if (uid.isEmpty()) {
            throw new IllegalArgumentException("a workload needs a uid: " + names);
        }
        addresses = List.copyOf(addresses);
        authorizationPolicies = List.copyOf(authorizationPolicies);
        services = Map.copyOf(services);
    }

    public SpiffeId identity() {
        return new SpiffeId(names.trustDomain, names.namespace, names.serviceAccount);
    }

    public String name() {
        return names.name;
    }

    public String namespace() {
        return names.namespace;
    }

    public String network() {
        return place.network;
    }

    public boolean speaksHbone() {
        return tunnel.protocol == TunnelProtocol.HBONE;
    }

    /// Whether a connection to this port of it goes by a tunnel.
    public boolean speaksHbone(int port) {
        return speaksHbone() && !tunnel.plainPorts.contains(port);
    }

    public Optional<GatewayAddress> waypoint() {
        return Optional.ofNullable(tunnel.waypoint);
    }
}
