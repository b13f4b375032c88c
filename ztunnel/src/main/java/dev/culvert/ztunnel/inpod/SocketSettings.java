package dev.culvert.ztunnel.inpod;

import java.time.Duration;

/// How sockets in pods are made.
/// @param mark tells the proxy's packets from the application's
/// @param connect bound of a TCP connect
public record SocketSettings(int mark, boolean ipv6, boolean reusePort, Duration connect, Keepalive keepalive) {
    /// TCP's own look after dead peers.
    /// @param idleSeconds before the first probe
    /// @param probes unanswered ones that make a peer count as dead
    /// @param userTimeout whether unacknowledged data ends a connection after the same time, too
    public record Keepalive(boolean enabled, int idleSeconds, int intervalSeconds, int probes, boolean userTimeout) {
        public static final Keepalive DEFAULT = new Keepalive(true, 180, 180, 9, false);

        int userTimeoutMillis() {
            return (int) Math.min(Integer.MAX_VALUE, (idleSeconds + (long) probes * intervalSeconds) * 1000);
        }
    }
}
