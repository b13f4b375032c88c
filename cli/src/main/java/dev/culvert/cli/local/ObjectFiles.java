package dev.culvert.cli.local;

import dev.culvert.cli.local.Addressing.Pair;
import dev.culvert.kube.object.Container;
import dev.culvert.kube.object.PortRef;
import dev.culvert.kube.object.Probe;
import dev.culvert.kube.object.Service;
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

/// Plays the API server's part: writes Nodes, Pods and Services, with what the cluster decided, as YAML
/// files. Of a container only what others ask for is written: its name, image and ports, and no
/// environment.
final class ObjectFiles {
    private static final Map<Service.Type, String> TYPES = Map.of(
            Service.Type.CLUSTER_IP, "ClusterIP",
            Service.Type.NODE_PORT, "NodePort",
            Service.Type.LOAD_BALANCER, "LoadBalancer",
            Service.Type.EXTERNAL_NAME, "ExternalName");

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
                "containers",
                        plan.containers().stream().map(ObjectFiles::container).toList());
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

    private static Map<String, Object> container(Container container) {
        var fields = new LinkedHashMap<String, Object>();
        fields.put("name", container.name());
        put(fields, "image", container.image());
        fields.put("ports", container.ports().stream().map(ObjectFiles::port).toList());
        container.readinessProbe().ifPresent(probe -> fields.put("readinessProbe", probe(probe)));
        container.livenessProbe().ifPresent(probe -> fields.put("livenessProbe", probe(probe)));
        return fields;
    }

    /// As much as tells the agent which ports are asked.
    private static Map<String, Object> probe(Probe probe) {
        return switch (probe.check()) {
            case Probe.Check.Http http -> Map.of("httpGet", Map.of("path", http.path(), "port", value(http.port())));
            case Probe.Check.Tcp tcp -> Map.of("tcpSocket", Map.of("port", value(tcp.port())));
            case Probe.Check.Grpc(var port) -> Map.of("grpc", Map.of("port", port));
            case Probe.Check.Exec(var command) -> Map.of("exec", Map.of("command", command));
        };
    }

    private static Object value(PortRef port) {
        return switch (port) {
            case PortRef.Numbered(var number) -> number;
            case PortRef.Named(var name) -> name;
        };
    }

    private static Map<String, Object> port(Container.Port port) {
        var fields = new LinkedHashMap<String, Object>();
        put(fields, "name", port.name());
        fields.put("containerPort", port.number());
        fields.put("protocol", port.protocol());
        return fields;
    }

    private static void put(Map<String, Object> fields, String name, String text) {
        if (!text.isEmpty()) {
            fields.put(name, text);
        }
    }

    void removePod(PodPlan plan) throws IOException {
        remove(podFile(plan));
    }

    private static String podFile(PodPlan plan) {
        return "pod-" + plan.namespace() + "-" + plan.name();
    }

    void service(ServiceTable.Entry entry) throws IOException {
        var service = entry.object();
        var metadata = Map.of(
                "name", service.name(),
                "namespace", service.namespace(),
                "labels", service.metadata().labels(),
                "annotations", service.metadata().annotations());
        var spec = new LinkedHashMap<String, Object>();
        spec.put("type", TYPES.get(service.type()));
        if (service.headless()) {
            spec.put("clusterIP", "None");
            spec.put("ipFamilies", service.ipFamilies());
        } else {
            spec.put("clusterIP", entry.vip().v4());
            spec.put("clusterIPs", entry.vip().both());
            spec.put("ipFamilies", List.of("IPv4", "IPv6"));
        }
        spec.put("ports", service.ports().stream().map(ObjectFiles::port).toList());
        spec.put("selector", service.selector());
        spec.put("internalTrafficPolicy", service.localTrafficOnly() ? "Local" : "Cluster");
        put(spec, "trafficDistribution", service.trafficDistribution());
        spec.put("publishNotReadyAddresses", service.publishNotReady());
        write(serviceFile(service), object("Service", metadata, spec, Map.of()));
    }

    private static Map<String, Object> port(Service.Port port) {
        var fields = new LinkedHashMap<String, Object>();
        put(fields, "name", port.name());
        fields.put("port", port.number());
        fields.put("targetPort", value(port.target()));
        fields.put("protocol", port.protocol());
        put(fields, "appProtocol", port.appProtocol());
        return fields;
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

    private static String serviceFile(Service service) {
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
        if (!status.isEmpty()) {
            object.put("status", status);
        }
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
