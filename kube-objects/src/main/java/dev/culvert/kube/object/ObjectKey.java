package dev.culvert.kube.object;

import java.util.Comparator;

/// What makes an object the same object.
///
/// @param namespace empty for kinds without
public record ObjectKey(Kind kind, String namespace, String name) implements Comparable<ObjectKey> {
    @Override
    public int compareTo(ObjectKey other) {
        return Comparator.comparing(ObjectKey::kind)
                .thenComparing(ObjectKey::namespace)
                .thenComparing(ObjectKey::name)
                .compare(this, other);
    }

    /// As messages name it: `Pod shop/cart-0`, `Node node-1`.
    @Override
    public String toString() {
        return kind.shown() + " " + (namespace.isEmpty() ? "" : namespace + "/") + name;
    }
}
