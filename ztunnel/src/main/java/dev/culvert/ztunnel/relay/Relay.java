package dev.culvert.ztunnel.relay;

import dev.culvert.hbone.failure.FailureReason;
import dev.culvert.hbone.failure.ProxyException;
import io.netty.buffer.ByteBuf;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Bytes both ways between a downstream and an upstream, with half-close and reset passed on as they are. Its whole
/// state is here and in its two ends. Confined to one loop.
public final class Relay {
    private static final Logger LOG = LoggerFactory.getLogger("relay");

    private final RelayEnd downstream;
    private final RelayEnd upstream;
    private final CompletableFuture<@Nullable Void> done = new CompletableFuture<>();

    private long bytesUp;
    private long bytesDown;
    private boolean over;
    private boolean upEnded;
    private boolean downEnded;

    public Relay(RelayEnd downstream, RelayEnd upstream) {
        this.downstream = downstream;
        this.upstream = upstream;
    }

    /// Begins; the result completes once both directions have ended, or fails with a [ProxyException].
    public CompletableFuture<@Nullable Void> start() {
        upstream.start(this);
        downstream.start(this);
        return done;
    }

    /// Bytes from the downstream to the upstream.
    public long bytesUp() {
        return bytesUp;
    }

    public long bytesDown() {
        return bytesDown;
    }

    /// Ends both sides by a reset.
    public void cut(FailureReason reason, String why) {
        finish(ProxyException.of(reason, why));
    }

    // ---- for the ends ----

    void moved(RelayEnd from, ByteBuf data) {
        if (over) {
            data.release();
            return;
        }
        if (from == downstream) {
            bytesUp += data.readableBytes();
            upstream.deliver(data);
        } else {
            bytesDown += data.readableBytes();
            downstream.deliver(data);
        }
    }

    void left(RelayEnd by, int bytes) {
        (by == downstream ? upstream : downstream).left(bytes);
    }

    /// `from` sends no more.
    void ended(RelayEnd from) {
        if (!over) {
            (from == downstream ? upstream : downstream).deliverEnd();
        }
    }

    /// The FIN for `to` is out.
    void endDelivered(RelayEnd to) {
        if (to == downstream) {
            downEnded = true;
        } else {
            upEnded = true;
        }
        if (upEnded && downEnded && !over) {
            over = true;
            downstream.close();
            upstream.close();
            done.complete(null);
        }
    }

    /// `end` broke: reset by whoever is there, or failed. A reset is a normal end for the log, as Istio has it.
    void broke(RelayEnd end, String why, boolean reset) {
        LOG.debug(
                "{} broke after {} bytes up, {} down: {}",
                end == downstream ? "downstream" : "upstream",
                bytesUp,
                bytesDown,
                why);
        if (reset) {
            finish(null);
        } else {
            var reason = end == downstream ? FailureReason.DOWNSTREAM_RESET : FailureReason.UPSTREAM_RESET;
            finish(ProxyException.of(reason, why));
        }
    }

    private void finish(@Nullable ProxyException failure) {
        if (over) {
            return;
        }
        over = true;
        downstream.abort();
        upstream.abort();
        if (failure == null) {
            done.complete(null);
        } else {
            done.completeExceptionally(failure);
        }
    }
}
