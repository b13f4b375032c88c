package dev.culvert.waypoint.config;

import dev.culvert.mesh.model.workload.NamespacedHostname;
import dev.culvert.protos.waypoint.Backend;
import dev.culvert.protos.waypoint.Forward;
import dev.culvert.protos.waypoint.Protocol;
import dev.culvert.protos.waypoint.ServiceConfig;
import dev.culvert.waypoint.policy.L7Policies;
import dev.culvert.waypoint.route.CompiledRoute;
import dev.culvert.waypoint.route.HostedRoutes;
import dev.culvert.waypoint.route.RouteTable;
import dev.culvert.waypoint.telemetry.ServiceTelemetry;
import dev.culvert.waypoint.token.TokenRules;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What is to be done with the traffic of one Service, or of pods that are called by their own addresses.
/// Immutable.
/// @param ports by number
/// @param telemetry what is told of its requests
/// @param ofPods whether it is for pods: then any port is served, and a request goes to the pod that was
///     dialled
/// @param said as the controller said it
public record GovernedService(
        NamespacedHostname key,
        Map<Integer, Port> ports,
        L7Policies policies,
        TokenRules tokens,
        ServiceTelemetry telemetry,
        boolean ofPods,
        ServiceConfig said) {
    /// @param raw where connections without HTTP go
    public record Port(Protocol protocol, HostedRoutes routes, CompiledRoute.Targets raw) {
        public Port withoutRoutes() {
            return new Port(protocol, new RouteTable(List.of()), raw);
        }
    }

    private static final Port ANY = new Port(
            Protocol.DETECT, new RouteTable(List.of()), CompiledRoute.Targets.of(Forward.getDefaultInstance()));

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
            ports.put(
                    port.getNumber(),
                    new Port(
                            port.getProtocol(),
                            new RouteTable(port.getRoutesList()),
                            CompiledRoute.Targets.of(port.hasRaw() ? port.getRaw() : itself(config, port))));
        }
        return new GovernedService(
                new NamespacedHostname(config.getNamespace(), config.getHostname()),
                ports,
                new L7Policies(config.getPoliciesList()),
                new TokenRules(config.getJwtRulesList()),
                config.hasTelemetry() ? ServiceTelemetry.of(config.getTelemetry()) : ServiceTelemetry.OF_PROCESS,
                config.getHostname().isEmpty(),
                config);
    }

    private static Forward itself(ServiceConfig config, dev.culvert.protos.waypoint.Port port) {
        return Forward.newBuilder()
                .addBackends(Backend.newBuilder()
                        .setWeight(1)
                        .setNamespace(config.getNamespace())
                        .setHostname(config.getHostname())
                        .setPort(port.getNumber()))
                .build();
    }

    public Optional<Port> port(int number) {
        return ofPods ? Optional.of(ANY) : Optional.ofNullable(ports.get(number));
    }
}
