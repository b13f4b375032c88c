package dev.culvert.istiod.waypoint;

import dev.culvert.istiod.ambient.MeshService;
import dev.culvert.kube.object.HttpRule.Destination;
import dev.culvert.kube.object.KubeObject;
import dev.culvert.kube.object.ObjectSet;
import dev.culvert.kube.object.Place;
import dev.culvert.kube.object.Problem;
import dev.culvert.kube.object.ReferenceGrant;
import dev.culvert.protos.waypoint.Backend;
import dev.culvert.protos.waypoint.Subset;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Finds the Services and subsets that routes of one object lead to. What cannot be found keeps its share of the
/// requests, and they are refused.
final class Backends {
    private final ObjectSet objects;
    private final Destinations destinations;
    private final List<Problem> problems;
    private final KubeObject object;

    Backends(ObjectSet objects, Destinations destinations, List<Problem> problems, KubeObject object) {
        this.objects = objects;
        this.destinations = destinations;
        this.problems = problems;
        this.object = object;
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
        var service = destinations.find(destination, object);
        if (service.isEmpty()) {
            return broken(
                    to,
                    place,
                    destination.host().indexOf('.') < 0
                            ? "there is no Service " + destination.host()
                            : "there is no Service " + destination.host() + ", and no ServiceEntry has that host");
        }
        var port = port(service.get(), destination, at);
        if (port.isEmpty()) {
            return broken(
                    to,
                    place,
                    service.get().shown() + " has several ports and none is named, or not "
                            + destination.port().map(String::valueOf).orElse("this one"));
        }
        if (!destination.subset().isEmpty()) {
            var labels = destinations.policies().subset(service.get(), destination.subset(), at.waypointNamespace());
            if (labels.isEmpty()) {
                return broken(
                        to,
                        place,
                        "no DestinationRule declares subset " + destination.subset() + " of "
                                + service.get().shown());
            }
            to.setSubset(Subset.newBuilder()
                    .setName(destination.subset())
                    .addAllWorkloads(destinations.services().workloads(service.get(), labels.get())));
        }
        destinations
                .policies()
                .of(service.get(), port.get(), destination.subset(), at.waypointNamespace())
                .ifPresent(to::setTraffic);
        return to.setNamespace(service.get().namespace())
                .setHostname(service.get().hostname())
                .setThroughWaypoint(destinations.isOnlyByItsWaypoint(service.get(), at.called()))
                .setPort(port.get());
    }

    /// The Service that was called needs no grant: its caller is there already.
    private boolean isGranted(Destination destination, @Nullable MeshService called) {
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

    /// The named port, else the only one, else that of the call.
    private static Optional<Integer> port(MeshService service, Destination destination, RuleTranslation.At at) {
        var ports = service.ports().stream().map(MeshService.Port::number).toList();
        if (destination.port().isPresent()) {
            return destination.port().filter(ports::contains);
        }
        return ports.size() == 1
                ? Optional.of(ports.getFirst())
                : Optional.of(at.port()).filter(ports::contains);
    }
}
