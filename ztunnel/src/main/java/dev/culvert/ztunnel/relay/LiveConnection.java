package dev.culvert.ztunnel.relay;

import dev.culvert.hbone.failure.FailureReason;
import dev.culvert.hbone.tls.HboneTls;
import dev.culvert.mesh.model.identity.SpiffeId;
import dev.culvert.mesh.model.state.MeshSnapshot;
import java.net.InetSocketAddress;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// A connection that was allowed and is open. Confined to its loop.
public interface LiveConnection {
    /// @param podUid of the local pod (Kubernetes uid)
    /// @param original service or address that was meant, or null
    /// @param protocol `HBONE` or `TCP`
    record Description(
            String podUid,
            boolean inbound,
            InetSocketAddress source,
            @Nullable String original,
            InetSocketAddress actual,
            String protocol) {}

    Description describe();

    /// What its CONNECT said, and who sent it.
    record Tunnel(String authority, SpiffeId peer) {}

    /// The tunnel by which it came in, if it did.
    default Optional<Tunnel> tunnel() {
        return Optional.empty();
    }

    String podUid();

    /// Who is on the other side of the tunnel; null without one.
    HboneTls.@Nullable Peer peer();

    /// Decides again with the mesh as it is now; ends the connection if it is no longer allowed.
    void recheck(MeshSnapshot mesh);

    /// Adds what has moved since the last call to the metrics.
    void count();

    /// Ends the connection by a reset.
    void cut(FailureReason reason, String why);
}
