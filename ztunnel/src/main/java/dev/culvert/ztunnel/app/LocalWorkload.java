package dev.culvert.ztunnel.app;

import com.fasterxml.jackson.databind.JsonNode;
import dev.culvert.mesh.model.workload.ApplicationTunnel;
import dev.culvert.mesh.model.workload.Locality;
import dev.culvert.mesh.model.workload.NamespacedHostname;
import dev.culvert.mesh.model.workload.TunnelProtocol;
import dev.culvert.mesh.model.workload.Workload;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// A workload of the local mesh file. Unlike in xDS there are no defaults for what decides about trust: what speaks
/// HBONE must say whose it is.
final class LocalWorkload {
    private static final Set<String> KEYS = Set.of(
            "workloadIps",
            "waypoint",
            "networkGateway",
            "protocol",
            "networkMode",
            "uid",
            "name",
            "namespace",
            "trustDomain",
            "serviceAccount",
            "network",
            "workloadName",
            "workloadType",
            "canonicalName",
            "canonicalRevision",
            "hostname",
            "node",
            "nativeTunnel",
            "applicationTunnel",
            "authorizationPolicies",
            "status",
            "clusterId",
            "locality",
            "services",
            "capacity");

    private final LocalItem from;

    LocalWorkload(JsonNode node, String what) {
        from = LocalItem.of(node, what, KEYS).requiring("workloadIps", "namespace", "services");
    }

    Workload read() {
        return new Workload(
                from.text("uid", "Kubernetes//Pod/" + from.text("namespace") + "/" + from.text("name")),
                place(),
                names(),
                from.addresses("workloadIps"),
                tunnel(),
                from.texts("authorizationPolicies"),
                from.choice("status", true, Map.of("Healthy", true, "Unhealthy", false)),
                from.text("hostname"),
                services(),
                from.number("capacity", 1));
    }

    private Workload.Place place() {
        return new Workload.Place(
                from.text("network"),
                from.text("clusterId"),
                from.text("node"),
                locality(),
                from.choice("networkMode", false, Map.of("Standard", false, "HostNetwork", true)));
    }

    private Locality locality() {
        if (!from.has("locality")) {
            return new Locality("", "", "");
        }
        var at = from.item("locality", Set.of("region", "zone", "subzone"));
        return new Locality(at.text("region"), at.text("zone"), at.text("subzone"));
    }

    private Workload.Names names() {
        return new Workload.Names(
                from.text("name"),
                from.text("namespace"),
                from.text("trustDomain", "cluster.local"),
                from.text("serviceAccount", "default"),
                from.text("canonicalName"),
                from.text("canonicalRevision"),
                from.text("workloadName"),
                from.text("workloadType"));
    }

    private Workload.Tunnel tunnel() {
        var protocol = from.choice(
                "protocol", TunnelProtocol.TCP, Map.of("TCP", TunnelProtocol.TCP, "HBONE", TunnelProtocol.HBONE));
        if (protocol == TunnelProtocol.HBONE) {
            from.requiring("trustDomain", "serviceAccount");
        }
        return new Workload.Tunnel(
                protocol,
                from.flag("nativeTunnel"),
                from.has("waypoint") ? from.gateway("waypoint") : null,
                from.has("networkGateway") ? from.gateway("networkGateway") : null,
                applicationTunnel(),
                Set.of());
    }

    private @Nullable ApplicationTunnel applicationTunnel() {
        if (!from.has("applicationTunnel")) {
            return null;
        }
        var tunnel = from.item("applicationTunnel", Set.of("protocol", "port")).requiring("protocol");
        return new ApplicationTunnel(
                tunnel.choice(
                        "protocol",
                        ApplicationTunnel.Protocol.NONE,
                        Map.of("NONE", ApplicationTunnel.Protocol.NONE, "PROXY", ApplicationTunnel.Protocol.PROXY)),
                tunnel.number("port", 0));
    }

    private Map<NamespacedHostname, Map<Integer, Integer>> services() {
        var services = new HashMap<NamespacedHostname, Map<Integer, Integer>>();
        var all = new LocalItem(from.node().get("services"), from.what() + ", 'services'");
        if (!all.node().isObject()) {
            throw all.wrong("expected {namespace/hostname: {servicePort: targetPort}}, found: " + all.node());
        }
        all.node().fieldNames().forEachRemaining(key -> services.put(from.hostname(key), all.ports(key)));
        return services;
    }

    static Workload withServices(Workload of, Map<NamespacedHostname, Map<Integer, Integer>> services) {
        return new Workload(
                of.uid(),
                of.place(),
                of.names(),
                of.addresses(),
                of.tunnel(),
                of.authorizationPolicies(),
                of.healthy(),
                of.hostname(),
                services,
                of.capacity());
    }
}
