package dev.culvert.istiod.ingress;

import dev.culvert.istiod.ambient.Waypoints;
import dev.culvert.kube.object.Gateway;
import dev.culvert.kube.object.ObjectSet;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// A Gateway at the edge of the mesh.
public record EdgeGateway(Gateway gateway, List<EdgeListener> listeners) {
    public EdgeGateway {
        listeners = List.copyOf(listeners);
    }

    public static boolean isOne(Gateway gateway, ObjectSet objects) {
        return gateway.isIngress() && Waypoints.isOurs(gateway, objects);
    }

    /// All that are ours.
    public static List<EdgeGateway> all(ObjectSet objects) {
        return objects.all(Gateway.class).stream()
                .filter(gateway -> isOne(gateway, objects))
                .map(gateway -> of(gateway, objects))
                .toList();
    }

    public static EdgeGateway of(Gateway gateway, ObjectSet objects) {
        return new EdgeGateway(gateway, new Listeners(gateway, objects).all());
    }

    /// Those that its pods listen on, as far as the Gateway alone tells.
    public static List<Integer> ports(Gateway gateway) {
        return gateway.listeners().stream()
                .filter(listener -> Listeners.PROTOCOLS.contains(listener.protocol()))
                .map(Gateway.Listener::port)
                .filter(port -> !Listeners.RESERVED.contains(port))
                .distinct()
                .sorted()
                .toList();
    }

    /// What its pods are found by.
    Map<String, String> podLabels() {
        var labels = new TreeMap<>(gateway.infrastructure().labels());
        labels.putAll(Map.of(
                Waypoints.GATEWAY_NAME,
                gateway.name(),
                Waypoints.GATEWAY_CLASS,
                gateway.className(),
                "service.istio.io/canonical-name",
                gateway.deployedName()));
        return labels;
    }
}
