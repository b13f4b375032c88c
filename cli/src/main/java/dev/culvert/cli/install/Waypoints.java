package dev.culvert.cli.install;

import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/// The Gateways of a cluster that are waypoints.
final class Waypoints {
    static final Cluster.Type GATEWAY = Cluster.Type.of("gateway.networking.k8s.io", "Gateway", "gateways");
    static final String FOR = "istio.io/waypoint-for";
    static final String USE = "istio.io/use-waypoint";
    private static final List<String> CLASSES = List.of("istio-waypoint", "culvert-waypoint");

    private final Cluster cluster;

    Waypoints(Cluster cluster) {
        this.cluster = cluster;
    }

    /// @param traffic what it serves; empty for the default
    /// @param revision empty for none
    record Wanted(String name, String namespace, String traffic, String revision) {
        /// The object that istioctl makes, too.
        Map<String, Object> gateway() {
            var metadata = new LinkedHashMap<String, Object>();
            metadata.put("name", name);
            if (!namespace.isEmpty()) {
                metadata.put("namespace", namespace);
            }
            var labels = new LinkedHashMap<String, Object>();
            if (!traffic.isEmpty()) {
                labels.put(FOR, traffic);
            }
            if (!revision.isEmpty()) {
                labels.put(Revisions.LABEL, revision);
            }
            if (!labels.isEmpty()) {
                metadata.put("labels", labels);
            }
            var listener = new LinkedHashMap<String, Object>();
            listener.put("name", "mesh");
            listener.put("port", 15008);
            listener.put("protocol", "HBONE");
            var spec = new LinkedHashMap<String, Object>();
            spec.put("gatewayClassName", CLASSES.getFirst());
            spec.put("listeners", List.of(listener));
            var object = new LinkedHashMap<String, Object>();
            object.put("apiVersion", GATEWAY.apiVersion());
            object.put("kind", "Gateway");
            object.put("metadata", metadata);
            object.put("spec", spec);
            return object;
        }
    }

    /// Whether the controller runs it, and what it says of that.
    record Programmed(String status, String reason, String message) {
        boolean isTrue() {
            return status.equals("True");
        }
    }

    /// One that there is.
    record Found(String namespace, String name, String traffic, String revision, Programmed programmed) {}

    void apply(Wanted wanted) throws IOException {
        cluster.apply(GATEWAY, wanted.gateway());
    }

    /// @param namespace empty for all
    List<Found> list(String namespace) throws IOException {
        return cluster.list(GATEWAY, namespace, Map.of()).stream()
                .filter(one -> CLASSES.contains(String.valueOf(spec(one).get("gatewayClassName"))))
                .map(Waypoints::found)
                .toList();
    }

    Optional<Found> find(String namespace, String name) throws IOException {
        return list(namespace).stream().filter(one -> one.name.equals(name)).findFirst();
    }

    /// @return whether it was there, and a waypoint
    boolean delete(String namespace, String name) throws IOException {
        var there = find(namespace, name).isPresent() ? cluster.get(GATEWAY, namespace, name) : Optional.empty();
        return there.isPresent() && cluster.delete(GATEWAY, (GenericKubernetesResource) there.get());
    }

    /// Labels of a namespace.
    Map<String, String> labels(String namespace) throws IOException {
        var found = cluster.get(Cluster.NAMESPACE, "", namespace)
                .orElseThrow(() -> new IOException("there is no namespace " + namespace + "; make it first"));
        return Objects.requireNonNullElse(found.getMetadata().getLabels(), Map.of());
    }

    void enrol(String namespace, String waypoint) throws IOException {
        cluster.apply(
                Cluster.NAMESPACE,
                Map.of(
                        "apiVersion",
                        "v1",
                        "kind",
                        "Namespace",
                        "metadata",
                        Map.of("name", namespace, "labels", Map.of(USE, waypoint))));
    }

    private static Map<?, ?> spec(GenericKubernetesResource one) {
        return one.getAdditionalProperties().get("spec") instanceof Map<?, ?> spec ? spec : Map.of();
    }

    private static Found found(GenericKubernetesResource one) {
        var labels = Objects.requireNonNullElse(one.getMetadata().getLabels(), Map.<String, String>of());
        return new Found(
                one.getMetadata().getNamespace(),
                one.getMetadata().getName(),
                labels.getOrDefault(FOR, "service (default)"),
                labels.getOrDefault(Revisions.LABEL, Revisions.DEFAULT),
                programmed(one));
    }

    private static Programmed programmed(GenericKubernetesResource one) {
        if (one.getAdditionalProperties().get("status") instanceof Map<?, ?> status
                && status.get("conditions") instanceof List<?> conditions) {
            for (var each : conditions) {
                if (each instanceof Map<?, ?> condition && "Programmed".equals(condition.get("type"))) {
                    return new Programmed(
                            String.valueOf(condition.get("status")),
                            String.valueOf(condition.get("reason")),
                            String.valueOf(condition.get("message")));
                }
            }
        }
        return new Programmed(
                "False", "Pending", "no controller has said anything of it; does one run? (culvert check)");
    }
}
