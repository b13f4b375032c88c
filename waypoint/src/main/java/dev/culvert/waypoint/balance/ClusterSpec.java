package dev.culvert.waypoint.balance;

import dev.culvert.protos.waypoint.Backend;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// The endpoints of a Service's port, or of a subset of them, and how they are used. Immutable.
/// @param workloads of the subset, by uid; null for all
/// @param throughWaypoint whether pods of its waypoint are asked for it instead
/// @param version the same for what is the same in all but its key
public record ClusterSpec(
        Key key, @Nullable Set<String> workloads, Traffic traffic, boolean throughWaypoint, long version) {
    /// @param subset empty for all
    public record Key(String namespace, String hostname, int port, String subset) {}

    public ClusterSpec {
        workloads = workloads == null ? null : Set.copyOf(workloads);
    }

    /// @throws IllegalArgumentException for what cannot be understood
    public static ClusterSpec of(Backend backend) {
        var subset = backend.getSubset();
        return new ClusterSpec(
                new Key(backend.getNamespace(), backend.getHostname(), backend.getPort(), subset.getName()),
                backend.hasSubset() ? Set.copyOf(subset.getWorkloadsList()) : null,
                Traffic.of(backend.getTraffic()),
                backend.getThroughWaypoint(),
                XxHash.of(backend.getSubset().toByteArray())
                        ^ Long.rotateLeft(XxHash.of(backend.getTraffic().toByteArray()), 1)
                        ^ (backend.getThroughWaypoint() ? -1 : 0));
    }

    /// One pod that is called by its own address.
    public static ClusterSpec ofPod(Endpoint endpoint) {
        return new ClusterSpec(
                new Key("", endpoint.workload().uid(), endpoint.address().getPort(), ""),
                null,
                Traffic.DEFAULT,
                false,
                0);
    }
}
