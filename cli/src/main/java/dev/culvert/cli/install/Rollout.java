package dev.culvert.cli.install;

import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;

/// How far a Deployment or DaemonSet of the mesh is.
///
/// @param wanted pods
/// @param ready of them, in the newest version
record Rollout(String part, long wanted, long ready) {
    /// One part of the mesh.
    ///
    /// @param part its name for people
    /// @param name the object's
    /// @param labels of its pods
    record Part(String part, Cluster.Type type, String name, Map<String, String> labels) {
        Part(String part, Cluster.Type type, String name) {
            this(part, type, name, Map.of("app", name));
        }

        /// As `kubectl -l` takes it.
        String selector() {
            return new TreeMap<>(labels)
                    .entrySet().stream()
                            .map(label -> label.getKey() + "=" + label.getValue())
                            .collect(Collectors.joining(","));
        }
    }

    static final Part CONTROLLER = controller(Revisions.DEFAULT);
    static final Part AGENT = new Part("culvert-cni", Cluster.DAEMON_SET, "istio-cni-node");
    static final Part ZTUNNEL = new Part("ztunnel", Cluster.DAEMON_SET, "ztunnel");

    /// The controller of a revision.
    static Part controller(String revision) {
        var labels = Map.of("app", "istiod", Revisions.LABEL, revision);
        return revision.equals(Revisions.DEFAULT)
                ? new Part("istiod-lite", Cluster.DEPLOYMENT, "istiod", labels)
                : new Part("istiod-lite " + revision, Cluster.DEPLOYMENT, "istiod-" + revision, labels);
    }

    boolean complete() {
        return ready >= wanted && wanted > 0;
    }

    @Override
    public String toString() {
        return "%s %d/%d".formatted(part, ready, wanted);
    }

    /// @return empty if there is no such object
    static Optional<Rollout> of(Cluster cluster, String namespace, Part part) throws IOException {
        return cluster.get(part.type, namespace, part.name).map(object -> of(part, object));
    }

    private static Rollout of(Part part, GenericKubernetesResource object) {
        var seen = number(object, "status", "observedGeneration")
                >= object.getMetadata().getGeneration();
        if (part.type.equals(Cluster.DEPLOYMENT)) {
            var wanted = Math.max(1, number(object, "spec", "replicas"));
            var updated = number(object, "status", "updatedReplicas");
            // Those that are ready may be former ones, as long as there are any.
            var former = number(object, "status", "replicas") > updated;
            var ready = Math.min(updated, number(object, "status", "readyReplicas"));
            return new Rollout(part.part, wanted, seen ? Math.min(ready, former ? wanted - 1 : wanted) : 0);
        }
        var wanted = number(object, "status", "desiredNumberScheduled");
        var updated =
                Math.min(number(object, "status", "updatedNumberScheduled"), number(object, "status", "numberReady"));
        return new Rollout(part.part, wanted, seen ? updated : 0);
    }

    private static long number(GenericKubernetesResource object, Object... path) {
        return object.get(path) instanceof Number number ? number.longValue() : 0;
    }

    /// Why pods of a part are not ready, in the words of the kubelet and the scheduler.
    static List<String> troubles(Cluster cluster, String namespace, Part part) throws IOException {
        var troubles = new ArrayList<String>();
        for (var pod : cluster.list(Cluster.POD, namespace, part.labels)) {
            if (!isReady(pod)) {
                troubles.add("pod %s%s: %s".formatted(pod.getMetadata().getName(), place(pod), trouble(pod)));
            }
        }
        return troubles;
    }

    private static String place(GenericKubernetesResource pod) {
        return pod.get("spec", "nodeName") instanceof String node ? " on " + node : "";
    }

    static boolean isReady(GenericKubernetesResource pod) {
        return conditions(pod).stream()
                .anyMatch(condition -> "Ready".equals(condition.get("type")) && "True".equals(condition.get("status")));
    }

    private static List<Map<?, ?>> conditions(GenericKubernetesResource pod) {
        return maps(pod.get("status", "conditions"));
    }

    private static List<Map<?, ?>> maps(Object list) {
        var maps = new ArrayList<Map<?, ?>>();
        if (list instanceof List<?> items) {
            for (var item : items) {
                if (item instanceof Map<?, ?> map) {
                    maps.add(map);
                }
            }
        }
        return maps;
    }

    private static String trouble(GenericKubernetesResource pod) {
        for (var container : maps(pod.get("status", "containerStatuses"))) {
            if (container.get("state") instanceof Map<?, ?> state) {
                for (var kind : List.of("waiting", "terminated")) {
                    if (state.get(kind) instanceof Map<?, ?> why) {
                        return text(why);
                    }
                }
            }
        }
        return conditions(pod).stream()
                .filter(condition -> "False".equals(condition.get("status")))
                .map(Rollout::text)
                .findFirst()
                .orElse(String.valueOf(pod.<Object>get("status", "phase")));
    }

    private static String text(Map<?, ?> why) {
        var message = why.get("message");
        return why.get("reason") + (message == null ? "" : ", " + message);
    }
}
