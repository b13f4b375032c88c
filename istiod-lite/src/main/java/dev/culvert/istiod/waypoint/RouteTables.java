package dev.culvert.istiod.waypoint;

import dev.culvert.istiod.ambient.MeshService;
import dev.culvert.istiod.ambient.TranslationSettings;
import dev.culvert.istiod.ambient.Waypoints.Waypoint;
import dev.culvert.kube.object.HttpRoute;
import dev.culvert.kube.object.Kind;
import dev.culvert.kube.object.KubeObject;
import dev.culvert.kube.object.ObjectSet;
import dev.culvert.kube.object.ParentRef;
import dev.culvert.kube.object.Problem;
import dev.culvert.kube.object.RawRoute;
import dev.culvert.kube.object.RawRule;
import dev.culvert.kube.object.VirtualService;
import dev.culvert.protos.waypoint.Backend;
import dev.culvert.protos.waypoint.Forward;
import dev.culvert.protos.waypoint.Route;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/// The routes of each port of a Service: HTTPRoutes and GRPCRoutes, else VirtualServices oldest first, else one
/// route to the Service itself. Before them comes what namespaces of callers have said for themselves.
final class RouteTables {
    static final Comparator<KubeObject> OLDEST = Comparator.comparing(
                    (KubeObject one) -> one.metadata().created().orElse(Instant.MAX))
            .thenComparing(KubeObject::namespace)
            .thenComparing(KubeObject::name);

    private final ObjectSet objects;
    private final TranslationSettings settings;
    private final List<Problem> problems;
    private final Delegates delegates;
    private final Destinations destinations;
    private final HttpRoutes httpRoutes;
    private final Set<KubeObject> used = new HashSet<>();

    RouteTables(ObjectSet objects, TranslationSettings settings, List<Problem> problems, Destinations destinations) {
        this.objects = objects;
        this.settings = settings;
        this.problems = problems;
        this.delegates = new Delegates(objects, problems);
        this.destinations = destinations;
        this.httpRoutes = new HttpRoutes(this::translation);
    }

    List<Route> of(MeshService service, Waypoint waypoint, int port) {
        var namespace = waypoint.gateway().namespace();
        var at = new RuleTranslation.At(service, namespace, port);
        var attached = attached(HttpRoute.class, service, port);
        used.addAll(attached);
        var byNearness = attached.stream().collect(Collectors.partitioningBy(one -> isNear(one, service, namespace)));
        var routes = new ArrayList<Route>();
        routes.addAll(httpRoutes.ofConsumers(Objects.requireNonNull(byNearness.get(false)), at));
        routes.addAll(ofProducers(Objects.requireNonNull(byNearness.get(true)), service, namespace, at));
        return routes;
    }

    /// For callers of a namespace that choose endpoints themselves: HTTPRoutes and GRPCRoutes of that namespace,
    /// else what is for everybody.
    List<Route> ofCallers(MeshService service, String namespace, int port) {
        var at = new RuleTranslation.At(service, namespace, port);
        var attached = attached(HttpRoute.class, service, port);
        var own = attached.stream()
                .filter(one -> one.namespace().equals(namespace))
                .toList();
        if (!own.isEmpty()) {
            return httpRoutes.ofEverybody(own, at);
        }
        var ofService = attached.stream()
                .filter(one -> one.namespace().equals(service.namespace()))
                .toList();
        return ofProducers(ofService, service, namespace, at);
    }

    private List<Route> ofProducers(
            List<HttpRoute> attached, MeshService service, String namespace, RuleTranslation.At at) {
        var virtualServices = virtualServices(service, namespace);
        used.addAll(virtualServices);
        if (!attached.isEmpty()) {
            virtualServices.forEach(shadowed -> problems.add(Problem.warning(
                    shadowed.place(),
                    shadowed.key().toString(),
                    "has no effect on " + service.shown() + ": an HTTPRoute is attached to it",
                    "remove one of the two")));
            return httpRoutes.ofEverybody(attached, at);
        }
        var routes = new ArrayList<Route>();
        for (var one : virtualServices) {
            routes.addAll(ofVirtualService(one, VirtualService.MESH, at));
        }
        return routes.isEmpty() ? List.of(toItself(service, at)) : routes;
    }

    /// @param gateway by which calls come, or `mesh`
    List<Route> ofVirtualService(VirtualService one, String gateway, RuleTranslation.At at) {
        used.add(one);
        return delegates.rules(one, gateway).stream()
                .flatMap(resolved ->
                        translation(resolved.author()).translate(resolved.rule(), resolved.index(), at).stream())
                .toList();
    }

    private RuleTranslation translation(KubeObject author) {
        return new RuleTranslation(objects, settings, problems, destinations, author);
    }

