package dev.culvert.hbone.codec;

import io.netty.util.concurrent.EventExecutor;
import io.netty.util.concurrent.ScheduledFuture;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// Finds dead peers by PING, whatever the traffic (RFC 9113 §6.7; every 10 s and 20 s in Istio). Confined to its
/// loop.
final class Keepalive {
    interface Peer {
        void ping(long opaque);

        /// The peer did not answer in time.
        void silent();
    }

    private final EventExecutor loop;
    private final Duration every;
    private final Duration timeout;
    private final Peer peer;
    private long opaque;
    private @Nullable ScheduledFuture<?> next;

    Keepalive(EventExecutor loop, Duration every, Duration timeout, Peer peer) {
        this.loop = loop;
        this.every = every;
        this.timeout = timeout;
        this.peer = peer;
        next = loop.schedule(this::ping, every.toNanos(), TimeUnit.NANOSECONDS);
    }

    private void ping() {
        opaque++;
        next = loop.schedule(peer::silent, timeout.toNanos(), TimeUnit.NANOSECONDS);
        peer.ping(opaque);
    }

    void answered(long answer) {
        if (answer == opaque && next != null) {
            next.cancel(false);
            next = loop.schedule(this::ping, every.toNanos(), TimeUnit.NANOSECONDS);
        }
    }

    void stop() {
        if (next != null) {
            next.cancel(false);
            next = null;
        }
    }
}
