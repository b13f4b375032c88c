package dev.culvert.ztunnel.inpod;

import java.time.Duration;

/// How sockets in pods are made.
/// @param mark tells the proxy's packets from the application's
/// @param connect bound of a TCP connect
public record SocketSettings(
        int mark,
        boolean ipv6,
        boolean reusePort,
        Duration connect,
        boolean keepalive,
        int keepaliveSeconds,
        int keepaliveProbes) {}
