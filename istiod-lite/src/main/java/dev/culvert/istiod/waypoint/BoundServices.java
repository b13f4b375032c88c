package dev.culvert.istiod.waypoint;

import dev.culvert.istiod.ambient.TranslationSettings;
import dev.culvert.istiod.ingress.EdgePods;
import dev.culvert.istiod.ingress.Hosts;
import dev.culvert.kube.object.Gateway;
import dev.culvert.kube.object.IstioGateway;
import dev.culvert.kube.object.Kind;
import dev.culvert.kube.object.ObjectSet;
import dev.culvert.kube.object.Problem;
import dev.culvert.kube.object.VirtualService;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/// Which VirtualServices are bound to which hosts of Istio's Gateways, and what their authors should know of it.
final class BoundServices {
    private final ObjectSet objects;
    private final TranslationSettings settings;
    private final Set<VirtualService> bound = new HashSet<>();

    /// @param hosts in common with the server; one that is empty stands for all
    record Bound(VirtualService service, List<String> hosts) {
        Bound {
            hosts = List.copyOf(hosts);
        }
    }

    BoundServices(ObjectSet objects, TranslationSettings settings) {
        this.objects = objects;
        this.settings = settings;
    }

    /// The oldest first.
    /// @param namespace of the gateway's pods
    List<Bound> of(IstioGateway gateway, IstioGateway.Host host, String namespace) {
        var found = objects.all(VirtualService.class).stream()
                .filter(one -> one.gateways().contains(gateway.reference()))
                .filter(one -> host.admits(one.namespace()))
                .filter(one -> MeshDefaults.shows(one, namespace, objects, settings))
                .sorted(RouteTables.OLDEST)
                .map(one -> new Bound(one, Hosts.common(host.name(), hosts(one))))
                .filter(one -> !one.hosts.isEmpty())
                .toList();
        found.forEach(one -> bound.add(one.service));
        return found;
    }

    /// Whole names; a delegate has none.
    private List<String> hosts(VirtualService service) {
        return names(service.hosts().stream()
                .map(host -> host.equals("*") ? host : RouteTables.full(host, service.namespace(), settings))
                .toList());
    }

    /// In lower case, with nothing for all.
    static List<String> names(List<String> hosts) {
        return hosts.stream()
                .map(host -> host.equals("*") ? "" : host.toLowerCase(Locale.ROOT))
                .toList();
    }

    // ---- what authors should know ----

    /// After all have been asked for.
    void check(List<EdgePods> pods, List<Problem> problems) {
        for (var gateway : objects.all(IstioGateway.class)) {
            if (pods.stream().noneMatch(one -> gateway.selects(one.labels()))) {
                problems.add(Problem.unused(
                        gateway.place(),
                        gateway.key().toString(),
                        "no gateway's pods have the labels of spec.selector " + gateway.selector(),
                        "write these labels under spec.infrastructure.labels of a Gateway of class istio or culvert"));
            }
        }
        objects.all(VirtualService.class).forEach(one -> check(one, problems));
    }

    private void check(VirtualService service, List<Problem> problems) {
        for (var name : service.gateways()) {
            if (!name.equals(VirtualService.MESH) && find(name).isEmpty()) {
                problems.add(Problem.error(
                        service.place(),
                        service.key().toString(),
                        isOfGatewayApi(name)
                                ? "Gateway " + name + " is one of the Gateway API, which takes no VirtualServices"
                                : "there is no Gateway " + name + " of networking.istio.io: nobody comes in by it",
                        isOfGatewayApi(name) ? "write an HTTPRoute" : "create it, or correct spec.gateways"));
            }
        }
        var named =
                service.gateways().stream().flatMap(name -> find(name).stream()).toList();
        if (!named.isEmpty() && !bound.contains(service) && !service.hosts().isEmpty()) {
            var why = "none of its hosts " + service.hosts() + " is one that the servers of "
                    + String.join(
                            ", ", named.stream().map(IstioGateway::reference).toList())
                    + " have for namespace " + service.namespace() + ", or no pods run for these";
            var fix = "write a host of the Gateway's servers, and let exportTo include the namespace of its pods";
            problems.add(
                    service.inMesh()
                            ? Problem.warning(service.place(), service.key().toString(), "at the edge: " + why, fix)
                            : Problem.unused(service.place(), service.key().toString(), why, fix));
        }
    }

    private Optional<IstioGateway> find(String reference) {
        var slash = reference.indexOf('/');
        return slash < 0
                ? Optional.empty()
                : objects.find(
                        IstioGateway.class,
                        Kind.ISTIO_GATEWAY,
                        reference.substring(0, slash),
                        reference.substring(slash + 1));
    }

    private boolean isOfGatewayApi(String reference) {
        var slash = reference.indexOf('/');
        return objects.find(Gateway.class, Kind.GATEWAY, reference.substring(0, slash), reference.substring(slash + 1))
                .isPresent();
    }
}
