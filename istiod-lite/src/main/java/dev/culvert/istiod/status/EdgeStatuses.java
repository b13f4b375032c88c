package dev.culvert.istiod.status;

import dev.culvert.istiod.ambient.TranslationSettings;
import dev.culvert.istiod.ingress.Attachment;
import dev.culvert.istiod.ingress.EdgeGateway;
import dev.culvert.istiod.ingress.EdgeListener;
import dev.culvert.istiod.ingress.Verdict;
import dev.culvert.kube.object.Kind;
import dev.culvert.kube.object.ObjectSet;
import dev.culvert.kube.object.ParentRef;
import dev.culvert.kube.object.Route;
import dev.culvert.kube.object.Service;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What Gateways at the edge of the mesh, and those who write routes for them, are told. Pure, but for `deployed`.
record EdgeStatuses(TranslationSettings settings, Deployed deployed) {
    Wanted of(EdgeGateway edge, ObjectSet objects) {
        var gateway = edge.gateway();
        var addresses = objects.find(Service.class, Kind.SERVICE, gateway.namespace(), gateway.deployedName())
                .map(this::addresses)
                .orElse(List.of());
        return new Wanted(
                gateway.key(),
                gateway.metadata().generation(),
                Map.of(
                        "conditions",
                        List.of(accepted(edge), programmed(edge, !addresses.isEmpty())),
                        "addresses",
                        addresses,
                        "listeners",
                        edge.listeners().stream()
                                .map(listener -> listener(listener, edge, objects))
                                .toList()));
    }

    private Map<String, ?> accepted(EdgeGateway edge) {
        var problem = deployed.problem(edge.gateway());
        if (problem.isPresent()) {
            return Wanted.condition("Accepted", false, "InvalidParameters", problem.get());
        }
        var open = edge.listeners().stream().filter(EdgeListener::isOpen).count();
        return open == edge.listeners().size()
                ? Wanted.condition("Accepted", true, "Accepted", "Resource accepted")
                : Wanted.condition(
                        "Accepted",
                        open > 0,
                        "ListenersNotValid",
                        "some listeners cannot be served: see their conditions");
    }

    private Map<String, ?> programmed(EdgeGateway edge, boolean hasAddress) {
        var name = edge.gateway().deployedName();
        if (!hasAddress) {
            return Wanted.condition(
                    "Programmed",
                    false,
                    "AddressNotAssigned",
                    "Service " + name + " has no address yet: without a load balancer in the cluster, annotate the"
                            + " Gateway networking.istio.io/service-type: ClusterIP or NodePort");
        }
        return deployed.isReady(edge.gateway())
                ? Wanted.condition("Programmed", true, "Programmed", "Resource programmed, assigned to Service " + name)
                : Wanted.condition(
                        "Programmed",
                        false,
                        "AddressNotUsable",
                        "no pod of Deployment " + name + " is ready; look at its events and logs");
    }

    /// Those of the load balancer if the Service asks for one, else its own.
    private List<Map<String, String>> addresses(Service service) {
        var all = new ArrayList<Map<String, String>>();
        if (service.type() == Service.Type.LOAD_BALANCER) {
            service.balancers()
                    .forEach(text -> all.add(Map.of("type", isIp(text) ? "IPAddress" : "Hostname", "value", text)));
            return all;
        }
        service.addresses().forEach(address -> all.add(Map.of("type", "IPAddress", "value", address.getHostAddress())));
        if (!all.isEmpty()) {
            all.add(Map.of(
                    "type",
                    "Hostname",
                    "value",
                    service.name() + "." + service.namespace() + ".svc." + settings.clusterDomain()));
        }
        return all;
    }

    private static boolean isIp(String text) {
        return text.indexOf(':') >= 0 || text.chars().allMatch(c -> c == '.' || (c >= '0' && c <= '9'));
    }

    private static Map<String, ?> listener(EdgeListener listener, EdgeGateway edge, ObjectSet objects) {
        var attached = objects.all(Route.class).stream()
                .filter(route -> Attachment.taken(route, edge, objects).stream()
                        .anyMatch(taken -> taken.listener().equals(listener)))
                .count();
        return Map.of(
                "name",
                listener.said().name(),
                "attachedRoutes",
                attached,
                "supportedKinds",
                listener.kinds().stream()
                        .sorted()
                        .map(kind -> Map.of("group", ParentRef.GATEWAY_API, "kind", kind.text()))
                        .toList(),
                "conditions",
                List.of(
                        condition("Accepted", listener.accepted()),
                        condition("Conflicted", listener.conflicted()),
                        condition("Programmed", listener.programmed()),
                        condition("ResolvedRefs", listener.resolved())));
    }

    private static Map<String, ?> condition(String type, Verdict verdict) {
        return Wanted.condition(type, verdict.holds(), verdict.reason(), verdict.message());
    }

    /// Empty if the parent is no Gateway of ours.
    static Optional<Map<String, ?>> accepted(
            Route route, ParentRef parent, List<EdgeGateway> edges, ObjectSet objects) {
        return Attachment.of(route, parent, edges, objects)
                .map(attachment -> condition("Accepted", attachment.accepted()));
    }
}
