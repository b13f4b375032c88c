package dev.culvert.istiod.waypoint;

import dev.culvert.istiod.ambient.L7Targets;
import dev.culvert.istiod.ambient.MeshServices;
import dev.culvert.istiod.ambient.TranslationSettings;
import dev.culvert.istiod.ambient.Waypoints;
import dev.culvert.istiod.ingress.EdgeGateway;
import dev.culvert.istiod.ingress.EdgePods;
import dev.culvert.kube.object.ObjectSet;
import dev.culvert.kube.object.Problem;
import dev.culvert.protos.waypoint.GatewayConfig;
import dev.culvert.protos.waypoint.Telemetry;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;

/// What each gateway at the edge of the mesh is told: its ports, with certificates and routes by host.
final class GatewayTables {
    private final ObjectSet objects;
    private final TranslationSettings settings;
    private final ListenerTables listeners;
    private final BoundServices services;
    private final RouteTables routes;
    private final EdgeBackends backends;
    private final PolicyRules policies;

    GatewayTables(
            ObjectSet objects,
            TranslationSettings settings,
            MeshServices known,
            RouteTables routes,
            PolicyRules policies) {
        this.objects = objects;
        this.settings = settings;
        this.routes = routes;
        this.backends = new EdgeBackends(new Waypoints(objects, settings), known);
        this.listeners = new ListenerTables(objects, routes, backends);
        this.services = new BoundServices(objects, settings);
        this.policies = policies;
    }

    /// By the name of the resource.
    /// @param telemetry what is told of requests that come in by these pods
    Map<String, GatewayConfig> translate(Function<EdgePods, Optional<Telemetry>> telemetry, List<Problem> problems) {
        var all = new TreeMap<String, GatewayConfig>();
        var pods = EdgePods.all(objects);
        var servers = new ServerTables(objects, services, routes, backends, problems);
        for (var one : pods) {
            var to = translate(one, servers);
            telemetry.apply(one).ifPresent(to::setTelemetry);
            all.put(one.resourceName(), to.build());
            one.gateway().ifPresent(gateway -> check(gateway, problems));
        }
        services.check(pods, problems);
        return all;
    }

    private GatewayConfig.Builder translate(EdgePods pods, ServerTables servers) {
        var to = GatewayConfig.newBuilder()
                .setNamespace(pods.namespace())
                .setName(pods.name())
                .setPathNormalization(MeshDefaults.paths(objects, settings))
                .setTrustedProxies(pods.gateway()
                        .flatMap(one -> one.gateway().infrastructure().trustedProxies())
                        .orElseGet(() -> MeshDefaults.trustedProxies(objects, settings)));
        var ports = new EdgePorts();
        pods.gateway().ifPresent(gateway -> listeners.add(gateway, ports));
        servers.add(pods, ports);
        ports.addTo(to);
        var gateway = pods.gateway().map(EdgeGateway::gateway);
        L7Targets.ofEdge(pods.namespace(), gateway, pods.labels(), objects, settings)
                .forEach(policy -> to.addPolicies(policies.translate(policy)));
        gateway.stream()
                .flatMap(one -> L7Targets.tokensOfEdge(one, objects, settings).stream())
                .flatMap(TokenRules::translate)
                .forEach(to::addJwtRules);
        return to;
    }

    // ---- what authors should know ----

    private static void check(EdgeGateway gateway, List<Problem> problems) {
        var key = gateway.gateway().key().toString();
        var place = gateway.gateway().place();
        gateway.listeners().stream()
                .sorted(Comparator.comparing(listener -> listener.said().name()))
                .forEach(listener -> {
                    var name = "listener " + listener.said().name() + ": ";
                    if (!listener.accepted().holds()) {
                        problems.add(Problem.error(
                                place, key, name + listener.accepted().message(), "change the listener"));
                    } else if (listener.conflicted().holds()) {
                        problems.add(Problem.error(
                                place, key, name + listener.conflicted().message(), "remove one of the two"));
                    }
                    if (!listener.resolved().holds()) {
                        problems.add(Problem.error(
                                place, key, name + listener.resolved().message(), "correct what it names"));
                    }
                });
    }
}
