package dev.culvert.waypoint.config;

import dev.culvert.mesh.model.workload.NamespacedHostname;
import dev.culvert.protos.waypoint.Protocol;
import dev.culvert.protos.waypoint.ServiceConfig;
import dev.culvert.waypoint.policy.L7Policies;
import dev.culvert.waypoint.route.RouteTable;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What is to be done with the traffic of one Service, or of pods that are called by their own addresses.
/// Immutable.
/// @param ports by number
/// @param ofPods whether it is for pods: then any port is served, and a request goes to the pod that was
///     dialled
public record GovernedService(NamespacedHostname key, Map<Integer, Port> ports, L7Policies policies, boolean ofPods) {
    public record Port(Protocol protocol, RouteTable routes) {}

    private static final Port ANY = new Port(Protocol.DETECT, new RouteTable(List.of()));

    public GovernedService {
        ports = Map.copyOf(ports);
    }

    /// @throws IllegalArgumentException for what cannot be understood
    public static GovernedService of(ServiceConfig config) {
        var ports = new HashMap<Integer, Port>();
        for (var port : config.getPortsList()) {
            if (port.getProtocol() == Protocol.UNRECOGNIZED) {
                throw new IllegalArgumentException("port " + port.getNumber() + " has an unknown protocol");
            }
            ports.put(port.getNumber(), new Port(port.getProtocol(), new RouteTable(port.getRoutesList())));
        }
        return new GovernedService(
                new NamespacedHostname(config.getNamespace(), config.getHostname()),
                ports,
                new L7Policies(config.getPoliciesList()),
                config.getHostname().isEmpty());
    }

    public Optional<Port> port(int number) {
        return ofPods ? Optional.of(ANY) : Optional.ofNullable(ports.get(number));
    }
}
