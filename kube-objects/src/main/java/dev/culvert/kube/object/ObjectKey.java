package dev.culvert.kube.object;

/// What makes an object the same object.
///
/// @param namespace empty for kinds without
public record ObjectKey(Kind kind, String namespace, String name) implements Comparable<ObjectKey> {
    @Override
    public int compareTo(ObjectKey other) {
        if (kind != other.kind) {
            return kind.compareTo(other.kind);
        }
        var byNamespace = namespace.compareTo(other.namespace);
        return byNamespace != 0 ? byNamespace : name.compareTo(other.name);
    }

    /// As messages name it: `Pod shop/cart-0`, `Node node-1`.
    @Override
    public String toString() {
        return kind.shown() + " " + (namespace.isEmpty() ? "" : namespace + "/") + name;
    }
}
