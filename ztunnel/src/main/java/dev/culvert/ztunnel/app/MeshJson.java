package dev.culvert.ztunnel.app;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.culvert.mesh.model.policy.Match;
import dev.culvert.mesh.model.policy.Policy;
import dev.culvert.mesh.model.policy.StringMatch;
import dev.culvert.mesh.model.state.Endpoint;
import dev.culvert.mesh.model.state.MeshSnapshot;
import dev.culvert.mesh.model.workload.Addresses;
import dev.culvert.mesh.model.workload.GatewayAddress;
import dev.culvert.mesh.model.workload.LoadBalancing;
import dev.culvert.mesh.model.workload.Service;
import dev.culvert.mesh.model.workload.Workload;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// Workloads, services and policies as `/config_dump` shows them. What has its default is mostly left out.
final class MeshJson {
    private MeshJson() {}

    static void workload(ObjectNode out, Workload workload) {
        var names = workload.names();
        var ips = out.putArray("workloadIps");
        workload.addresses().forEach(ip -> ips.add(Addresses.text(ip)));
        workload.waypoint().ifPresent(waypoint -> gateway(out.putObject("waypoint"), waypoint));
        var gateway = workload.tunnel().networkGateway();
        if (gateway != null) {
            gateway(out.putObject("networkGateway"), gateway);
        }
        out.put("protocol", workload.tunnel().protocol().name());
        out.put("networkMode", workload.place().hostNetwork() ? "HostNetwork" : "Standard");
        text(out, "uid", workload.uid());
        out.put("name", names.name()).put("namespace", names.namespace());
        text(out, "trustDomain", names.trustDomain());
        text(out, "serviceAccount", names.serviceAccount());
        text(out, "network", workload.network());
        text(out, "workloadName", names.workloadName());
        text(out, "workloadType", names.type());
        text(out, "canonicalName", names.canonicalName());
        text(out, "canonicalRevision", names.canonicalRevision());
        text(out, "hostname", workload.hostname());
        text(out, "node", workload.place().node());
        if (workload.tunnel().nativeTunnel()) {
            out.put("nativeTunnel", true);
        }
        var application = workload.tunnel().application();
        if (application != null) {
            out.putObject("applicationTunnel")
                    .put("protocol", application.protocol().name())
                    .put("port", application.port());
        }
        strings(out, "authorizationPolicies", workload.authorizationPolicies());
        out.put("status", workload.healthy() ? "Healthy" : "Unhealthy");
        out.put("clusterId", workload.place().clusterId());
        var at = workload.place().locality();
        if (!(at.region() + at.zone() + at.subzone()).isEmpty()) {
            out.putObject("locality")
                    .put("region", at.region())
                    .put("zone", at.zone())
                    .put("subzone", at.subzone());
        }
        strings(
                out,
                "services",
                workload.services().keySet().stream()
                        .map(Object::toString)
                        .sorted()
                        .toList());
        out.put("capacity", workload.capacity());
    }

    private static void text(ObjectNode out, String key, String value) {
        if (!value.isEmpty()) {
            out.put(key, value);
        }
    }

    private static void strings(ObjectNode out, String key, List<String> values) {
        if (!values.isEmpty()) {
            var array = out.putArray(key);
            values.forEach(array::add);
        }
    }

    private static void gateway(ObjectNode out, GatewayAddress gateway) {
        out.put("destination", gateway.destination().toString()).put("hboneMtlsPort", gateway.hboneMtlsPort());
    }

    static void service(ObjectNode out, MeshSnapshot mesh, Service service) {
        out.put("name", service.name()).put("namespace", service.namespace()).put("hostname", service.hostname());
        var vips = out.putArray("vips");
        service.vips().forEach(vip -> vips.add(vip.toString()));
        if (!service.cidrVips().isEmpty()) {
            var cidrs = out.putArray("cidrVips");
            service.cidrVips()
                    .forEach(vip -> cidrs.addObject()
                            .put("network", vip.network())
                            .put("cidr", vip.cidr().toString()));
        }
        ports(out.putObject("ports"), service.ports());
        var endpoints = out.putObject("endpoints");
        mesh.endpoints(service.key()).values().stream()
                .filter(endpoint -> takesUnhealthy(service) || isHealthy(mesh, endpoint))
                .forEach(endpoint -> endpoint(endpoints.putObject(endpoint.workloadUid()), mesh, endpoint));
        var sans = out.putArray("subjectAltNames");
        service.subjectAltNames().forEach(sans::add);
        service.waypoint().ifPresent(waypoint -> gateway(out.putObject("waypoint"), waypoint));
        if (!service.weightedWaypoints().isEmpty()) {
            var weighted = out.putArray("weightedWaypoints");
            service.weightedWaypoints().forEach(waypoint -> {
                var of = weighted.addObject().put("weight", waypoint.weight());
                gateway(of.putObject("destination"), waypoint.destination());
            });
        }
        balancing(out, service.loadBalancing());
        switch (service.ipFamilies()) {
            case AUTOMATIC -> {}
            case IPV4_ONLY -> out.put("ipFamilies", "IPv4");
            case IPV6_ONLY -> out.put("ipFamilies", "IPv6");
            case DUAL -> out.put("ipFamilies", "Dual");
        }
        out.put("canonical", service.canonical());
        out.put("visibility", service.visibleInNamespaceOnly() ? "Namespace" : "Public");
    }

