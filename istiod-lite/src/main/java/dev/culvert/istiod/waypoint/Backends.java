package dev.culvert.istiod.waypoint;

import dev.culvert.istiod.ambient.ServiceTranslation;
import dev.culvert.istiod.ambient.TranslationSettings;
import dev.culvert.istiod.ambient.WorkloadTranslation;
import dev.culvert.kube.object.HttpRule.Destination;
import dev.culvert.kube.object.Kind;
import dev.culvert.kube.object.KubeObject;
import dev.culvert.kube.object.ObjectSet;
import dev.culvert.kube.object.Place;
import dev.culvert.kube.object.Problem;
import dev.culvert.kube.object.ReferenceGrant;
import dev.culvert.kube.object.Route;
import dev.culvert.kube.object.Service;
import dev.culvert.protos.waypoint.Backend;
import dev.culvert.protos.waypoint.Subset;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Finds the Services and subsets that routes of one object lead to. What cannot be found keeps its share of the
/// requests, and they are refused.
final class Backends {
    private final ObjectSet objects;
    private final TranslationSettings settings;
    private final List<Problem> problems;
    private final KubeObject object;
    private final TrafficPolicies policies;

    Backends(
            ObjectSet objects,
            TranslationSettings settings,
            List<Problem> problems,
            TrafficPolicies policies,
            KubeObject object) {
        this.objects = objects;
        this.settings = settings;
        this.problems = problems;
        this.object = object;
        this.policies = policies;
    }

    Backend.Builder translate(Destination destination, Place place, RuleTranslation.At at) {
        var to = Backend.newBuilder()
                .setRequestHeaders(RuleTranslation.headers(destination.request()))
                .setResponseHeaders(RuleTranslation.headers(destination.response()));
        destination.authority().ifPresent(to::setAuthority);
        if (!destination.broken().isEmpty()) {
            return broken(to, place, destination.broken());
        }
        if (!isGranted(destination, at.called())) {
            return broken(
                    to,
                    place,
                    "RefNotPermitted: no ReferenceGrant in namespace " + destination.namespace() + " lets a "
                            + object.kind().text() + " of namespace " + object.namespace() + " name Service "
                            + destination.host());
        }
        var service = service(destination);
        if (service.isEmpty()) {
            return broken(to, place, "there is no Service " + destination.host());
        }
        var port = port(service.get(), destination, at);
        if (port.isEmpty()) {
            return broken(
                    to,
                    place,
                    "Service " + service.get().name() + " has several ports and none is named, or not "
                            + destination.port().map(String::valueOf).orElse("this one"));
        }
        if (!destination.subset().isEmpty()) {
            var labels = policies.subset(service.get(), destination.subset(), at.waypointNamespace());
            if (labels.isEmpty()) {
                return broken(
                        to,
                        place,
                        "no DestinationRule declares subset " + destination.subset() + " of Service "
                                + service.get().name());
            }
            to.setSubset(Subset.newBuilder()
                    .setName(destination.subset())
                    .addAllWorkloads(workloads(service.get(), labels.get(), objects, settings)));
        }
        policies.of(service.get(), port.get(), destination.subset(), at.waypointNamespace())
                .ifPresent(to::setTraffic);
        return to.setNamespace(service.get().namespace())
                .setHostname(ServiceTranslation.hostname(service.get(), settings))
                .setPort(port.get());
    }

    /// The Service that was called needs no grant: its caller is there already.
    private boolean isGranted(Destination destination, @Nullable Service called) {
        var foreign =
                !destination.namespace().isEmpty() && !destination.namespace().equals(object.namespace());
        return !foreign
                || (called != null
                        && destination.namespace().equals(called.namespace())
                        && destination.host().equals(called.name()))
                || objects.all(ReferenceGrant.class).stream()
                        .anyMatch(grant -> grant.namespace().equals(destination.namespace())
                                && grant.allowsService(object, destination.host()));
    }

    private Backend.Builder broken(Backend.Builder to, Place place, String why) {
        var status = RuleTranslation.refusal(object);
        problems.add(Problem.error(
                place,
                object.key().toString(),
                why + ": its share of the requests is answered with " + status,
                "correct the destination"));
        return to.setBrokenStatus(status);
    }

    private Optional<Service> service(Destination destination) {
        if (object instanceof Route) {
            var namespace = destination.namespace().isEmpty() ? object.namespace() : destination.namespace();
            return objects.find(Service.class, Kind.SERVICE, namespace, destination.host());
        }
        var hostname = RouteTables.full(destination.host(), object.namespace(), settings);
        return objects.services().stream()
                .filter(one -> ServiceTranslation.hostname(one, settings).equals(hostname))
                .findFirst();
    }

    /// The named port, else the only one, else that of the call.
    private static Optional<Integer> port(Service service, Destination destination, RuleTranslation.At at) {
        var ports = service.ports().stream().map(Service.Port::number).toList();
        if (destination.port().isPresent()) {
            return destination.port().filter(ports::contains);
        }
        return ports.size() == 1
                ? Optional.of(ports.getFirst())
                : Optional.of(at.port()).filter(ports::contains);
    }

    /// Pods of a Service that have more labels, by uid.
    static List<String> workloads(
            Service service, Map<String, String> labels, ObjectSet objects, TranslationSettings settings) {
        return objects.pods().stream()
                .filter(pod -> pod.namespace().equals(service.namespace())
                        && service.selects(pod.metadata().labels())
                        && pod.metadata().labels().entrySet().containsAll(labels.entrySet())
                        && !pod.finished())
                .map(pod -> WorkloadTranslation.uid(pod, settings))
                .sorted()
                .toList();
    }
}
