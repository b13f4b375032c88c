package dev.culvert.waypoint.balance;

import dev.culvert.mesh.model.identity.SpiffeId;
import dev.culvert.mesh.model.workload.Workload;
import java.net.InetSocketAddress;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Where a request goes.
/// @param accepted whom it may be; for a workload that speaks HBONE
/// @param called the Service's address that it is asked for, where it is a waypoint; null for itself
public record Endpoint(
        Workload workload,
        InetSocketAddress address,
        Set<SpiffeId> accepted,
        @Nullable InetSocketAddress called) {
    public Endpoint {
        accepted = Set.copyOf(accepted);
    }

    public Endpoint(Workload workload, InetSocketAddress address, Set<SpiffeId> accepted) {
        this(workload, address, accepted, null);
    }

    /// Whether it is reached by a tunnel only.
    public boolean isTunnelled() {
        return called != null || workload.speaksHbone(address.getPort());
    }

    /// What a tunnel to it leads to.
    public InetSocketAddress authority() {
        return called == null ? address : called;
    }

    /// A pod that was called by its own address.
    public static Endpoint of(Workload workload, InetSocketAddress dialled) {
        return new Endpoint(workload, dialled, Set.of(workload.identity()));
    }
}
