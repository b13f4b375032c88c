package dev.culvert.istiod.waypoint;

import dev.culvert.istiod.ambient.MeshService;
import dev.culvert.istiod.ambient.MeshServices;
import dev.culvert.istiod.ambient.TranslationSettings;
import dev.culvert.kube.object.ObjectSet;
import dev.culvert.kube.object.Problem;
import dev.culvert.kube.object.Service;
import dev.culvert.kube.object.TrafficPolicy.Tls;
import dev.culvert.protos.waypoint.Route;
import dev.culvert.protos.waypoint.TrafficPolicy;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// What routes and DestinationRules say to callers that choose endpoints themselves: the same as to a waypoint,
/// with the caller's namespace in place of the waypoint's. For one thread.
public final class CallerRules {
    private final List<Problem> problems = new ArrayList<>();
    private final Destinations destinations;
    private final RouteTables routes;
    private final TranslationSettings settings;

    public CallerRules(ObjectSet objects, TranslationSettings settings) {
        destinations = new Destinations(objects, settings, MeshServices.ofKubernetes(objects, settings));
        routes = new RouteTables(objects, settings, problems, destinations);
        this.settings = settings;
    }

    /// The first that matches counts.
    public List<Route> routes(Service service, int port, String namespace) {
        return routes.ofCallers(MeshService.of(service, settings), namespace, port);
    }

    /// How the endpoints are used.
    public TrafficPolicy traffic(Service service, int port, String subset, String namespace) {
        return destinations
                .policies()
                .of(MeshService.of(service, settings), port, subset, namespace)
                .orElseGet(TrafficPolicy::getDefaultInstance);
    }

    /// Whether callers speak TLS to the endpoints.
    public Optional<Tls> tls(Service service, int port, String subset, String namespace) {
        return destinations
                .policies()
                .said(MeshService.of(service, settings), port, subset, namespace)
                .tls();
    }

    /// The workloads of a subset, by uid; empty if nobody declares it.
    public Optional<Set<String>> subset(Service service, String subset, String namespace) {
        var called = MeshService.of(service, settings);
        return destinations
                .policies()
                .subset(called, subset, namespace)
                .map(labels -> Set.copyOf(destinations.services().workloads(called, labels)));
    }

    /// What was found meanwhile in the objects that were looked at, and forgets it.
    public List<Problem> problems() {
        var found = List.copyOf(problems);
        problems.clear();
        return found;
    }
}
