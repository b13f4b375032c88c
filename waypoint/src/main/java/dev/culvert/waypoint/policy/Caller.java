package dev.culvert.waypoint.policy;

import dev.culvert.mesh.model.identity.SpiffeId;
import java.net.InetSocketAddress;

/// Who calls and what was dialled: the certificate and the addresses of the tunnel, never a header.
/// @param source address of the client pod
/// @param dialled the authority of the tunnel: a Service's address and port, or a pod's
public record Caller(SpiffeId identity, InetSocketAddress source, InetSocketAddress dialled) {}
