package dev.culvert.kube.object;

import java.util.List;
import java.util.Optional;

/// A `gateway.networking.k8s.io` HTTPRoute.
public record HttpRoute(Metadata metadata, List<Parent> parents, List<HttpRule> rules, Place place)
        implements KubeObject {
    /// What the route is attached to.
    /// @param group empty for the core group
    public record Parent(String group, String kind, String namespace, String name, Optional<Integer> port) {
        public boolean isService() {
            return group.isEmpty() && kind.equals("Service");
        }
    }

    public HttpRoute {
        parents = List.copyOf(parents);
        rules = List.copyOf(rules);
    }
}
