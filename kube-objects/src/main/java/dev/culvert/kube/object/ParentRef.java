package dev.culvert.kube.object;

import java.util.Optional;

/// What a route of the Gateway API is attached to.
/// @param group empty for the core group
public record ParentRef(String group, String kind, String namespace, String name, Optional<Integer> port) {
    public boolean isService() {
        return group.isEmpty() && kind.equals("Service");
    }
}
