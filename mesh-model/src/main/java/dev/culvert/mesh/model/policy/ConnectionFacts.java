package dev.culvert.mesh.model.policy;

import dev.culvert.mesh.model.identity.SpiffeId;
import dev.culvert.mesh.model.workload.Addresses;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;

/// What an L4 policy may ask about a connection.
/// @param source from the peer's certificate; null for plaintext
/// @param sourceIp TCP peer
/// @param destination the final resolved target, never port 15008
public record ConnectionFacts(@Nullable SpiffeId source, InetAddress sourceIp, InetSocketAddress destination) {
    String sourceNamespace() {
        return source == null ? "" : source.namespace();
    }

    /// For the log.
    public String text() {
        return (source == null ? "plaintext" : source.toString()) + " from " + Addresses.text(sourceIp) + " to "
                + Addresses.text(destination);
    }
}
