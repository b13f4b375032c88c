package dev.culvert.istiod.grpc;

import dev.culvert.protos.envoy.Locality;

/// Who asks: the same name means different things in different namespaces, and other endpoints are near at another
/// place.
///
/// @param workload uid of its pod; empty if nobody knows it
/// @param node empty if nobody knows it
public record Viewer(String namespace, String workload, String node, Locality locality) {
    /// Nobody in particular of a namespace.
    static Viewer of(String namespace) {
        return new Viewer(namespace, "", "", Locality.getDefaultInstance());
    }

    /// Whether anything can be said to be near.
    boolean hasPlace() {
        return !node.isEmpty() || !locality.equals(Locality.getDefaultInstance());
    }
}
