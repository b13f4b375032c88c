package dev.culvert.cli.install;

import java.util.List;
import java.util.Map;

/// Images in the pod template of a Deployment, as a tree of maps; pure.
final class Images {
    private static final String OF_WAYPOINTS = "CULVERT_WAYPOINT_IMAGE";

    private Images() {}

    /// That of its first container; empty if it has none.
    static String of(Map<String, ?> deployment) {
        return container(deployment).get("image") instanceof String image ? image : "";
    }

    /// What a controller is told to give to waypoints; empty if it is not.
    static String ofWaypoints(Map<String, ?> controller) {
        return variable(controller, OF_WAYPOINTS);
    }

    /// Whether the proxy of a Deployment asks the controller whose Service has this name.
    static boolean asks(Map<String, ?> proxy, String service) {
        return variable(proxy, "XDS_ADDRESS").startsWith("https://" + service + ".");
    }

    private static String variable(Map<String, ?> deployment, String name) {
        var env = container(deployment).get("env") instanceof List<?> list ? list : List.of();
        return env.stream()
                .filter(one -> one instanceof Map<?, ?> variable && name.equals(variable.get("name")))
                .map(one -> String.valueOf(((Map<?, ?>) one).get("value")))
                .findFirst()
                .orElse("");
    }

    private static Map<?, ?> container(Map<String, ?> deployment) {
        return child(child(child(deployment, "spec"), "template"), "spec").get("containers") instanceof List<?> all
                        && !all.isEmpty()
                        && all.getFirst() instanceof Map<?, ?> first
                ? first
                : Map.of();
    }

    private static Map<?, ?> child(Map<?, ?> tree, String name) {
        return tree.get(name) instanceof Map<?, ?> map ? map : Map.of();
    }
}
