package dev.culvert.ztunnel.inpod;

import java.time.Duration;

/// How sockets in pods are made.
/// @param mark tells the proxy's packets from the application's; 0 for none
/// @param transparent whether this process may use IP_TRANSPARENT
/// @param connect bound of a TCP connect
public record SocketSettings(
        int mark, boolean transparent, boolean ipv6, boolean reusePort, Duration connect, Keepalive keepalive) {
    public SocketSettings transparent(boolean possible) {
        return new SocketSettings(mark, possible, ipv6, reusePort, connect, keepalive);
    }

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
