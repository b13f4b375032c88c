package dev.culvert.cli.view;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/// What the `/config_dump` of a waypoint, or of a gateway at the edge, says, as tables.
public record WaypointView(JsonNode dump) {
    private static final List<String> ROUTES = List.of("SERVICE", "PORT", "PROTOCOL", "ROUTE", "MATCH", "ACTION");
    private static final List<String> CLUSTERS =
            List.of("SERVICE FQDN", "PORT", "SUBSET", "BALANCING", "HEALTHY", "CONNECTIONS", "REQUESTS");
    private static final List<String> ENDPOINTS =
            List.of("ENDPOINT", "STATUS", "OUTLIER CHECK", "WORKLOAD", "REQUESTS", "CLUSTER");
    private static final List<String> POLICIES = List.of("NAMESPACE", "POLICY NAME", "ACTION", "RULES", "SERVICE");

    /// Of a Service, its ports with their routes; of a gateway, its ports with their listeners.
    public ArrayNode routes() {
        var all = JsonNodeFactory.instance.arrayNode();
        for (var service : dump.path("services")) {
            var one = all.addObject().put("service", name(service));
            one.set("ports", service.path("ports"));
        }
        if (dump.has("gateway")) {
            var one = all.addObject().put("gateway", gateway());
            one.set("ports", dump.path("gateway").path("ports"));
        }
        return all;
    }

    public Table routesTable() {
        var rows = new ArrayList<List<String>>();
        for (var service : dump.path("services")) {
            for (var port : service.path("ports")) {
                var protocol = port.path("protocol").asText("DETECT");
                port.path("routes").forEach(route -> rows.add(row(name(service), port, protocol, route)));
            }
        }
        for (var port : dump.path("gateway").path("ports")) {
            var protocol = port.path("tls").asBoolean() ? "HTTPS" : "HTTP";
            for (var listener : port.path("listeners")) {
                for (var host : listener.path("hosts")) {
                    var name =
                            or(host, "host", "*") + " (" + listener.path("name").asText() + ")";
                    host.path("routes").forEach(route -> rows.add(row(name, port, protocol, route)));
                }
            }
        }
        return new Table(ROUTES, rows);
    }

    private static List<String> row(String whose, JsonNode port, String protocol, JsonNode route) {
        return List.of(
                whose,
                port.path("number").asText(),
                protocol,
                or(route, "name", "-"),
                matches(route.path("matches")),
                action(route));
    }

    public JsonNode clusters() {
        return dump.path("clusters");
    }

    public Table clustersTable() {
        var rows = new ArrayList<List<String>>();
        for (var cluster : clusters()) {
            var hosts = cluster.path("hosts");
            var healthy = stream(hosts)
                    .filter(host -> host.path("health").asText().equals("HEALTHY"))
                    .count();
            rows.add(List.of(
                    cluster.path("hostname").asText(),
                    cluster.path("port").asText(),
                    or(cluster, "subset", "-"),
                    cluster.path("balancing").asText(),
                    healthy + "/" + hosts.size(),
                    cluster.path("connections").asText(),
                    cluster.path("requests").asText()));
        }
        return new Table(CLUSTERS, rows);
    }

    public ArrayNode endpoints() {
        var all = JsonNodeFactory.instance.arrayNode();
        for (var cluster : clusters()) {
            for (var host : cluster.path("hosts")) {
                all.addObject().put("cluster", clusterName(cluster)).set("host", host);
            }
        }
        return all;
    }

    public Table endpointsTable() {
        var rows = new ArrayList<List<String>>();
        for (var cluster : clusters()) {
            for (var host : cluster.path("hosts")) {
                var ejected = host.path("health").asText().equals("EJECTED");
                rows.add(List.of(
                        host.path("address").asText(),
                        host.path("health").asText(),
                        ejected ? "FAILED, " + host.path("ejectedForMillis").asLong() / 1000 + " s left" : "OK",
                        host.path("workload").asText(),
                        host.path("activeRequests").asText(),
                        clusterName(cluster)));
            }
        }
        return new Table(ENDPOINTS, rows);
    }

