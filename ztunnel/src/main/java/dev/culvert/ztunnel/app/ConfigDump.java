package dev.culvert.ztunnel.app;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.culvert.mesh.model.policy.Match;
import dev.culvert.mesh.model.policy.Policy;
import dev.culvert.mesh.model.policy.StringMatch;
import dev.culvert.mesh.model.state.MeshSnapshot;
import dev.culvert.mesh.model.workload.Addresses;
import dev.culvert.mesh.model.workload.GatewayAddress;
import dev.culvert.mesh.model.workload.LoadBalancing;
import dev.culvert.mesh.model.workload.Service;
import dev.culvert.mesh.model.workload.Workload;
import dev.culvert.proxy.ca.CertificateStore;
import dev.culvert.ztunnel.inpod.PodId;
import dev.culvert.ztunnel.relay.LiveConnection.Description;
import java.nio.charset.StandardCharsets;
import java.security.cert.CertificateEncodingException;
import java.security.cert.X509Certificate;
import java.time.temporal.ChronoUnit;
import java.util.Base64;
import java.util.Comparator;
import java.util.Date;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// `/config_dump`, in the shape that `istioctl` reads.
final class ConfigDump {
    private final ObjectMapper json = new ObjectMapper()
            .enable(SerializationFeature.INDENT_OUTPUT)
            .enable(SerializationFeature.ORDER_MAP_ENTRIES_BY_KEYS);
    private final ObjectNode root = json.createObjectNode();

    ConfigDump mesh(MeshSnapshot mesh) {
        var workloads = root.putArray("workloads");
        mesh.workloads().stream()
                .sorted(Comparator.comparing(Workload::uid))
                .forEach(workload -> workload(workloads.addObject(), workload));
        var services = root.putArray("services");
        mesh.services().stream()
                .sorted(Comparator.comparing(Service::hostname))
                .forEach(service -> service(services.addObject(), mesh, service));
        var policies = root.putArray("policies");
        mesh.policies().stream()
                .sorted(Comparator.comparing(Policy::key))
                .forEach(policy -> policy(policies.addObject(), policy));
        var staged = root.putObject("stagedServices");
        mesh.stagedEndpoints().forEach((key, endpoints) -> {
            var of = staged.putObject(key.toString());
            endpoints.keySet().forEach(uid -> of.putObject(uid).put("workloadUid", uid));
        });
        return this;
    }

    private static void workload(ObjectNode out, Workload workload) {
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
        out.put("uid", workload.uid()).put("name", names.name()).put("namespace", names.namespace());
        out.put("trustDomain", names.trustDomain()).put("serviceAccount", names.serviceAccount());
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

    private static void service(ObjectNode out, MeshSnapshot mesh, Service service) {
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
        mesh.endpoints(service.key()).values().forEach(endpoint -> {
            var workload = mesh.workload(endpoint.workloadUid());
            var of = endpoints.putObject(endpoint.workloadUid()).put("workloadUid", endpoint.workloadUid());
            ports(of.putObject("port"), endpoint.ports());
            of.put("status", workload.map(Workload::healthy).orElse(false) ? "Healthy" : "Unhealthy");
        });
        var sans = out.putArray("subjectAltNames");
        service.subjectAltNames().forEach(sans::add);
        service.waypoint().ifPresent(waypoint -> gateway(out.putObject("waypoint"), waypoint));
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

    private static void ports(ObjectNode out, Map<Integer, Integer> ports) {
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

    private static void policy(ObjectNode out, Policy policy) {
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

    ConfigDump certificates(List<CertificateStore.Status> statuses) {
        var all = root.putArray("certificates");
        statuses.stream()
                .sorted(Comparator.comparing(status -> status.identity().toString()))
                .forEach(status -> {
                    var of = all.addObject()
                            .put("identity", status.identity().toString())
                            .put("state", status.state());
                    var held = status.certificate();
                    chain(of.putArray("certChain"), held == null ? List.of() : held.chain());
                    chain(of.putArray("rootCerts"), held == null ? List.of() : held.roots());
                });
        return this;
    }

    private static void chain(ArrayNode out, List<X509Certificate> certificates) {
        for (var certificate : certificates) {
            out.addObject()
                    .put("pem", pem(certificate))
                    .put("serialNumber", certificate.getSerialNumber().toString())
                    .put("validFrom", time(certificate.getNotBefore()))
                    .put("expirationTime", time(certificate.getNotAfter()));
        }
    }

    private static String time(Date date) {
        return date.toInstant().truncatedTo(ChronoUnit.SECONDS).toString();
    }

    private static String pem(X509Certificate certificate) {
        try {
            var body = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(certificate.getEncoded());
            var text = "-----BEGIN CERTIFICATE-----\n" + body + "\n-----END CERTIFICATE-----\n";
            return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.US_ASCII));
        } catch (CertificateEncodingException e) {
            throw new IllegalStateException("a parsed certificate can be encoded", e);
        }
    }

    /// @param pods uid, name and whether it runs
    ConfigDump pods(List<PodView> pods, List<Description> live) {
        var state = root.putObject("workloadState");
        for (var pod : pods) {
            var of = state.putObject(pod.id().uid()).put("state", pod.up() ? "Up" : "Pending");
            if (pod.up()) {
                var connections = of.putObject("connections");
                connections(connections.putArray("inbound"), pod, live, true);
                connections(connections.putArray("outbound"), pod, live, false);
            }
            of.putObject("info")
                    .put("name", pod.id().name())
                    .put("namespace", pod.id().namespace())
                    .put("serviceAccount", pod.id().serviceAccount());
        }
        return this;
    }

    record PodView(PodId id, boolean up) {}

    private static void connections(ArrayNode out, PodView pod, List<Description> live, boolean inbound) {
        for (var connection : live) {
            if (connection.inbound() == inbound
                    && connection.podUid().equals(pod.id().uid())) {
                out.addObject()
                        .put("src", Addresses.text(connection.source()))
                        .put("originalDst", connection.original())
                        .put("actualDst", Addresses.text(connection.actual()))
                        .put("protocol", connection.protocol());
            }
        }
    }

    ConfigDump config(Map<String, String> settings, Map<String, String> version) {
        var of = root.putObject("config");
        settings.forEach(of::put);
        var about = root.putObject("version");
        version.forEach(about::put);
        return this;
    }

    String text() throws JsonProcessingException {
        return json.writeValueAsString(json.treeToValue(root, Object.class)) + "\n";
    }
}
