package dev.culvert.istiod.waypoint;

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
    private final TrafficPolicies policies;
    private final RouteTables routes;
    private final ObjectSet objects;
    private final TranslationSettings settings;

    public CallerRules(ObjectSet objects, TranslationSettings settings) {
        policies = new TrafficPolicies(objects, settings);
        routes = new RouteTables(objects, settings, problems);
        this.objects = objects;
        this.settings = settings;
    }

    /// The first that matches counts.
    public List<Route> routes(Service service, int port, String namespace) {
        return routes.ofCallers(service, namespace, port);
    }

    /// How the endpoints are used.
    public TrafficPolicy traffic(Service service, int port, String subset, String namespace) {
        return policies.of(service, port, subset, namespace).orElseGet(TrafficPolicy::getDefaultInstance);
    }

    /// Whether callers speak TLS to the endpoints.
    public Optional<Tls> tls(Service service, int port, String subset, String namespace) {
        return policies.said(service, port, subset, namespace).tls();
    }

    /// The workloads of a subset, by uid; empty if nobody declares it.
    public Optional<Set<String>> subset(Service service, String subset, String namespace) {
        return policies.subset(service, subset, namespace)
                .map(labels -> Set.copyOf(Backends.workloads(service, labels, objects, settings)));
    }

    /// What was found meanwhile in the objects that were looked at, and forgets it.
    public List<Problem> problems() {
        var found = List.copyOf(problems);
        problems.clear();
        return found;
    }
}
