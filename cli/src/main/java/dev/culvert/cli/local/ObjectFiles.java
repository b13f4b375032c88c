package dev.culvert.cli.local;

import dev.culvert.cli.local.Addressing.Pair;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.yaml.snakeyaml.DumperOptions;
import org.yaml.snakeyaml.Yaml;

/// Plays the API server's part: writes Nodes, Pods and Services, with what the cluster decided, as YAML files.
final class ObjectFiles {
    private final Path directory;
    private final Map<String, String> written = new HashMap<>();

    ObjectFiles(Path directory) throws IOException {
        this.directory = Files.createDirectories(directory);
        try (var old = Files.list(directory)) {
            for (var file : old.toList()) {
                Files.delete(file);
            }
        }
    }

    void node(String name, String uid, Pair address) throws IOException {
        var addresses = List.of(
                Map.of("type", "InternalIP", "address", address.v4()),
                Map.of("type", "InternalIP", "address", address.v6()),
                Map.of("type", "Hostname", "address", name));
        var metadata = Map.of("name", name, "uid", uid, "labels", Map.of("kubernetes.io/hostname", name));
        write("node-" + name, object("Node", metadata, Map.of(), Map.of("addresses", addresses)));
    }

    void pod(RunningPod pod) throws IOException {
        var plan = pod.plan();
        var place = pod.place();
        var annotations = new LinkedHashMap<>(plan.annotations());
        annotations.put("culvert.dev/netns", Commands.netns(plan.netns()).toString());
        var metadata = Map.of(
                "name", plan.name(),
                "namespace", plan.namespace(),
                "uid", place.uid(),
                "labels", plan.labels(),
                "annotations", annotations);
        var spec = Map.of(
                "nodeName", place.node(),
                "serviceAccountName", plan.serviceAccount(),
                "containers", plan.containers().stream().map(KubeObject::fields).toList());
        var status = Map.of(
                "phase", "Running",
                "podIP", place.address().v4(),
                "podIPs",
                        place.address().both().stream()
                                .map(ip -> Map.of("ip", ip))
                                .toList(),
                "conditions", List.of(Map.of("type", "Ready", "status", pod.isReady() ? "True" : "False")));
        write(podFile(plan), object("Pod", metadata, spec, status));
    }

    void removePod(PodPlan plan) throws IOException {
        remove(podFile(plan));
    }

    private static String podFile(PodPlan plan) {
        return "pod-" + plan.namespace() + "-" + plan.name();
    }

    void service(ServiceTable.Entry entry) throws IOException {
        var fields = new LinkedHashMap<>(entry.object().fields());
        var spec = new LinkedHashMap<>(entry.object().at("spec").fields());
        if (!entry.headless()) {
            spec.put("clusterIP", entry.vip().v4());
            spec.put("clusterIPs", entry.vip().both());
            spec.put("ipFamilies", List.of("IPv4", "IPv6"));
        }
        fields.put("spec", spec);
        write(serviceFile(entry.object()), fields);
    }

    /// Removes the files of services that are not in `entries`.
    void retainServices(List<ServiceTable.Entry> entries) throws IOException {
        var kept = entries.stream().map(entry -> serviceFile(entry.object())).toList();
        for (var name : List.copyOf(written.keySet())) {
            if (name.startsWith("service-") && !kept.contains(name)) {
                remove(name);
            }
        }
    }

    private static String serviceFile(KubeObject service) {
        return "service-" + service.namespace() + "-" + service.name();
    }

    private static Map<String, Object> object(
            String kind, Map<String, ?> metadata, Map<String, ?> spec, Map<String, ?> status) {
        var object = new LinkedHashMap<String, Object>();
        object.put("apiVersion", "v1");
        object.put("kind", kind);
        object.put("metadata", metadata);
        if (!spec.isEmpty()) {
            object.put("spec", spec);
        }
        object.put("status", status);
        return object;
    }

    private void write(String name, Map<String, Object> object) throws IOException {
        var options = new DumperOptions();
        options.setDefaultFlowStyle(DumperOptions.FlowStyle.BLOCK);
        var text = new Yaml(options).dump(object);
        if (text.equals(written.put(name, text))) {
            return;
        }
        var temporary = directory.resolve("." + name + ".new");
        Files.writeString(temporary, text);
        Files.move(temporary, directory.resolve(name + ".yaml"), StandardCopyOption.ATOMIC_MOVE);
    }

    private void remove(String name) throws IOException {
        written.remove(name);
        Files.deleteIfExists(directory.resolve(name + ".yaml"));
    }
}
