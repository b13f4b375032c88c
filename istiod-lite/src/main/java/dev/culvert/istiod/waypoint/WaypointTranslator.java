package dev.culvert.istiod.waypoint;

import dev.culvert.istiod.ambient.L7Targets;
import dev.culvert.istiod.ambient.MeshService;
import dev.culvert.istiod.ambient.MeshServices;
import dev.culvert.istiod.ambient.TranslationSettings;
import dev.culvert.istiod.ambient.Waypoints;
import dev.culvert.kube.object.AuthorizationPolicy;
import dev.culvert.kube.object.ObjectSet;
import dev.culvert.kube.object.Problem;
import dev.culvert.kube.object.RequestAuthentication;
import dev.culvert.protos.waypoint.GatewayConfig;
import dev.culvert.protos.waypoint.Port;
import dev.culvert.protos.waypoint.Protocol;
import dev.culvert.protos.waypoint.ServiceConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// Turns objects into what each waypoint needs to know. Pure: equal objects give equal results.
public final class WaypointTranslator {
    /// Last part of the name of the resource that governs pods called by their own addresses.
    private static final String PODS = "pods";

    private WaypointTranslator() {}

    /// @param resources by `<gateway namespace>/<gateway name>/...`, so that each waypoint gets its own only
    /// @param gateways of the edge, by the names of their resources
    public record Result(
            Map<String, ServiceConfig> resources, Map<String, GatewayConfig> gateways, List<Problem> problems) {
        public Result {
            gateways = Map.copyOf(gateways);
            resources = Map.copyOf(resources);
            problems = List.copyOf(problems);
        }
    }

    public static Result translate(ObjectSet objects, TranslationSettings settings) {
        var problems = new ArrayList<Problem>();
        var resources = new TreeMap<String, ServiceConfig>();
        var waypoints = new Waypoints(objects, settings);
        var services = MeshServices.of(objects, settings);
        var routes = new RouteTables(objects, settings, problems, new Destinations(objects, settings, services));
        var policies = new PolicyRules(settings);
        var telemetry = new TelemetryScopes(objects, settings);
        var merge = new TelemetryMerge(objects, settings);
        for (var service : services.all()) {
            var binding = waypoints.of(service);
            if (binding.waypoint().isEmpty()) {
                continue;
            }
            EntryAdvice.check(service, binding.wanted(), problems);
            if (service.isOfAnyName()) {
                continue;
            }
            var to = ServiceConfig.newBuilder()
                    .setNamespace(service.namespace())
                    .setHostname(service.hostname())
                    .setPathNormalization(MeshDefaults.paths(objects, settings));
            for (var port : service.ports()) {
                var sent = Port.newBuilder()
                        .setNumber(port.number())
                        .setProtocol(protocol(port))
                        .addAllRoutes(routes.of(service, binding.waypoint().get(), port.number()));
                routes.raw(service, binding.waypoint().get(), port.number()).ifPresent(sent::setRaw);
                to.addPorts(sent);
            }
            L7Targets.governing(service, binding, objects, settings)
                    .forEach(policy -> to.addPolicies(policies.translate(policy)));
            L7Targets.tokens(service, binding, objects, settings).stream()
                    .flatMap(TokenRules::translate)
                    .forEach(to::addJwtRules);
            merge.of(telemetry.of(service, binding)).ifPresent(to::setTelemetry);
            resources.put(binding.waypoint().get().key() + "/" + service.key(), to.build());
        }
        for (var pod : objects.pods()) {
            var binding = waypoints.of(pod);
            binding.waypoint()
                    .map(waypoint -> waypoint.key() + "/" + PODS)
                    .ifPresent(name -> resources.computeIfAbsent(name, _ -> {
                        var to = pods(binding, objects, policies);
                        merge.of(telemetry.of(binding)).ifPresent(to::setTelemetry);
                        return to.build();
                    }));
        }
        var gateways = new GatewayTables(objects, settings, services, routes, policies)
                .translate(pods -> merge.of(telemetry.of(pods)), problems);
        routes.check();
        var advice = new PolicyAdvice(objects, settings, problems);
        objects.all(AuthorizationPolicy.class).forEach(advice::check);
        objects.all(RequestAuthentication.class).forEach(advice::check);
        new TelemetryAdvice(objects, settings, problems, merge).check(telemetry);
        return new Result(resources, gateways, problems);
    }

    private static Protocol protocol(MeshService.Port port) {
        return switch (port.protocol()) {
            case HTTP11 -> Protocol.HTTP1;
            case HTTP2, GRPC -> Protocol.HTTP2;
            case TCP, TLS -> Protocol.TCP;
            case UNKNOWN, UNRECOGNIZED -> Protocol.DETECT;
        };
    }

    /// What governs pods that are called by their own addresses.
    private static ServiceConfig.Builder pods(Waypoints.Binding binding, ObjectSet objects, PolicyRules policies) {
        var to = ServiceConfig.newBuilder().setPathNormalization(MeshDefaults.paths(objects, policies.settings()));
        L7Targets.ofGateway(binding, objects, policies.settings())
                .forEach(policy -> to.addPolicies(policies.translate(policy)));
        L7Targets.tokens(binding, objects, policies.settings()).stream()
                .flatMap(TokenRules::translate)
                .forEach(to::addJwtRules);
        return to;
    }
}
