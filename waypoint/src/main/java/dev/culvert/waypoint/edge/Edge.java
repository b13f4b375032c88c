package dev.culvert.waypoint.edge;

import dev.culvert.mesh.model.workload.NamespacedHostname;
import dev.culvert.protos.waypoint.Forward;
import dev.culvert.protos.waypoint.GatewayConfig;
import dev.culvert.protos.waypoint.GatewayPort;
import dev.culvert.protos.waypoint.Protocol;
import dev.culvert.protos.waypoint.ServiceConfig;
import dev.culvert.waypoint.config.GovernedService;
import dev.culvert.waypoint.policy.L7Policies;
import dev.culvert.waypoint.route.CompiledRoute;
import dev.culvert.waypoint.route.ListenerRoutes;
import dev.culvert.waypoint.token.TokenRules;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// All that a gateway was told of its listeners. Immutable.
/// @param service routes and policies, as of a Service whose ports are the gateway's
/// @param ports by number
record Edge(GovernedService service, Map<Integer, Way> ports, GatewayConfig said) {
    /// How connections of a port begin.
    /// @param names null without TLS
    record Way(@Nullable ServerNames names) {}

    Edge {
        ports = Map.copyOf(ports);
    }

    /// @throws IllegalArgumentException for what cannot be understood
    static Edge of(GatewayConfig config, ServerContexts contexts) {
        var ports = new HashMap<Integer, Way>();
        var governed = new HashMap<Integer, GovernedService.Port>();
        for (var port : config.getPortsList()) {
            ports.put(port.getNumber(), new Way(port.getTls() ? new ServerNames(port, contexts) : null));
            governed.put(port.getNumber(), port(port));
        }
        return new Edge(
                new GovernedService(
                        new NamespacedHostname(config.getNamespace(), config.getName()),
                        governed,
                        new L7Policies(config.getPoliciesList()),
                        new TokenRules(config.getJwtRulesList()),
                        false,
                        ServiceConfig.newBuilder()
                                .setPathNormalization(config.getPathNormalization())
                                .build()),
                ports,
                config);
    }

    /// There is always HTTP, whose version each connection says; nothing is ever relayed unread.
    private static GovernedService.Port port(GatewayPort port) {
        return new GovernedService.Port(
                Protocol.HTTP1, new ListenerRoutes(port), CompiledRoute.Targets.of(Forward.getDefaultInstance()));
    }
}
