package dev.culvert.ztunnel.relay;

import dev.culvert.hbone.failure.FailureReason;
import dev.culvert.hbone.failure.ProxyException;
import dev.culvert.proxy.telemetry.AccessLog;
import dev.culvert.proxy.telemetry.ConnectionMetrics;
import dev.culvert.proxy.telemetry.Traffic;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/// The metrics and the one log line of a connection, from its start to its end. Confined to the connection's loop.
public final class ConnectionRecord {
    private final ConnectionMetrics.Connection counted;
    private final long startNanos = System.nanoTime();
    private final Traffic traffic;
    private final AccessLog.Endpoints endpoints;
    private long countedUp;
    private long countedDown;

    public ConnectionRecord(ConnectionMetrics metrics, Traffic traffic, AccessLog.Endpoints endpoints) {
        this.traffic = traffic;
        this.endpoints = endpoints;
        this.counted = metrics.opened(traffic);
        AccessLog.opened(traffic, endpoints);
    }

    /// Adds to the metrics what has moved since the last call.
    /// @param relay null if it has not come to one
    public void count(@Nullable Relay relay) {
        if (relay != null) {
            counted.bytes(relay.bytesUp() - countedUp, relay.bytesDown() - countedDown);
            countedUp = relay.bytesUp();
            countedDown = relay.bytesDown();
        }
    }

    /// Exactly once.
    /// @param relay null if it never came to one
    /// @param failure null if it ended well
    public void end(@Nullable Relay relay, @Nullable Throwable failure) {
        var up = relay == null ? 0 : relay.bytesUp();
        var down = relay == null ? 0 : relay.bytesDown();
        var why = failure == null ? null : ProxyException.of(failure);
        count(relay);
        counted.closed(why == null ? "-" : why.reason().flag());
        var source = traffic.reporter() == Traffic.Reporter.SOURCE;
        AccessLog.complete(
                traffic,
                endpoints,
                new AccessLog.Outcome(
                        source ? up : down,
                        source ? down : up,
                        Duration.ofNanos(System.nanoTime() - startNanos),
                        why == null ? "" : text(why)));
    }

    private static String text(ProxyException why) {
        return why.reason() == FailureReason.POLICY_DENIED
                ? "connection closed due to policy rejection: " + why.text()
                : why.text();
    }
}
