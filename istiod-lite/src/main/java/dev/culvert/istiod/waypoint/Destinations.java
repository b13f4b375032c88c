package dev.culvert.istiod.waypoint;

import dev.culvert.istiod.ambient.L7Targets;
import dev.culvert.istiod.ambient.MeshService;
import dev.culvert.istiod.ambient.MeshServices;
import dev.culvert.istiod.ambient.TranslationSettings;
import dev.culvert.istiod.ambient.Waypoints;
import dev.culvert.kube.object.HttpRule.Destination;
import dev.culvert.kube.object.KubeObject;
import dev.culvert.kube.object.ObjectSet;
import dev.culvert.kube.object.Route;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Where routes can lead to, and how it is used. For one thread.
final class Destinations {
    private final ObjectSet objects;
    private final TranslationSettings settings;
    private final MeshServices services;
    private final TrafficPolicies policies;
    private final Waypoints waypoints;
    private final Map<MeshService, Boolean> governed = new HashMap<>();

    Destinations(ObjectSet objects, TranslationSettings settings, MeshServices services) {
        this.objects = objects;
        this.settings = settings;
        this.services = services;
        this.policies = new TrafficPolicies(objects, settings, services);
        this.waypoints = new Waypoints(objects, settings);
    }

    MeshServices services() {
        return services;
    }

    TrafficPolicies policies() {
        return policies;
    }

    /// What an author means by a destination. A route of the Gateway API names a Service, or, with a dot in it, a host.
    Optional<MeshService> find(Destination destination, KubeObject author) {
        var host = destination.host();
        if (author instanceof Route && host.indexOf('.') < 0) {
            var namespace = destination.namespace().isEmpty() ? author.namespace() : destination.namespace();
            return services.named(RouteTables.full(host, namespace, settings), namespace);
        }
        return services.named(RouteTables.full(host, author.namespace(), settings), author.namespace());
    }

    /// Whether somebody else than its waypoint has to ask that for it: of a ServiceEntry that an L7 policy governs
    /// nobody else refuses who does not.
    /// @param called what the one who asks governs; null at the edge of the mesh
    boolean isOnlyByItsWaypoint(MeshService service, @Nullable MeshService called) {
        if (!service.isEntry() || service.equals(called)) {
            return false;
        }
        var binding = waypoints.of(service);
        var ours = called != null
                && binding.waypoint().isPresent()
                && binding.waypoint().equals(waypoints.of(called).waypoint());
        return !ours
                && governed.computeIfAbsent(service, _ -> L7Targets.isGoverned(service, binding, objects, settings));
    }
}
