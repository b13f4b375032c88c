package dev.culvert.ztunnel.app;

import com.fasterxml.jackson.databind.JsonNode;
import dev.culvert.mesh.model.workload.Cidr;
import dev.culvert.mesh.model.workload.LoadBalancing;
import dev.culvert.mesh.model.workload.LoadBalancing.HealthPolicy;
import dev.culvert.mesh.model.workload.LoadBalancing.Mode;
import dev.culvert.mesh.model.workload.LoadBalancing.Scope;
import dev.culvert.mesh.model.workload.NamespacedHostname;
import dev.culvert.mesh.model.workload.Service;
import dev.culvert.mesh.model.workload.Service.IpFamilies;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// A service of the local mesh file.
final class LocalService {
    private static final Set<String> KEYS = Set.of(
            "name",
            "namespace",
            "hostname",
            "vips",
            "cidrVips",
            "ports",
            "endpoints",
            "subjectAltNames",
            "waypoint",
            "weightedWaypoints",
            "loadBalancer",
            "ipFamilies",
            "canonical",
            "visibility");
    private static final Map<String, Scope> SCOPES = Map.of(
            "Region", Scope.REGION,
            "Zone", Scope.ZONE,
            "Subzone", Scope.SUBZONE,
            "Node", Scope.NODE,
            "Cluster", Scope.CLUSTER,
            "Network", Scope.NETWORK);
    private static final Map<String, Mode> MODES = Map.of(
            "Standard", Mode.STANDARD,
            "Strict", Mode.STRICT,
            "Failover", Mode.FAILOVER,
            "Passthrough", Mode.PASSTHROUGH);

    private final LocalItem from;

    LocalService(JsonNode node, String what) {
        from = LocalItem.of(node, what, KEYS).requiring("name", "namespace", "hostname", "vips", "ports");
    }

    NamespacedHostname key() {
        return from.hostname(from.text("namespace") + "/" + from.text("hostname"));
    }

    Service read() {
        return new Service(
                from.text("name"),
                key(),
                from.networkAddresses("vips"),
                cidrVips(),
                from.ports("ports"),
                from.texts("subjectAltNames"),
                from.has("waypoint") ? from.gateway("waypoint") : null,
                weightedWaypoints(),
                loadBalancing(),
                from.choice(
                        "ipFamilies",
                        IpFamilies.AUTOMATIC,
                        Map.of("IPv4", IpFamilies.IPV4_ONLY, "IPv6", IpFamilies.IPV6_ONLY, "Dual", IpFamilies.DUAL)),
                from.flag("canonical"),
                from.choice("visibility", false, Map.of("Public", false, "Namespace", true)));
    }

    private List<Service.CidrVip> cidrVips() {
        return items("cidrVips", Set.of("network", "cidr")).stream()
                .map(vip -> new Service.CidrVip(vip.text("network"), cidr(vip)))
                .toList();
    }

    private static Cidr cidr(LocalItem vip) {
        try {
            return LocalPolicy.cidr(vip.text("cidr"));
        } catch (IllegalArgumentException bad) {
            throw vip.wrong(String.valueOf(bad.getMessage()));
        }
    }

    private List<Service.WeightedWaypoint> weightedWaypoints() {
        return items("weightedWaypoints", Set.of("destination", "weight")).stream()
                .map(waypoint -> waypoint.requiring("destination", "weight"))
                .map(waypoint ->
                        new Service.WeightedWaypoint(waypoint.gateway("destination"), waypoint.number("weight", 0)))
                .toList();
    }

    private List<LocalItem> items(String key, Set<String> keys) {
        return from.list(key).stream()
                .map(node -> LocalItem.of(node, from.what() + ", '" + key + "'", keys))
                .toList();
    }

    private LoadBalancing loadBalancing() {
        if (!from.has("loadBalancer")) {
            return LoadBalancing.STANDARD;
        }
        var balancer = from.item("loadBalancer", Set.of("routingPreferences", "mode", "healthPolicy"));
        return new LoadBalancing(
                balancer.choices("routingPreferences", SCOPES),
                balancer.choice("mode", Mode.STANDARD, MODES),
                balancer.choice(
                        "healthPolicy",
                        HealthPolicy.ONLY_HEALTHY,
                        Map.of("OnlyHealthy", HealthPolicy.ONLY_HEALTHY, "AllowAll", HealthPolicy.ALLOW_ALL)));
    }

    /// Ports by uid of the workload.
    Map<String, Map<Integer, Integer>> endpoints() {
        var all = new HashMap<String, Map<Integer, Integer>>();
        for (var entry : from.node().path("endpoints").properties()) {
            var endpoint = LocalItem.of(
                    entry.getValue(), from.what() + ", 'endpoints'", Set.of("workloadUid", "port", "status"));
            all.put(entry.getKey(), endpoint.ports("port"));
        }
        return all;
    }
}