    /// Where connections without HTTP go; empty: to the Service itself. TLSRoutes come before TCPRoutes, and both
    /// before
    /// VirtualServices.
    Optional<Forward> raw(MeshService service, Waypoint waypoint, int port) {
        var namespace = waypoint.gateway().namespace();
        var at = new RuleTranslation.At(service, namespace, port);
        var attached = attached(RawRoute.class, service, port).stream()
                .filter(route -> isNear(route, service, namespace))
                .sorted(Comparator.comparing(route -> route.kind() == Kind.TCP_ROUTE))
                .toList();
        used.addAll(attached);
        var hostname = service.hostname();
        var found = attached.stream()
                .flatMap(route -> route.rules().stream().limit(1).map(rule -> raw(rule, route, at)))
                .findFirst();
        if (found.isPresent()) {
            return found;
        }
        return virtualServices(service, namespace).stream()
                .flatMap(one -> one.raw().stream()
                        .filter(rule -> rule.matches(VirtualService.MESH, port).stream()
                                .map(RawRule.Match::serverNames)
                                .anyMatch(names -> names.isEmpty() || names.equals(List.of(hostname))))
                        .map(rule -> raw(rule, one, at)))
                .findFirst()
                .or(() -> defaults(service, at));
    }

    Forward raw(RawRule rule, KubeObject author, RuleTranslation.At at) {
        var backends = new Backends(objects, destinations, problems, author);
        var several = rule.destinations().size() > 1;
        var to = Forward.newBuilder();
        for (var destination : rule.destinations()) {
            to.addBackends(
                    backends.translate(destination, rule.place(), at).setWeight(several ? destination.weight() : 1));
        }
        return to.build();
    }

    /// The Service itself, where something is said of how its endpoints are used.
    private Optional<Forward> defaults(MeshService service, RuleTranslation.At at) {
        var itself = itself(service, at);
        return itself.hasTraffic()
                ? Optional.of(Forward.newBuilder().addBackends(itself).build())
                : Optional.empty();
    }

    private <R extends dev.culvert.kube.object.Route> List<R> attached(Class<R> type, MeshService service, int port) {
        return objects.all(type).stream()
                .filter(route -> route.parents().stream()
                        .anyMatch(parent -> service.isParent(parent)
                                && parent.port().map(one -> one == port).orElse(true)))
                .sorted(OLDEST)
                .toList();
    }

    private List<VirtualService> virtualServices(MeshService service, String namespace) {
        var hostname = service.hostname();
        return objects.all(VirtualService.class).stream()
                .filter(one -> one.inMesh() && isNear(one, service, namespace))
                .filter(one -> MeshDefaults.shows(one, namespace, objects, settings))
                .filter(one -> one.hosts().stream().anyMatch(host -> names(host, one.namespace(), hostname)))
                .sorted(OLDEST)
                .toList();
    }

    /// Of the Service's own namespace or of the one of who carries the routes out: such a route is for everybody,
    /// others are for their own namespace only.
    private static boolean isNear(KubeObject route, MeshService service, String namespace) {
        return route.namespace().equals(service.namespace())
                || route.namespace().equals(namespace);
    }

    private boolean names(String host, String namespace, String hostname) {
        if (host.equals("*")) {
            return true;
        }
        return host.startsWith("*.")
                ? hostname.endsWith(host.substring(1))
                : full(host, namespace, settings).equals(hostname);
    }

    /// A name without a dot is one of the object's namespace.
    static String full(String host, String namespace, TranslationSettings settings) {
        return host.indexOf('.') < 0 ? host + "." + namespace + ".svc." + settings.clusterDomain() : host;
    }

    private Route toItself(MeshService service, RuleTranslation.At at) {
        return Route.newBuilder()
                .setName("default")
                .setForward(Forward.newBuilder()
                        .setRetry(MeshDefaults.retry(objects, settings))
                        .addBackends(itself(service, at)))
                .build();
    }

    private Backend itself(MeshService service, RuleTranslation.At at) {
        var to = Backend.newBuilder()
                .setWeight(1)
                .setNamespace(service.namespace())
                .setHostname(service.hostname())
                .setPort(at.port());
        destinations
                .policies()
                .of(service, at.port(), "", at.waypointNamespace())
                .ifPresent(to::setTraffic);
        return to.build();
    }

    /// Of a listener at the edge.
    List<Route> ofHttpRoutes(List<HttpRoute> attached, RuleTranslation.At at) {
        return httpRoutes.ofEverybody(attached, at);
    }

    /// Of a listener at the edge that does not look into connections.
    Optional<Forward> ofRawRoute(RawRoute attached, RuleTranslation.At at) {
        return attached.rules().stream()
                .limit(1)
                .map(rule -> raw(rule, attached, at))
                .findFirst();
    }

    /// Routes that are for nothing that a waypoint serves, or have rules that do nothing.
    void check() {
        used.addAll(delegates.used());
        for (var one : objects.all(VirtualService.class)) {
            if (one.inMesh() || one.hosts().isEmpty()) {
                checkUsed(one);
            }
            RouteAdvice.check(one, problems);
        }
        destinations.policies().check(problems);
        for (var one : objects.all(dev.culvert.kube.object.Route.class)) {
            if (one.parents().stream().anyMatch(ParentRef::isCalled)) {
                checkUsed(one);
            }
        }
    }

    private void checkUsed(KubeObject route) {
        if (!used.contains(route)) {
            problems.add(Problem.unused(
                    route.place(),
                    route.key().toString(),
                    "it is for no Service that has a waypoint, and no such ServiceEntry"
                            + (route instanceof VirtualService one && !MeshDefaults.shows(one, "", objects, settings)
                                    ? ", or exportTo hides it from that waypoint"
                                    : ""),
                    "label that or its namespace istio.io/use-waypoint: NAME, and write the route in its"
                            + " namespace; gRPC clients that dial xds:/// need no waypoint"));
        }
    }
}