    /// As the controller said them, with the Service, or the gateway, that they govern.
    public ArrayNode policies() {
        var all = JsonNodeFactory.instance.arrayNode();
        for (var service : dump.path("services")) {
            for (var policy : service.path("policies")) {
                all.addObject().put("service", name(service)).set("policy", policy);
            }
        }
        for (var policy : dump.path("gateway").path("policies")) {
            all.addObject().put("gateway", gateway()).set("policy", policy);
        }
        return all;
    }

    public Table policiesTable() {
        var rows = new ArrayList<List<String>>();
        for (var service : dump.path("services")) {
            service.path("policies").forEach(policy -> rows.add(policy(policy, name(service))));
        }
        dump.path("gateway").path("policies").forEach(policy -> rows.add(policy(policy, "gateway " + gateway())));
        return new Table(POLICIES, rows);
    }

    private static List<String> policy(JsonNode policy, String whom) {
        var action = policy.path("action").asText("ALLOW");
        return List.of(
                policy.path("namespace").asText(),
                policy.path("name").asText(),
                policy.path("dryRun").asBoolean() ? action + " (dry run)" : action,
                Integer.toString(policy.path("rules").size()),
                whom);
    }

    private String gateway() {
        var gateway = dump.path("gateway");
        return gateway.path("namespace").asText() + "/" + gateway.path("name").asText();
    }

    private static String name(JsonNode service) {
        return or(service, "hostname", "pods by their own addresses");
    }

    /// As Istio names the clusters of a waypoint.
    private static String clusterName(JsonNode cluster) {
        return "inbound-vip|" + cluster.path("port").asText() + "|"
                + cluster.path("subset").asText() + "|"
                + cluster.path("hostname").asText();
    }

    private static String or(JsonNode item, String field, String otherwise) {
        var text = item.path(field).asText("");
        return text.isEmpty() ? otherwise : text;
    }

    private static Stream<JsonNode> stream(JsonNode items) {
        return StreamSupport.stream(items.spliterator(), false);
    }

    // ---- in words ----

    private static String matches(JsonNode matches) {
        if (matches.isEmpty()) {
            return "*";
        }
        var first = match(matches.path(0));
        return matches.size() == 1 ? first : first + " or " + (matches.size() - 1) + " more";
    }

    private static String match(JsonNode match) {
        var words = new ArrayList<String>();
        kind(match.path("method")).ifPresent(words::add);
        kind(match.path("path")).ifPresent(words::add);
        kind(match.path("authority")).ifPresent(text -> words.add("host " + text));
        for (var header : match.path("headers")) {
            words.add("header " + header.path("name").asText());
        }
        for (var parameter : match.path("queryParameters")) {
            words.add("query " + parameter.path("name").asText());
        }
        if (match.has("sources") || match.has("sourceNamespace")) {
            words.add("caller");
        }
        return words.isEmpty() ? "*" : String.join(" ", words);
    }

    /// `prefix /a`, or only the value where it is exact.
    private static Optional<String> kind(JsonNode match) {
        return match.properties().stream()
                .filter(field -> !field.getKey().equals("ignoreCase"))
                .findFirst()
                .map(field -> field.getKey().equals("exact")
                        ? field.getValue().asText()
                        : field.getKey() + " " + field.getValue().asText());
    }

    private static String action(JsonNode route) {
        if (route.has("redirect")) {
            return "redirect " + route.path("redirect").path("status").asText();
        }
        if (route.has("directResponse")) {
            return "answer " + route.path("directResponse").path("status").asText();
        }
        var backends = route.path("forward").path("backends");
        return stream(backends)
                .map(backend -> backend(backend, backends.size() > 1))
                .collect(Collectors.joining(", "));
    }

    private static String backend(JsonNode backend, boolean weighted) {
        var subset = backend.path("subset").path("name").asText("");
        var broken = backend.path("brokenStatus").asInt();
        return backend.path("hostname").asText("?") + ":" + backend.path("port").asText("?")
                + (subset.isEmpty() ? "" : "/" + subset)
                + (weighted ? " " + backend.path("weight").asInt() : "")
                + (broken == 0 ? "" : " (answers " + broken + ")");
    }
}
