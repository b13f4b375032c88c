package dev.culvert.waypoint.edge;

import dev.culvert.mesh.model.workload.NamespacedHostname;
import dev.culvert.protos.waypoint.Forward;
import dev.culvert.protos.waypoint.GatewayConfig;
import dev.culvert.protos.waypoint.GatewayPort;
import dev.culvert.protos.waypoint.Protocol;
import dev.culvert.protos.waypoint.ServiceConfig;
import dev.culvert.waypoint.config.GovernedService;
import dev.culvert.waypoint.policy.L7Policies;
import dev.culvert.waypoint.route.CompiledRoute.Targets;
import dev.culvert.waypoint.route.ListenerRoutes;
import dev.culvert.waypoint.telemetry.ServiceTelemetry;
import dev.culvert.waypoint.token.TokenRules;
import java.util.HashMap;
import java.util.Map;

/// All that a gateway was told of its listeners. Immutable.
/// @param service routes and policies, as of a Service whose ports are the gateway's
/// @param ports by number
record Edge(GovernedService service, Map<Integer, Way> ports, GatewayConfig said) {
    /// How connections of a port begin.
    sealed interface Way {
        record Http() implements Way {}

        record Tls(ServerNames names) implements Way {}

        /// Whatever comes is passed on.
        record Bytes(Targets to) implements Way {}
    }

    Edge {
        ports = Map.copyOf(ports);
    }

    /// @throws IllegalArgumentException for what cannot be understood
    static Edge of(GatewayConfig config, ServerContexts contexts) {
        var ports = new HashMap<Integer, Way>();
        var governed = new HashMap<Integer, GovernedService.Port>();
        for (var port : config.getPortsList()) {
            ports.put(port.getNumber(), way(port, contexts));
            governed.put(port.getNumber(), port(port));
        }
        return new Edge(
                new GovernedService(
                        new NamespacedHostname(config.getNamespace(), config.getName()),
                        governed,
                        new L7Policies(config.getPoliciesList()),
                        new TokenRules(config.getJwtRulesList()),
                        config.hasTelemetry()
                                ? ServiceTelemetry.of(config.getTelemetry())
                                : ServiceTelemetry.OF_PROCESS,
                        false,
                        ServiceConfig.newBuilder()
                                .setPathNormalization(config.getPathNormalization())
                                .build()),
                ports,
                config);
    }

    private static Way way(GatewayPort port, ServerContexts contexts) {
        if (port.hasBytes()) {
            return new Way.Bytes(Targets.of(port.getBytes()));
        }
        return port.getTls() ? new Way.Tls(new ServerNames(port, contexts)) : new Way.Http();
    }

    /// What is HTTP says its version itself; where bytes go is said by the connection's beginning.
    private static GovernedService.Port port(GatewayPort port) {
        return new GovernedService.Port(
                Protocol.HTTP1, new ListenerRoutes(port), Targets.of(Forward.getDefaultInstance()));
    }
}
