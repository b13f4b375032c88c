package dev.culvert.hbone.pool;

import dev.culvert.hbone.codec.H2Limits;
import java.time.Duration;

/// @param handshake bound of the TLS handshake with an upstream
/// @param answer bound of the wait for the answer to CONNECT
/// @param unusedRelease how long a connection without streams is kept
/// @param maxConnections of one pool
public record PoolLimits(H2Limits h2, Duration handshake, Duration answer, Duration unusedRelease, int maxConnections) {
    public static final PoolLimits DEFAULTS = new PoolLimits(
            H2Limits.DEFAULTS, Duration.ofSeconds(10), Duration.ofSeconds(20), Duration.ofMinutes(5), 500);
}
