package dev.culvert.cli.install;

import dev.culvert.cli.install.Upgrade.Piece;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

/// What of Istio runs in a cluster, and what keeps a part of it from being taken over.
final class IstioParts {
    private static final String CONTROLLERS = "istio.io/";
    private static final Cluster.Type GATEWAY = Cluster.Type.of("gateway.networking.k8s.io", "Gateway", "gateways");

    private final Cluster cluster;
    private final String namespace;

    IstioParts(Cluster cluster, String namespace) {
        this.cluster = cluster;
        this.namespace = namespace;
    }

    /// One part: a Deployment or DaemonSet that is not ours.
    record Found(Piece piece, String kind, String namespace, String name, String image) {
        @Override
        public String toString() {
            return "%s (%s %s/%s, image %s)"
                    .formatted(piece.word(), kind, namespace, name, image.isEmpty() ? "none" : image);
        }
    }

    /// Recognised by the object's name, or by the labels that Istio's charts give it, or by its image.
    static boolean isOne(Piece piece, GenericKubernetesResource object) {
        var name = object.getMetadata().getName();
        var labels = Objects.requireNonNullElse(object.getMetadata().getLabels(), Map.<String, String>of());
        var image = "/" + Images.of(object.getAdditionalProperties());
        return switch (piece) {
            case ISTIOD -> name.equals("istiod") || labels.containsValue("istiod") || isImage(image, "pilot");
            case CNI ->
                name.equals("istio-cni-node")
                        || labels.containsValue("istio-cni-node")
                        || isImage(image, "install-cni");
            case ZTUNNEL -> name.equals("ztunnel") || labels.containsValue("ztunnel") || isImage(image, "ztunnel");
        };
    }

    private static boolean isImage(String image, String name) {
        return image.matches(".*/" + name + "([:@].*)?");
    }

    /// @throws IOException if some runs: two would serve the same pods
    void requireNone() throws IOException {
        var found = found();
        if (!found.isEmpty()) {
            throw new IOException(
                    "Istio runs here: %s. Nothing was changed. '--take-over istiod' and '--take-over ztunnel' each put one part of ours in its place while the mesh runs, '--revision REV' a controller beside it: docs/upgrade.md"
                            .formatted(found.stream().map(Found::toString).collect(Collectors.joining("; "))));
        }
    }

    /// In all namespaces.
    List<Found> found() throws IOException {
        var all = new ArrayList<Found>();
        for (var piece : Piece.values()) {
            var type = piece.part(Revisions.DEFAULT).type();
            for (var object : cluster.list(type, "", Map.of())) {
                if (isOne(piece, object) && !Cluster.isOurs(object)) {
                    all.add(new Found(
                            piece,
                            type.kind(),
                            object.getMetadata().getNamespace(),
                            object.getMetadata().getName(),
                            Images.of(object.getAdditionalProperties())));
                }
            }
        }
        return all;
    }

    /// Classes of Gateways that Istio's controller serves, by name, with the Gateways of each.
    Map<String, List<String>> gateways() throws IOException {
        var all = new TreeMap<String, List<String>>();
        for (var known : classes()) {
            all.put(known.getMetadata().getName(), new ArrayList<>());
        }
        for (var gateway : cluster.list(GATEWAY, "", Map.of())) {
            var users = all.get(String.valueOf(gateway.<Object>get("spec", "gatewayClassName")));
            if (users != null) {
                users.add(gateway.getMetadata().getNamespace() + "/"
                        + gateway.getMetadata().getName());
            }
        }
        return all;
    }

    List<GenericKubernetesResource> classes() throws IOException {
        return cluster.list(Cluster.GATEWAY_CLASS, "", Map.of()).stream()
                .filter(known -> String.valueOf(known.<Object>get("spec", "controllerName"))
                        .startsWith(CONTROLLERS))
                .toList();
    }

    /// Webhooks that would ask our controller what only Istio's answers.
    List<GenericKubernetesResource> webhooks(Cluster.Type type) throws IOException {
        return cluster.list(type, "", Map.of()).stream()
                .filter(one -> !Cluster.isOurs(one) && asksIstiod(one))
                .toList();
    }

    private boolean asksIstiod(GenericKubernetesResource one) {
        return one.getAdditionalProperties().get("webhooks") instanceof List<?> all
                && all.stream()
                        .anyMatch(hook -> hook instanceof Map<?, ?> webhook
                                && webhook.get("clientConfig") instanceof Map<?, ?> config
                                && config.get("service") instanceof Map<?, ?> service
                                && "istiod".equals(service.get("name"))
                                && namespace.equals(service.get("namespace")));
    }

    /// Namespaces whose new pods get sidecars.
    List<String> withSidecars() throws IOException {
        var all = new TreeSet<String>();
        for (var one : cluster.list(Cluster.NAMESPACE, "", Map.of("istio-injection", "enabled"))) {
            all.add(one.getMetadata().getName());
        }
        return List.copyOf(all);
    }
}
