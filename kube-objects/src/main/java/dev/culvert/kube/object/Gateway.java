package dev.culvert.kube.object;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// A `gateway.networking.k8s.io` Gateway.
public record Gateway(
        Metadata metadata, String className, List<Listener> listeners, Infrastructure infrastructure, Place place)
        implements KubeObject {
    public static final Set<String> WAYPOINT_CLASSES = Set.of("istio-waypoint", "culvert-waypoint");

    /// Where waypoints take tunnels.
    public static final int HBONE_PORT = 15008;

    /// Whose objects may use a listener.
    public enum From {
        SAME,
        ALL,
        SELECTOR
    }

    /// @param namespaceLabels of [From#SELECTOR]
    public record Listener(String name, int port, String protocol, From from, Map<String, String> namespaceLabels) {
        public Listener {
            namespaceLabels = Map.copyOf(namespaceLabels);
        }
    }

    /// What is to be on all that runs for it: `spec.infrastructure`, else what is on the Gateway itself.
    /// @param parameters the ConfigMap of its namespace that changes what runs for it
    public record Infrastructure(
            Map<String, String> labels, Map<String, String> annotations, Optional<String> parameters) {
        public Infrastructure {
            labels = Map.copyOf(labels);
            annotations = Map.copyOf(annotations);
        }
    }

    public Gateway {
        listeners = List.copyOf(listeners);
    }

    /// Whether it is one of those that we run as L7 proxies inside the mesh.
    public boolean isWaypoint() {
        return WAYPOINT_CLASSES.contains(className);
    }

    /// Whether objects of a namespace may use it as their waypoint.
    /// @param labels of that namespace
    public boolean admits(String namespace, Map<String, String> labels) {
        return listeners.stream()
                .filter(listener -> listener.port == HBONE_PORT && listener.protocol.equals("HBONE"))
                .findFirst()
                .map(listener -> switch (listener.from) {
                    case SAME -> namespace.equals(namespace());
                    case ALL -> true;
                    case SELECTOR -> labels.entrySet().containsAll(listener.namespaceLabels.entrySet());
                })
                .orElse(namespace.equals(namespace()));
    }
}
