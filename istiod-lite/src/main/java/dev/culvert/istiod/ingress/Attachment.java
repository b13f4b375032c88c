package dev.culvert.istiod.ingress;

import dev.culvert.kube.object.Kind;
import dev.culvert.kube.object.Namespace;
import dev.culvert.kube.object.ObjectSet;
import dev.culvert.kube.object.ParentRef;
import dev.culvert.kube.object.Route;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What became of one parent that a route names.
/// @param taken listeners with the hosts that they have in common with the route; empty if `accepted` does not hold
public record Attachment(Verdict accepted, List<Taken> taken) {
    /// @param hosts one that is empty stands for all
    public record Taken(EdgeListener listener, List<String> hosts) {
        public Taken {
            hosts = List.copyOf(hosts);
        }
    }

    public Attachment {
        taken = List.copyOf(taken);
    }

    /// Empty if the parent is none of our gateways.
    public static Optional<Attachment> of(
            Route route, ParentRef parent, List<EdgeGateway> gateways, ObjectSet objects) {
        return gateways.stream()
                .filter(one -> names(parent, one))
                .findFirst()
                .map(one -> of(route, parent, one, objects));
    }

    private static boolean names(ParentRef parent, EdgeGateway gateway) {
        return parent.isGateway()
                && parent.namespace().equals(gateway.gateway().namespace())
                && parent.name().equals(gateway.gateway().name());
    }

    /// The listeners of one gateway that take a route, by any of its parents.
    public static List<Taken> taken(Route route, EdgeGateway gateway, ObjectSet objects) {
        return route.parents().stream()
                .filter(parent -> names(parent, gateway))
                .flatMap(parent -> of(route, parent, gateway, objects).taken.stream())
                .distinct()
                .toList();
    }

    private static Attachment of(Route route, ParentRef parent, EdgeGateway gateway, ObjectSet objects) {
        var named = gateway.listeners().stream()
                .filter(one -> parent.section().map(one.said().name()::equals).orElse(true))
                .filter(one ->
                        parent.port().map(port -> port == one.said().port()).orElse(true))
                .toList();
        if (named.isEmpty()) {
            return refused(
                    "NoMatchingParent",
                    "the Gateway has no listener with that sectionName or port; it has "
                            + gateway.listeners().stream()
                                    .map(one -> one.said().name())
                                    .toList());
        }
        var labels = labels(route.namespace(), objects);
        var allowed = named.stream()
                .filter(EdgeListener::isOpen)
                .filter(one -> one.kinds().contains(route.kind()))
                .filter(one -> one.said().admits(gateway.gateway().namespace(), route.namespace(), labels))
                .toList();
        if (allowed.isEmpty()) {
            return refused(
                    "NotAllowedByListeners",
                    "no listener takes a " + route.kind().text() + " of namespace " + route.namespace()
                            + "; see allowedRoutes and the conditions of the Gateway's listeners");
        }
        var taken = new ArrayList<Taken>();
        for (var listener : allowed) {
            var hosts = Hosts.common(listener.said().hostname(), route.hostnames());
            if (!hosts.isEmpty()) {
                taken.add(new Taken(listener, hosts));
            }
        }
        return taken.isEmpty()
                ? refused(
                        "NoMatchingListenerHostname",
                        "none of its hostnames " + route.hostnames() + " is one of a listener")
                : new Attachment(new Verdict(true, "Accepted", "Route was valid"), taken);
    }

    private static Map<String, String> labels(String namespace, ObjectSet objects) {
        return objects.find(Namespace.class, Kind.NAMESPACE, "", namespace)
                .map(one -> one.metadata().labels())
                .orElse(Map.of());
    }

    private static Attachment refused(String reason, String why) {
        return new Attachment(Verdict.no(reason, why), List.of());
    }
}
