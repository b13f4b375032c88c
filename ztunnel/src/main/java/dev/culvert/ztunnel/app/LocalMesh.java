package dev.culvert.ztunnel.app;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import dev.culvert.mesh.model.state.Change;
import dev.culvert.mesh.model.workload.Addresses;
import dev.culvert.mesh.model.workload.LoadBalancing;
import dev.culvert.mesh.model.workload.Locality;
import dev.culvert.mesh.model.workload.NamespacedHostname;
import dev.culvert.mesh.model.workload.NetworkAddress;
import dev.culvert.mesh.model.workload.Ports;
import dev.culvert.mesh.model.workload.Service;
import dev.culvert.mesh.model.workload.TunnelProtocol;
import dev.culvert.mesh.model.workload.Workload;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Reads `LOCAL_XDS_PATH`: a YAML file with `workloads`, `services` and `policies` in the shape of the config dump.
/// A key that it does not know stops the start, so that nothing is left out unnoticed.
final class LocalMesh {
    private static final Set<String> TOP = Set.of("workloads", "services", "policies");
    private static final Set<String> WORKLOAD = Set.of(
            "workloadIps",
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
            "protocol",
            "authorizationPolicies",
            "status",
            "clusterId",
            "locality",
            "services",
            "capacity");
    private static final Set<String> SERVICE =
            Set.of("name", "namespace", "hostname", "vips", "ports", "subjectAltNames", "canonical");

    /// Where the mesh is written down.
    interface Source {
        /// The YAML as it is now.
        JsonNode tree() throws IOException;

        static Source file(Path file) {
            return new Source() {
                @Override
                public JsonNode tree() throws IOException {
                    return new ObjectMapper(new YAMLFactory()).readTree(file.toFile());
                }

                @Override
                public String toString() {
                    return file.toString();
                }
            };
        }

        static Source text(String yaml) {
            return new Source() {
                @Override
                public JsonNode tree() throws IOException {
                    return new ObjectMapper(new YAMLFactory()).readTree(yaml);
                }

                @Override
                public String toString() {
                    return "LOCAL_XDS";
                }
            };
        }
    }

    private final Source file;

    private LocalMesh(Source file) {
        this.file = file;
    }

    static List<Change> read(Source source) throws IOException {
        return new LocalMesh(source).read();
    }

    private List<Change> read() throws IOException {
        var root = file.tree();
        requireKeys(root, TOP, "the file");
        var changes = new ArrayList<Change>();
        try {
            for (var service : root.path("services")) {
                changes.add(new Change.PutService(service(service)));
            }
            for (var policy : root.path("policies")) {
                changes.add(new Change.PutPolicy(LocalPolicy.read(policy)));
            }
            for (var workload : root.path("workloads")) {
                changes.add(new Change.PutWorkload(workload(workload)));
            }
        } catch (IllegalArgumentException bad) {
            throw new IOException(file + ": " + bad.getMessage(), bad);
        }
        return changes;
    }

    private void requireKeys(JsonNode object, Set<String> known, String what) throws IOException {
        for (var name : (Iterable<String>) object::fieldNames) {
            if (!known.contains(name)) {
                throw new IOException(file + ": unknown key '" + name + "' in " + what + "; known: " + known);
            }
        }
    }

    private Workload workload(JsonNode from) throws IOException {
        requireKeys(from, WORKLOAD, "a workload");
        var services = new HashMap<NamespacedHostname, Map<Integer, Integer>>();
        from.path("services").properties().forEach(entry -> services.put(key(entry.getKey()), ports(entry.getValue())));
        var at = from.path("locality");
        var name = required(from, "name");
        return new Workload(
                from.path("uid").asText("Kubernetes//Pod/" + required(from, "namespace") + "/" + name),
                new Workload.Place(
                        from.path("network").asText(""),
                        from.path("clusterId").asText(""),
                        from.path("node").asText(""),
                        new Locality(
                                at.path("region").asText(""),
                                at.path("zone").asText(""),
                                at.path("subzone").asText("")),
                        false),
                new Workload.Names(
                        name,
                        required(from, "namespace"),
                        required(from, "trustDomain"),
                        required(from, "serviceAccount"),
                        from.path("canonicalName").asText(""),
                        from.path("canonicalRevision").asText(""),
                        from.path("workloadName").asText(name),
                        from.path("workloadType").asText("pod")),
                ips(from.path("workloadIps")),
                from.path("protocol").asText("TCP").equals(TunnelProtocol.HBONE.name())
                        ? Workload.Tunnel.HBONE
                        : Workload.Tunnel.PLAIN,
                texts(from.path("authorizationPolicies")),
                !from.path("status").asText("Healthy").equals("Unhealthy"),
                from.path("hostname").asText(""),
                services,
                from.path("capacity").asInt(1));
    }

    private static String required(JsonNode from, String key) {
        var value = from.path(key).asText("");
        if (value.isEmpty()) {
            throw new IllegalArgumentException("'" + key + "' is missing in " + from);
        }
        return value;
    }

    private static NamespacedHostname key(String text) {
        return NamespacedHostname.parse(text)
                .orElseThrow(() -> new IllegalArgumentException("not namespace/hostname: '" + text + "'"));
    }

    private static Map<Integer, Integer> ports(JsonNode from) {
        var ports = new HashMap<Integer, Integer>();
        from.properties()
                .forEach(entry -> ports.put(
                        Ports.require(Integer.parseInt(entry.getKey())),
                        Ports.require(entry.getValue().asInt())));
        return ports;
    }

    private static List<InetAddress> ips(JsonNode from) {
        return texts(from).stream().map(LocalMesh::ip).toList();
    }

    private static InetAddress ip(String text) {
        return Addresses.parse(text).orElseThrow(() -> new IllegalArgumentException("not an address: '" + text + "'"));
    }

    static List<String> texts(JsonNode from) {
        var texts = new ArrayList<String>();
        from.forEach(item -> texts.add(item.asText()));
        return texts;
    }

    private Service service(JsonNode from) throws IOException {
        requireKeys(from, SERVICE, "a service");
        return new Service(
                required(from, "name"),
                new NamespacedHostname(required(from, "namespace"), required(from, "hostname")),
                texts(from.path("vips")).stream().map(LocalMesh::vip).toList(),
                List.of(),
                ports(from.path("ports")),
                texts(from.path("subjectAltNames")),
                null,
                List.of(),
                LoadBalancing.STANDARD,
                Service.IpFamilies.AUTOMATIC,
                from.path("canonical").asBoolean(false),
                false);
    }

    private static NetworkAddress vip(String text) {
        var slash = text.indexOf('/');
        if (slash < 0) {
            throw new IllegalArgumentException("not network/address: '" + text + "'");
        }
        return new NetworkAddress(text.substring(0, slash), ip(text.substring(slash + 1)));
    }
}
