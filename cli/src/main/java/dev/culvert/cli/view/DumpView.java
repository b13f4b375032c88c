package dev.culvert.cli.view;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.math.BigInteger;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.StreamSupport;

/// What a ztunnel's `/config_dump` says, as tables with the columns of `istioctl ztunnel-config`.
/// @param now decides which certificates are valid
public record DumpView(JsonNode dump, Instant now) {
    private static final List<String> CERTIFICATE_TITLES =
            List.of("CERTIFICATE NAME", "TYPE", "STATUS", "VALID CERT", "SERIAL NUMBER", "NOT AFTER", "NOT BEFORE");

    /// Which workloads; empty fields take all.
    public record WorkloadFilter(
            Optional<String> address, Optional<String> namespace, Optional<String> node, Optional<String> pod) {
        public static final WorkloadFilter ALL =
                new WorkloadFilter(Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty());

        boolean takes(JsonNode workload) {
            return matches(namespace, workload, "namespace")
                    && matches(node, workload, "node")
                    && matches(pod, workload, "name")
                    && address.map(wanted -> texts(workload.path("workloadIps")).contains(wanted))
                            .orElse(true);
        }
    }

    private static boolean matches(Optional<String> wanted, JsonNode item, String field) {
        return wanted.map(value -> value.equals(item.path(field).asText())).orElse(true);
    }

    /// Workloads, services, policies, certificates and connections, all of them.
    public List<Table> tables() {
        return List.of(
                workloadTable(WorkloadFilter.ALL),
                serviceTable(Optional.empty()),
                policyTable(Optional.empty()),
                certificateTable(),
                connectionTable(new ConnectionFilter(Optional.empty(), Optional.empty(), false)));
    }

    /// A list, or the values of a map: both are found in dumps.
    private ArrayNode items(String name) {
        var array = JsonNodeFactory.instance.arrayNode();
        dump.path(name).forEach(array::add);
        return array;
    }

    private static ArrayNode filtered(ArrayNode items, Predicate<JsonNode> keep) {
        var array = JsonNodeFactory.instance.arrayNode();
        StreamSupport.stream(items.spliterator(), false).filter(keep).forEach(array::add);
        return array;
    }

    private static List<String> texts(JsonNode array) {
        var texts = new ArrayList<String>();
        array.forEach(item -> texts.add(item.asText()));
        return texts;
    }

    private static String or(JsonNode item, String field, String otherwise) {
        var text = item.path(field).asText("");
        return text.isEmpty() ? otherwise : text;
    }

    public ArrayNode workloads(WorkloadFilter filter) {
        return filtered(items("workloads"), filter::takes);
    }

    public Table workloadTable(WorkloadFilter filter) {
        var rows = new ArrayList<List<String>>();
        for (var workload : workloads(filter)) {
            var addresses = String.join(",", texts(workload.path("workloadIps")));
            rows.add(List.of(
                    or(workload, "namespace", "-"),
                    or(workload, "name", "-"),
                    addresses.isEmpty() ? or(workload, "hostname", "-") : addresses,
                    or(workload, "node", "-"),
                    waypoint(workload),
                    or(workload, "protocol", "-")));
        }
        return new Table(List.of("NAMESPACE", "POD NAME", "ADDRESS", "NODE", "WAYPOINT", "PROTOCOL"), rows);
    }

    /// `None`, the waypoint's service, or `NA` where it is an address.
    private String waypoint(JsonNode item) {
        var destination = item.path("waypoint").path("destination").asText("");
        if (destination.isEmpty()) {
            return "None";
        }
        for (var service : items("services")) {
            var name = service.path("namespace").asText() + "/"
                    + service.path("hostname").asText();
            if (name.equals(destination) || texts(service.path("vips")).contains(destination)) {
                return service.path("name").asText();
            }
        }
        return "NA";
    }

    public ArrayNode services(Optional<String> namespace) {
        return filtered(items("services"), service -> matches(namespace, service, "namespace"));
    }

    public Table serviceTable(Optional<String> namespace) {
        var rows = new ArrayList<List<String>>();
        for (var service : services(namespace)) {
            var vips = texts(service.path("vips")).stream()
                    .map(DumpView::withoutNetwork)
                    .toList();
            rows.add(List.of(
                    or(service, "namespace", "-"),
                    or(service, "name", "-"),
                    vips.isEmpty() ? "-" : String.join(",", vips),
                    waypoint(service),
                    endpoints(service)));
        }
        return new Table(List.of("NAMESPACE", "SERVICE NAME", "SERVICE VIP", "WAYPOINT", "ENDPOINTS"), rows);
    }

    private static String withoutNetwork(String vip) {
        return vip.substring(vip.indexOf('/') + 1);
    }

