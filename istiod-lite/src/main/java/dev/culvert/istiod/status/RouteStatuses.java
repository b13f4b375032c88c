package dev.culvert.istiod.status;

import dev.culvert.istiod.ambient.MeshServices;
import dev.culvert.istiod.ambient.Waypoints;
import dev.culvert.istiod.ingress.EdgeGateway;
import dev.culvert.istiod.kube.Outcome;
import dev.culvert.kube.object.HttpRoute;
import dev.culvert.kube.object.HttpRule;
import dev.culvert.kube.object.Kind;
import dev.culvert.kube.object.KubeObject;
import dev.culvert.kube.object.ParentRef;
import dev.culvert.kube.object.RawRoute;
import dev.culvert.kube.object.ReferenceGrant;
import dev.culvert.kube.object.Route;
import dev.culvert.kube.object.Service;
import dev.culvert.kube.object.ServiceEntry;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// What each route of a Service or of a Gateway at the edge is told of each of its parents. Pure.
final class RouteStatuses {
    private final Outcome now;
    private final MeshServices services;
    private final Waypoints waypoints;
    private final List<EdgeGateway> edges;

    RouteStatuses(Outcome now, MeshServices services, Waypoints waypoints, List<EdgeGateway> edges) {
        this.now = now;
        this.services = services;
        this.waypoints = waypoints;
        this.edges = edges;
    }

    Optional<Wanted> of(Route route) {
        var parents = new ArrayList<Map<String, ?>>();
        for (var parent : route.parents()) {
            if (parent.isCalled()) {
                parents.add(parent(route, parent));
            } else {
                EdgeStatuses.accepted(route, parent, edges, now.objects())
                        .ifPresent(accepted -> parents.add(told(parent, List.of(accepted, resolved(route, parent)))));
            }
        }
        return parents.isEmpty()
                ? Optional.empty()
                : Optional.of(new Wanted(route.key(), route.metadata().generation(), Map.of("parents", parents)));
    }

    private Map<String, ?> parent(Route route, ParentRef parent) {
        var called = called(parent);
        var conditions = new ArrayList<Map<String, ?>>();
        conditions.add(
                called.isPresent()
                        ? Wanted.condition("Accepted", true, "Accepted", "Route was valid")
                        : Wanted.condition(
                                "Accepted",
                                false,
                                "NoMatchingParent",
                                "there is no " + parent.kind() + " " + parent.namespace() + "/" + parent.name()));
        conditions.add(resolved(route, parent));
        called.ifPresent(one -> conditions.add(waypoint(one)));
        return told(parent, conditions);
    }

    private Optional<? extends KubeObject> called(ParentRef parent) {
        return parent.isService()
                ? now.objects().find(Service.class, Kind.SERVICE, parent.namespace(), parent.name())
                : now.objects().find(ServiceEntry.class, Kind.SERVICE_ENTRY, parent.namespace(), parent.name());
    }

    private static Map<String, ?> told(ParentRef parent, List<Map<String, ?>> conditions) {
        var ref = new LinkedHashMap<String, Object>();
        ref.put("group", parent.group());
        ref.put("kind", parent.kind());
        ref.put("namespace", parent.namespace());
        ref.put("name", parent.name());
        parent.port().ifPresent(port -> ref.put("port", port));
        parent.section().ifPresent(section -> ref.put("sectionName", section));
        return Map.of("parentRef", ref, "controllerName", Waypoints.CONTROLLER, "conditions", conditions);
    }

    private Map<String, ?> waypoint(KubeObject called) {
        var bound = waypoints.binding(called).waypoint().isPresent();
        return Wanted.condition(
                "ResolvedWaypoints",
                bound,
                "ResolvedWaypoints",
                bound
                        ? "All waypoints resolved"
                        : "the route has no effect: label the " + called.kind().text()
                                + " istio.io/use-waypoint with a waypoint that is ready");
    }

    /// A route may lead to the Service that was called without a grant.
    private Map<String, ?> resolved(Route route, ParentRef parent) {
        var all = destinations(route).toList();
        var refused = all.stream()
                .filter(destination -> !destination.namespace().isEmpty()
                        && !destination.namespace().equals(route.namespace())
                        && !(parent.isService()
                                && name(route, destination).equals(parent.namespace() + "/" + parent.name()))
                        && now.objects().all(ReferenceGrant.class).stream()
                                .noneMatch(grant -> grant.namespace().equals(destination.namespace())
                                        && grant.allowsService(route, destination.host())))
                .map(destination -> name(route, destination))
                .distinct()
                .collect(Collectors.joining(", "));
        if (!refused.isEmpty()) {
            return Wanted.condition(
                    "ResolvedRefs",
                    false,
                    "RefNotPermitted",
                    "no ReferenceGrant allows " + refused + " to be named from namespace " + route.namespace());
        }
        var foreign = all.stream()
                .map(HttpRule.Destination::broken)
                .filter(why -> why.startsWith("a backend of kind"))
                .findFirst();
        if (foreign.isPresent()) {
            return Wanted.condition("ResolvedRefs", false, "InvalidKind", foreign.get());
        }
        var missing = all.stream()
                .filter(destination -> destination.broken().isEmpty())
                .filter(destination -> !isKnown(route, destination))
                .map(destination -> destination.host().indexOf('.') < 0
                        ? "Service " + name(route, destination)
                        : "Service or ServiceEntry with host " + destination.host())
                .distinct()
                .collect(Collectors.joining(", "));
        return missing.isEmpty()
                ? Wanted.condition("ResolvedRefs", true, "ResolvedRefs", "All references resolved")
                : Wanted.condition("ResolvedRefs", false, "BackendNotFound", "there is no " + missing);
    }

    /// With a dot in it, it is a host.
    private boolean isKnown(Route route, HttpRule.Destination destination) {
        var name = name(route, destination);
        return destination.host().indexOf('.') < 0
                ? now.objects()
                        .find(Service.class, Kind.SERVICE, name.substring(0, name.indexOf('/')), destination.host())
                        .isPresent()
                : services.isKnown(destination.host());
    }

    private static String name(Route route, HttpRule.Destination destination) {
        return (destination.namespace().isEmpty() ? route.namespace() : destination.namespace()) + "/"
                + destination.host();
    }

    /// Mirrors included.
    private static Stream<HttpRule.Destination> destinations(Route route) {
        return switch (route) {
            case RawRoute raw -> raw.rules().stream().flatMap(rule -> rule.destinations().stream());
            case HttpRoute http ->
                http.rules().stream()
                        .flatMap(rule -> Stream.concat(
                                rule.action() instanceof HttpRule.Forward forward
                                        ? forward.destinations().stream()
                                        : Stream.of(),
                                rule.extras().mirrors().stream().map(HttpRule.Mirror::to)));
        };
    }
}
