package dev.culvert.ztunnel.app;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.culvert.mesh.model.policy.Policy;
import dev.culvert.mesh.model.state.Change;
import dev.culvert.mesh.model.state.MeshSnapshot;
import dev.culvert.mesh.model.workload.NamespacedHostname;
import dev.culvert.mesh.model.workload.Service;
import dev.culvert.mesh.model.workload.Workload;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiFunction;

/// What `LOCAL_XDS` or the file of `LOCAL_XDS_PATH` says: YAML with `workloads`, `services` and `policies` in the
/// shape of the config dump. A key that is not known stops the start, so that nothing is left out unnoticed.
record LocalMesh(List<Workload> workloads, List<Service> services, List<Policy> policies) {
    private static final Set<String> TOP = Set.of("workloads", "services", "policies");

    /// Where the mesh is written down.
    interface Source {
        /// The YAML as it is now.
        String yaml() throws IOException;

        static Source file(Path file) {
            return new Source() {
                @Override
                public String yaml() throws IOException {
                    return Files.readString(file);
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
                public String yaml() {
                    return yaml;
                }

                @Override
                public String toString() {
                    return "LOCAL_XDS";
                }
            };
        }
    }

    /// @throws IOException that names the source, the item and the key
    static LocalMesh read(Source source) throws IOException {
        try {
            var root = LocalItem.of(LocalYaml.read(source.yaml()), "the file", TOP);
            var services = items(root, "services", LocalService::new);
            return new LocalMesh(
                    withEndpointsOf(
                            services, items(root, "workloads", (node, what) -> new LocalWorkload(node, what).read())),
                    services.stream().map(LocalService::read).toList(),
                    items(root, "policies", LocalPolicy::read));
        } catch (IllegalArgumentException | IOException bad) {
            throw new IOException(source + ": " + bad.getMessage(), bad);
        }
    }

    private static <T> List<T> items(LocalItem root, String key, BiFunction<JsonNode, String, T> read) {
        var all = new ArrayList<T>();
        for (var node : root.list(key)) {
            var name = node.path("name").asText("");
            all.add(read.apply(node, key + "[" + all.size() + "]" + (name.isEmpty() ? "" : " '" + name + "'")));
        }
        return List.copyOf(all);
    }

    /// A service may name its endpoints, as a dump shows them; what a workload itself says counts more.
    private static List<Workload> withEndpointsOf(List<LocalService> services, List<Workload> workloads) {
        var told = new HashMap<String, Map<NamespacedHostname, Map<Integer, Integer>>>();
        services.forEach(service -> service.endpoints()
                .forEach((uid, ports) ->
                        told.computeIfAbsent(uid, _ -> new HashMap<>()).put(service.key(), ports)));
        return workloads.stream()
                .map(workload -> {
                    var all = new HashMap<>(told.getOrDefault(workload.uid(), Map.of()));
                    all.putAll(workload.services());
                    return LocalWorkload.withServices(workload, all);
                })
                .toList();
    }

    List<Change> changes() {
        var changes = new ArrayList<Change>();
        services.forEach(service -> changes.add(new Change.PutService(service)));
        policies.forEach(policy -> changes.add(new Change.PutPolicy(policy)));
        workloads.forEach(workload -> changes.add(new Change.PutWorkload(workload)));
        return changes;
    }

    /// As the dump's `staticConfig` shows it: `services` of a workload are a map here.
    ObjectNode json() {
        var all = JsonNodeFactory.instance.objectNode();
        var to = all.putArray("workloads");
        workloads.forEach(workload -> json(to, workload));
        var into = all.putArray("policies");
        policies.forEach(policy -> MeshJson.policy(into.addObject(), policy));
        var out = all.putArray("services");
        services.forEach(service -> MeshJson.service(out.addObject(), MeshSnapshot.EMPTY, service));
        return all;
    }

    private static void json(ArrayNode to, Workload workload) {
        var out = to.addObject();
        MeshJson.workload(out, workload);
        out.remove("services");
        var services = out.putObject("services");
        workload.services().forEach((key, ports) -> MeshJson.ports(services.putObject(key.toString()), ports));
    }
}
