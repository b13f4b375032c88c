package dev.culvert.kube.read;

import dev.culvert.kube.object.Kind;
import dev.culvert.kube.object.Metadata;
import dev.culvert.kube.object.Unserved;

/// Says of kinds that do nothing here why that is so, and what to write instead.
final class UnservedKinds {
    private UnservedKinds() {}

    static Unserved read(Fields object, Metadata metadata, Kind kind) {
        object.warning("kind", "has no effect: " + why(kind), instead(kind));
        return new Unserved(metadata, kind, object.place());
    }

    private static String why(Kind kind) {
        return switch (kind) {
            case SIDECAR -> "this mesh has no sidecars whose view or ports it could narrow";
            case ENVOY_FILTER -> "no Envoy runs in this mesh, and nothing else reads its patches";
            case PROXY_CONFIG -> "this mesh has no sidecars that it could set up";
            case WORKLOAD_GROUP -> "machines do not register themselves in this mesh";
            case WASM_PLUGIN, TRAFFIC_EXTENSION ->
                "waypoints load no extensions: requests pass without it, also those that it would refuse";
            default -> throw new IllegalArgumentException(kind + " is acted on");
        };
    }

    private static String instead(Kind kind) {
        return switch (kind) {
            case SIDECAR ->
                "remove it: node proxies learn what they need by themselves; who may call whom is an AuthorizationPolicy of"
                        + " the callee, and a limit of connections a DestinationRule of a Service with a waypoint";
            case ENVOY_FILTER ->
                "write an HTTPRoute, VirtualService or DestinationRule for a Service with a waypoint, or an"
                        + " AuthorizationPolicy; what none of them says cannot be had";
            case PROXY_CONFIG ->
                "set up a waypoint or gateway by the ConfigMap of its spec.infrastructure.parametersRef, and node proxies"
                        + " by the values of their installation";
            case WORKLOAD_GROUP -> "write a WorkloadEntry for each machine";
            case WASM_PLUGIN, TRAFFIC_EXTENSION ->
                "write an AuthorizationPolicy or a RequestAuthentication with targetRefs for what it decides, and an"
                        + " HTTPRoute or VirtualService for what it changes";
            default -> throw new IllegalArgumentException(kind + " is acted on");
        };
    }
}
