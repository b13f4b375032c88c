package dev.culvert.cli.install;

import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// How far a Deployment or DaemonSet of the mesh is.
///
/// @param wanted pods
/// @param ready of them, in the newest version
record Rollout(String part, long wanted, long ready) {
    /// One part of the mesh.
    ///
    /// @param part its name for people, and its image's
    /// @param name the object's, and its pods' label `app`
    record Part(String part, Cluster.Type type, String name) {}

    static final Part CONTROLLER = new Part("istiod-lite", Cluster.DEPLOYMENT, "istiod");
    static final Part AGENT = new Part("culvert-cni", Cluster.DAEMON_SET, "istio-cni-node");
    static final Part ZTUNNEL = new Part("ztunnel", Cluster.DAEMON_SET, "ztunnel");
    static final List<Part> PARTS = List.of(CONTROLLER, AGENT, ZTUNNEL);

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
            var wanted = number(object, "spec", "replicas");
            var updated =
                    Math.min(number(object, "status", "updatedReplicas"), number(object, "status", "readyReplicas"));
            return new Rollout(part.part, Math.max(1, wanted), seen ? updated : 0);
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
        for (var pod : cluster.list(Cluster.POD, namespace, Map.of("app", part.name))) {
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
