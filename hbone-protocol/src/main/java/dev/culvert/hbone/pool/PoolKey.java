package dev.culvert.hbone.pool;

import dev.culvert.mesh.model.identity.SpiffeId;
import java.net.InetSocketAddress;
import java.util.Set;

/// Which streams may share a connection.
/// @param netnsInode of the pod whose sockets are used
/// @param acceptedPeers whom the upstream may be; never empty
/// @param trustGeneration changes with the roots
public record PoolKey(
        long netnsInode, SpiffeId source, Set<SpiffeId> acceptedPeers, InetSocketAddress nextHop, int trustGeneration) {
    public PoolKey {
        acceptedPeers = Set.copyOf(acceptedPeers);
        if (acceptedPeers.isEmpty()) {
            throw new IllegalArgumentException("a tunnel must name whom it trusts: " + nextHop);
        }
    }
}
