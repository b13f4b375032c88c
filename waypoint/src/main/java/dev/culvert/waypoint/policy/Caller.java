package dev.culvert.waypoint.policy;

import dev.culvert.mesh.model.identity.SpiffeId;
import java.net.InetSocketAddress;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Who calls and what was dialled: the certificate and the addresses of the connection, never a header.
/// @param trustedProxies how many proxies before us may say of a request who its client is
/// @param proved the identity of the caller's certificate; null for callers from outside of the mesh
/// @param source address of the client
/// @param dialled the authority of the tunnel: a Service's address and port, or a pod's; at the edge our own
/// @param scheme as the client's URL begins
/// @param certificate what upstreams are told of the certificate that a client from outside has shown; null without
public record Caller(
        @Nullable SpiffeId proved,
        InetSocketAddress source,
        InetSocketAddress dialled,
        String scheme,
        @Nullable String certificate,
        int trustedProxies) {
    /// One who came by a tunnel.
    public Caller(SpiffeId identity, InetSocketAddress source, InetSocketAddress dialled) {
        this(identity, source, dialled, "http", null, 0);
    }

    public Optional<SpiffeId> identity() {
        return Optional.ofNullable(proved);
    }

    /// Empty without an identity, as those below.
    public String principal() {
        return proved == null ? "" : proved.principal();
    }

    public String namespace() {
        return proved == null ? "" : proved.namespace();
    }

    public String trustDomain() {
        return proved == null ? "" : proved.trustDomain();
    }

    /// For logs.
    public String shown() {
        return proved == null ? "-" : proved.toString();
    }
}
