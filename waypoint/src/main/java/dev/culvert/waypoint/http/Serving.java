package dev.culvert.waypoint.http;

import dev.culvert.hbone.headers.Baggage;
import dev.culvert.mesh.model.identity.SpiffeId;
import dev.culvert.mesh.model.workload.Addresses;
import dev.culvert.proxy.mesh.MeshState;
import dev.culvert.waypoint.config.ServiceConfigs;
import dev.culvert.waypoint.telemetry.RequestMetrics;
import java.net.InetAddress;

/// What every request of this process shares. Thread-safe.
/// @param self our own identity
/// @param address our own, by which the mesh knows us
public record Serving(
        MeshState mesh,
        ServiceConfigs configs,
        RequestMetrics metrics,
        SpiffeId self,
        String network,
        InetAddress address,
        HttpLimits limits) {
    /// What we say of ourselves to upstreams.
    Baggage baggage() {
        return mesh.current().workloadAt(network, address).map(Baggage::of).orElse(Baggage.NONE);
    }

    @Override
    public String toString() {
        return "Serving[" + self + " at " + Addresses.text(address) + "]";
    }
}
