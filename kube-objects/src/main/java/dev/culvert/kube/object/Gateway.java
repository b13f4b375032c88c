package dev.culvert.kube.object;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// A `gateway.networking.k8s.io` Gateway.
public record Gateway(
        Metadata metadata,
        String className,
        List<Listener> listeners,
        Frontend frontend,
        Infrastructure infrastructure,
        Place place)
        implements KubeObject {
    public static final Set<String> WAYPOINT_CLASSES = Set.of("istio-waypoint", "culvert-waypoint");

    /// Of gateways at the edge of the mesh.
    public static final Set<String> INGRESS_CLASSES = Set.of("istio", "culvert");

    /// Where waypoints take tunnels.
    public static final int HBONE_PORT = 15008;

    /// Whose objects may use a listener.
    public enum From {
        SAME,
        ALL,
        SELECTOR
    }

    /// @param hostname in lower case; empty for all
    /// @param tls present if it is written
    public record Listener(
            String name, int port, String protocol, String hostname, Optional<Tls> tls, Allowed allowed) {
        /// Whether objects of a namespace may use it.
        /// @param own namespace of the Gateway
        /// @param labels of the other namespace
        public boolean admits(String own, String namespace, Map<String, String> labels) {
            return switch (allowed.from) {
                case SAME -> namespace.equals(own);
                case ALL -> true;
                case SELECTOR -> allowed.namespaces.selects(labels);
            };
        }
    }

    /// @param mode as written, `Terminate` if nothing is
    public record Tls(String mode, List<ObjectRef> certificates) {
        public Tls {
            certificates = List.copyOf(certificates);
        }
    }

    /// Whose certificates clients have to show.
    /// @param byDefault who signs them; empty if none are asked for
    /// @param ports those that say another
    public record Frontend(List<ObjectRef> byDefault, Map<Integer, List<ObjectRef>> ports) {
        public static final Frontend NONE = new Frontend(List.of(), Map.of());

        public Frontend {
            byDefault = List.copyOf(byDefault);
            ports = Map.copyOf(ports);
        }

        /// Empty if a port's clients are not asked.
        public List<ObjectRef> authorities(int port) {
            return ports.getOrDefault(port, byDefault);
        }
    }

    /// @param namespace the Gateway's own unless it names another
    public record ObjectRef(String group, String kind, String namespace, String name) {}

    /// Which routes may be attached.
    /// @param namespaces of [From#SELECTOR]
    /// @param kinds empty for those of its protocol
    public record Allowed(From from, LabelSelector namespaces, List<RouteKind> kinds) {
        public Allowed {
            kinds = List.copyOf(kinds);
        }
    }

    public record RouteKind(String group, String kind) {}

    /// What is to be on all that runs for it: `spec.infrastructure`, else what is on the Gateway itself.
    /// @param parameters the ConfigMap of its namespace that changes what runs for it
    /// @param otherParameters kind and name of what it names instead and cannot be read; empty if it does not
    /// @param trustedProxies how many proxies stand in front of it, by `proxy.istio.io/config`
    public record Infrastructure(
            Map<String, String> labels,
            Map<String, String> annotations,
            Optional<String> parameters,
            String otherParameters,
            Optional<Integer> trustedProxies) {
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

    /// Whether it is one of those that we run at the edge of the mesh.
    public boolean isIngress() {
        return INGRESS_CLASSES.contains(className);
    }

    /// What its Deployment, its Service and its ServiceAccount are called.
    public String deployedName() {
        return isIngress() ? name() + "-" + className : name();
    }

    /// Whether objects of a namespace may use it as their waypoint.
    /// @param labels of that namespace
    public boolean admits(String namespace, Map<String, String> labels) {
        return listeners.stream()
                .filter(listener -> listener.port == HBONE_PORT && listener.protocol.equals("HBONE"))
                .findFirst()
                .map(listener -> listener.admits(namespace(), namespace, labels))
                .orElse(namespace.equals(namespace()));
    }
}
