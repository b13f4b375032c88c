package dev.culvert.istiod.ingress;

import dev.culvert.istiod.ambient.Waypoints;
import dev.culvert.kube.object.Gateway;
import dev.culvert.kube.object.IstioGateway;
import dev.culvert.kube.object.ObjectSet;
import dev.culvert.kube.object.Pod;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// Pods at the edge of the mesh that share an account: those of a Gateway of the Gateway API, and those that somebody
/// deploys himself.
/// @param name for logs
/// @param labels that all of them have
/// @param gateway that they run for; empty for those of others
public record EdgePods(
        String namespace, String account, String name, Map<String, String> labels, Optional<EdgeGateway> gateway) {
    /// What Istio's charts write on gateways' pods.
    private static final String TEMPLATES = "inject.istio.io/templates";

    private record Account(String namespace, String name) {}

    public EdgePods {
        labels = Map.copyOf(labels);
    }

    /// Those of Gateways first.
    public static List<EdgePods> all(ObjectSet objects) {
        var all = new ArrayList<EdgePods>();
        EdgeGateway.all(objects).forEach(gateway -> all.add(of(gateway)));
        var deployed =
                all.stream().map(one -> new Account(one.namespace, one.account)).toList();
        byHand(objects).forEach((account, labels) -> {
            if (!deployed.contains(account)) {
                all.add(new EdgePods(account.namespace, account.name, account.name, labels, Optional.empty()));
            }
        });
        return all;
    }

    private static EdgePods of(EdgeGateway gateway) {
        var said = gateway.gateway();
        return new EdgePods(
                said.namespace(), said.deployedName(), said.name(), gateway.podLabels(), Optional.of(gateway));
    }

    /// By namespace and account, in this order; all are told the same, so that only labels of all count.
    private static Map<Account, Map<String, String>> byHand(ObjectSet objects) {
        var found = new HashMap<Account, Map<String, String>>();
        for (var pod : objects.pods()) {
            if (isGateway(pod)) {
                found.merge(
                        new Account(pod.namespace(), pod.spec().serviceAccount()),
                        pod.metadata().labels(),
                        EdgePods::common);
            }
        }
        var sorted = new TreeMap<Account, Map<String, String>>(
                Comparator.comparing(Account::namespace).thenComparing(Account::name));
        sorted.putAll(found);
        return sorted;
    }

    private static boolean isGateway(Pod pod) {
        return !pod.finished()
                && pod.metadata().label(Waypoints.GATEWAY_NAME).isEmpty()
                && pod.metadata()
                        .annotation(TEMPLATES)
                        .filter("gateway"::equals)
                        .isPresent();
    }

    private static Map<String, String> common(Map<String, String> some, Map<String, String> others) {
        var common = new HashMap<>(some);
        common.entrySet().retainAll(others.entrySet());
        return common;
    }

    /// Of the resource that they are told.
    public String resourceName() {
        return namespace + "/" + account + "/listeners";
    }

    /// Istio's Gateways that are for them, the oldest first.
    public List<IstioGateway> servers(ObjectSet objects) {
        return objects.all(IstioGateway.class).stream()
                .filter(one -> one.selects(labels))
                .sorted(Comparator.comparing(
                                (IstioGateway one) -> one.metadata().created().orElse(Instant.MAX))
                        .thenComparing(IstioGateway::reference))
                .toList();
    }

    /// Ports of Istio's Gateways that clients come to, beside those of its listeners.
    public static List<Integer> morePorts(Gateway gateway, ObjectSet objects) {
        if (!EdgeGateway.isOne(gateway, objects)) {
            return List.of();
        }
        var own = EdgeGateway.ports(gateway);
        return of(EdgeGateway.of(gateway, objects)).servers(objects).stream()
                .flatMap(one -> one.servers().stream())
                .filter(server -> server.broken().isEmpty())
                .map(IstioGateway.Server::port)
                .filter(port -> !own.contains(port) && !Listeners.RESERVED.contains(port))
                .distinct()
                .sorted()
                .toList();
    }
}
