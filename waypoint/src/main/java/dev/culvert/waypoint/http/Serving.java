package dev.culvert.waypoint.http;

import dev.culvert.hbone.headers.Baggage;
import dev.culvert.mesh.model.identity.SpiffeId;
import dev.culvert.mesh.model.workload.Addresses;
import dev.culvert.proxy.mesh.MeshState;
import dev.culvert.waypoint.balance.Cluster;
import dev.culvert.waypoint.balance.ClusterSpec;
import dev.culvert.waypoint.balance.Clusters;
import dev.culvert.waypoint.config.ServiceConfigs;
import dev.culvert.waypoint.telemetry.RequestMetrics;
import dev.culvert.waypoint.telemetry.RequestRecord;
import dev.culvert.waypoint.token.RemoteKeys;
import java.net.InetAddress;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// What every request of this process shares. Thread-safe.
/// @param self our own identity
/// @param address our own, by which the mesh knows us
public record Serving(
        MeshState mesh,
        ServiceConfigs configs,
        Clusters clusters,
        RemoteKeys keys,
        RequestRecord.To records,
        SpiffeId self,
        String network,
        InetAddress address,
        HttpLimits limits) {
    /// The same for connections that may cost something else.
    public Serving with(HttpLimits others) {
        return new Serving(mesh, configs, clusters, keys, records, self, network, address, others);
    }

    public RequestMetrics metrics() {
        return records.metrics();
    }

    /// An endpoint of a cluster.
    /// @param hash of the request's key; null without one
    /// @param tried workload uids not to choose again while there are others
    Optional<Cluster.Chosen> choose(ClusterSpec spec, @Nullable Long hash, Set<String> tried) {
        var now = mesh.current();
        return clusters.of(spec)
                .choose(now, spec, now.workloadAt(network, address).orElse(null), hash, tried);
    }

    /// What we say of ourselves to upstreams.
    Baggage baggage() {
        return mesh.current().workloadAt(network, address).map(Baggage::of).orElse(Baggage.NONE);
    }

    @Override
    public String toString() {
        return "Serving[" + self + " at " + Addresses.text(address) + "]";
    }
}
