package dev.culvert.kube.object;

import java.util.Optional;

/// What a route of the Gateway API is attached to.
/// @param group empty for the core group
/// @param section of a Gateway: the listener; empty for all
public record ParentRef(
        String group, String kind, String namespace, String name, Optional<Integer> port, Optional<String> section) {
    public static final String GATEWAY_API = "gateway.networking.k8s.io";
    private static final String ISTIO = "networking.istio.io";

    public boolean isService() {
        return group.isEmpty() && kind.equals("Service");
    }

    public boolean isServiceEntry() {
        return group.equals(ISTIO) && kind.equals("ServiceEntry");
    }

    /// Whether it is something that is called inside of the mesh.
    public boolean isCalled() {
        return isService() || isServiceEntry();
    }

    public boolean isGateway() {
        return group.equals(GATEWAY_API) && kind.equals("Gateway");
    }
}