    /// Istio's services have no others: an endpoint that may not be chosen is none.
    private static boolean takesUnhealthy(Service service) {
        return service.loadBalancing().healthPolicy() == LoadBalancing.HealthPolicy.ALLOW_ALL;
    }

    private static boolean isHealthy(MeshSnapshot mesh, Endpoint endpoint) {
        return mesh.workload(endpoint.workloadUid()).map(Workload::healthy).orElse(false);
    }

    static void endpoint(ObjectNode out, MeshSnapshot mesh, Endpoint endpoint) {
        out.put("workloadUid", endpoint.workloadUid());
        ports(out.putObject("port"), endpoint.ports());
        out.put("status", isHealthy(mesh, endpoint) ? "Healthy" : "Unhealthy");
    }

    static void ports(ObjectNode out, Map<Integer, Integer> ports) {
        ports.forEach((service, target) -> out.put(service.toString(), target));
    }

    private static void balancing(ObjectNode out, LoadBalancing balancing) {
        if (balancing.equals(LoadBalancing.STANDARD)) {
            return;
        }
        var of = out.putObject("loadBalancer");
        var scopes = of.putArray("routingPreferences");
        balancing.routingPreferences().forEach(scope -> scopes.add(camel(scope.name())));
        of.put("mode", camel(balancing.mode().name()));
        of.put("healthPolicy", camel(balancing.healthPolicy().name()));
    }

    private static String camel(String name) {
        var text = new StringBuilder();
        for (var part : name.toLowerCase(Locale.ROOT).split("_", -1)) {
            text.append(Character.toUpperCase(part.charAt(0))).append(part, 1, part.length());
        }
        return text.toString();
    }

    static void policy(ObjectNode out, Policy policy) {
        out.put("name", policy.name()).put("namespace", policy.namespace());
        out.put("scope", camel(policy.scope().name()))
                .put("action", camel(policy.action().name()));
        out.put("dryRun", policy.dryRun());
        var rules = out.putArray("rules");
        for (var rule : policy.rules()) {
            var clauses = rules.addArray();
            for (var clause : rule) {
                var matches = clauses.addArray();
                clause.forEach(match -> match(matches.addObject(), match));
            }
        }
    }

    private static void match(ObjectNode out, Match match) {
        stringMatches(out, "namespaces", match.namespaces().any());
        stringMatches(out, "notNamespaces", match.namespaces().none());
        accounts(out, "serviceAccounts", match.serviceAccounts().any());
        accounts(out, "notServiceAccounts", match.serviceAccounts().none());
        stringMatches(out, "principals", match.principals().any());
        stringMatches(out, "notPrincipals", match.principals().none());
        strings(out, "sourceIps", texts(match.sourceIps().any()));
        strings(out, "notSourceIps", texts(match.sourceIps().none()));
        strings(out, "destinationIps", texts(match.destinationIps().any()));
        strings(out, "notDestinationIps", texts(match.destinationIps().none()));
        numbers(out, "destinationPorts", match.destinationPorts().any());
        numbers(out, "notDestinationPorts", match.destinationPorts().none());
    }

    private static List<String> texts(List<?> values) {
        return values.stream().map(Object::toString).toList();
    }

    private static void numbers(ObjectNode out, String key, List<Integer> values) {
        if (!values.isEmpty()) {
            var array = out.putArray(key);
            values.forEach(array::add);
        }
    }

    private static void accounts(ObjectNode out, String key, List<Match.ServiceAccount> accounts) {
        if (!accounts.isEmpty()) {
            var array = out.putArray(key);
            accounts.forEach(account ->
                    array.addObject().put("namespace", account.namespace()).put("serviceAccount", account.name()));
        }
    }

    private static void stringMatches(ObjectNode out, String key, List<StringMatch> matches) {
        if (matches.isEmpty()) {
            return;
        }
        var array = out.putArray(key);
        for (var match : matches) {
            switch (match) {
                case StringMatch.Exact(var value) -> array.addObject().put("Exact", value);
                case StringMatch.Prefix(var value) -> array.addObject().put("Prefix", value);
                case StringMatch.Suffix(var value) -> array.addObject().put("Suffix", value);
                case StringMatch.Presence() -> array.addObject().putArray("Presence");
            }
        }
    }
}
