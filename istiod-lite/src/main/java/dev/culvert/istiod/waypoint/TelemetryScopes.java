package dev.culvert.istiod.waypoint;

import dev.culvert.istiod.ambient.L7Targets;
import dev.culvert.istiod.ambient.MeshService;
import dev.culvert.istiod.ambient.TranslationSettings;
import dev.culvert.istiod.ambient.Waypoints.Binding;
import dev.culvert.istiod.ingress.EdgeGateway;
import dev.culvert.istiod.ingress.EdgePods;
import dev.culvert.kube.object.ObjectSet;
import dev.culvert.kube.object.Telemetry;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Stream;

/// Which Telemetry objects are for what, the nearest last: the mesh's, those of namespaces, those that name a gateway,
/// those that name a Service. Of several for a whole namespace the oldest counts.
final class TelemetryScopes {
    private final ObjectSet objects;
    private final TranslationSettings settings;
    private final Set<Telemetry> used = new HashSet<>();

    TelemetryScopes(ObjectSet objects, TranslationSettings settings) {
        this.objects = objects;
        this.settings = settings;
    }

    List<Telemetry> of(MeshService service, Binding binding) {
        return all(
                namespaces(binding.wanted().substring(0, binding.wanted().indexOf('/')), service.namespace()),
                one -> L7Targets.meansGateway(one, one.targetRefs(), binding, settings),
                one -> L7Targets.meansService(one, one.targetRefs(), service));
    }

    /// Of pods that are called by their own addresses.
    List<Telemetry> of(Binding binding) {
        return all(
                namespaces(binding.wanted().substring(0, binding.wanted().indexOf('/'))),
                one -> L7Targets.meansGateway(one, one.targetRefs(), binding, settings));
    }

    List<Telemetry> of(EdgePods pods) {
        var own = List.of(settings.rootNamespace(), pods.namespace());
        return all(
                namespaces(pods.namespace()),
                one -> one.targetRefs().isEmpty()
                        && !one.selector().isEmpty()
                        && own.contains(one.namespace())
                        && pods.labels().entrySet().containsAll(one.selector().entrySet()),
                one -> pods.gateway()
                        .map(EdgeGateway::gateway)
                        .filter(gateway -> L7Targets.meansEdge(one, one.targetRefs(), gateway, settings))
                        .isPresent());
    }

    private Set<String> namespaces(String... more) {
        var all = new LinkedHashSet<String>();
        all.add(settings.rootNamespace());
        all.addAll(List.of(more));
        return all;
    }

    @SafeVarargs
    private List<Telemetry> all(Set<String> namespaces, Predicate<Telemetry>... nearer) {
        var found = new ArrayList<Telemetry>();
        namespaces.stream().flatMap(this::whole).forEach(found::add);
        for (var each : nearer) {
            objects.all(Telemetry.class).stream()
                    .filter(each)
                    .sorted(RouteTables.OLDEST.reversed())
                    .forEach(found::add);
        }
        used.addAll(found);
        return found;
    }

    private Stream<Telemetry> whole(String namespace) {
        return objects.all(Telemetry.class, namespace).stream()
                .filter(one -> one.selector().isEmpty() && one.targetRefs().isEmpty())
                .min(RouteTables.OLDEST)
                .stream();
    }

    /// Whether anything so far was told to do as it says.
    boolean isUsed(Telemetry object) {
        return used.contains(object);
    }
}
