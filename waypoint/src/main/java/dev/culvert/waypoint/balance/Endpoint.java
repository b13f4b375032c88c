package dev.culvert.waypoint.balance;

import dev.culvert.mesh.model.identity.SpiffeId;
import dev.culvert.mesh.model.workload.Workload;
import java.net.InetSocketAddress;
import java.util.Set;

/// Where a request goes.
/// @param accepted whom it may be; for a workload that speaks HBONE
public record Endpoint(Workload workload, InetSocketAddress address, Set<SpiffeId> accepted) {
    public Endpoint {
        accepted = Set.copyOf(accepted);
    }

    /// A pod that was called by its own address.
    public static Endpoint of(Workload workload, InetSocketAddress dialled) {
        return new Endpoint(workload, dialled, Set.of(workload.identity()));
    }
}
