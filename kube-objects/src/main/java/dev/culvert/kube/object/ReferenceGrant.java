package dev.culvert.kube.object;

import java.util.List;

/// A `gateway.networking.k8s.io` ReferenceGrant: what of its own namespace objects of others may name.
public record ReferenceGrant(Metadata metadata, List<From> from, List<To> to, Place place) implements KubeObject {
    public record From(String group, String kind, String namespace) {}

    /// @param group empty for the core group
    /// @param name empty for all of the kind
    public record To(String group, String kind, String name) {}

    public ReferenceGrant {
        from = List.copyOf(from);
        to = List.copyOf(to);
    }

    /// Whether a route may lead to a Service here.
    public boolean allowsService(KubeObject route, String name) {
        return allows(route, "Service", name);
    }

    /// Whether an object of the Gateway API may name one of the core group here.
    public boolean allows(KubeObject author, String kind, String name) {
        return from.stream()
                        .anyMatch(one -> one.group.equals(ParentRef.GATEWAY_API)
                                && one.kind.equals(author.kind().text())
                                && one.namespace.equals(author.namespace()))
                && to.stream()
                        .anyMatch(one -> one.group.isEmpty()
                                && one.kind.equals(kind)
                                && (one.name.isEmpty() || one.name.equals(name)));
    }
}
