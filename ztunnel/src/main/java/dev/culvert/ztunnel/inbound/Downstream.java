package dev.culvert.ztunnel.inbound;

import dev.culvert.hbone.tls.HboneTls;
import dev.culvert.mesh.model.identity.SpiffeId;
import java.net.InetSocketAddress;

/// Who is on the other side of an HBONE connection: the certificate decides, headers never do.
/// @param local the address it came to, port 15008
record Downstream(HboneTls.Peer peer, InetSocketAddress remote, InetSocketAddress local) {
    SpiffeId identity() {
        return peer.identities().getFirst();
    }
}