    private static String endpoints(JsonNode service) {
        var all = 0;
        var healthy = 0;
        for (var endpoint : service.path("endpoints")) {
            all++;
            healthy += or(endpoint, "status", "Healthy").equals("Healthy") ? 1 : 0;
        }
        return healthy + "/" + all;
    }

    public ArrayNode policies(Optional<String> namespace) {
        return filtered(items("policies"), policy -> matches(namespace, policy, "namespace"));
    }

    public Table policyTable(Optional<String> namespace) {
        var rows = new ArrayList<List<String>>();
        for (var policy : policies(namespace)) {
            rows.add(List.of(
                    or(policy, "namespace", "-"),
                    or(policy, "name", "-"),
                    or(policy, "action", "-"),
                    or(policy, "scope", "-")));
        }
        return new Table(List.of("NAMESPACE", "POLICY NAME", "ACTION", "SCOPE"), rows);
    }

    public ArrayNode certificates() {
        return items("certificates");
    }

    public Table certificateTable() {
        var rows = new ArrayList<List<String>>();
        for (var certificate : certificates()) {
            var name = or(certificate, "identity", "-");
            var state = or(certificate, "state", "-");
            if (certificate.path("certChain").isEmpty()) {
                rows.add(List.of(name, "NA", state, "false", "NA", "NA", "NA"));
            }
            var type = "Leaf";
            for (var link : certificate.path("certChain")) {
                rows.add(certificateRow(name, type, state, link));
                type = "Intermediate";
            }
            for (var root : certificate.path("rootCerts")) {
                rows.add(certificateRow(name, "Root", state, root));
            }
        }
        return new Table(CERTIFICATE_TITLES, rows);
    }

    private List<String> certificateRow(String name, String type, String state, JsonNode link) {
        var from = link.path("validFrom").asText("");
        var until = link.path("expirationTime").asText("");
        var serial = new BigInteger(or(link, "serialNumber", "0")).toString(16);
        return List.of(name, type, state, Boolean.toString(isValid(from, until)), serial, until, from);
    }

    private boolean isValid(String from, String until) {
        return !from.isEmpty()
                && !until.isEmpty()
                && !now.isBefore(Instant.parse(from))
                && now.isBefore(Instant.parse(until));
    }

    /// @param direction `inbound` or `outbound`
    /// @param raw addresses instead of names
    public record ConnectionFilter(Optional<String> namespace, Optional<String> direction, boolean raw) {}

    public JsonNode workloadState() {
        return dump.path("workloadState");
    }

    public Table connectionTable(ConnectionFilter filter) {
        var names = filter.raw ? Map.<String, String>of() : names();
        var rows = new ArrayList<List<String>>();
        for (var state : workloadState()) {
            var info = state.path("info");
            if (!matches(filter.namespace, info, "namespace")) {
                continue;
            }
            var workload =
                    info.path("name").asText("-") + "." + info.path("namespace").asText("-");
            var connections = state.path("connections");
            if (filter.direction.orElse("inbound").equals("inbound")) {
                for (var connection : connections.path("inbound")) {
                    rows.add(row(
                            List.of(workload, "Inbound"),
                            connection,
                            List.of("actualDst", "src", "originalDst"),
                            names));
                }
            }
            if (filter.direction.orElse("outbound").equals("outbound")) {
                for (var connection : connections.path("outbound")) {
                    rows.add(row(
                            List.of(workload, "Outbound"),
                            connection,
                            List.of("src", "actualDst", "originalDst"),
                            names));
                }
            }
        }
        return new Table(List.of("WORKLOAD", "DIRECTION", "LOCAL", "REMOTE", "REMOTE TARGET", "PROTOCOL"), rows);
    }

    private static List<String> row(
            List<String> start, JsonNode connection, List<String> fields, Map<String, String> names) {
        var row = new ArrayList<>(start);
        for (var field : fields) {
            row.add(named(or(connection, field, "-"), names));
        }
        row.add(or(connection, "protocol", "-"));
        return row;
    }

    private Map<String, String> names() {
        var names = new HashMap<String, String>();
        for (var workload : items("workloads")) {
            var name = workload.path("name").asText() + "."
                    + workload.path("namespace").asText();
            texts(workload.path("workloadIps")).forEach(ip -> names.put(ip, name));
        }
        for (var service : items("services")) {
            texts(service.path("vips"))
                    .forEach(vip -> names.put(
                            withoutNetwork(vip), service.path("hostname").asText()));
        }
        return names;
    }

    private static String named(String address, Map<String, String> names) {
        var colon = address.lastIndexOf(':');
        if (colon < 0) {
            return address;
        }
        var host = address.substring(0, colon).replace("[", "").replace("]", "");
        var name = names.get(host);
        return name == null ? address : name + address.substring(colon);
    }
}
