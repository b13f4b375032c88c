package dev.culvert.hbone.tunnel;

import dev.culvert.hbone.codec.HboneStream;
import dev.culvert.hbone.headers.Baggage;
import dev.culvert.hbone.tls.HboneTls;

/// An accepted CONNECT: the stream carries bytes from now on. Whoever gets it sets the stream's listener at once.
/// @param server what the peer says of itself, for telemetry
public record Tunnel(HboneStream stream, Baggage server, HboneTls.Peer peer) {}
