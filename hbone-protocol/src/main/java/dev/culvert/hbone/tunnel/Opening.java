package dev.culvert.hbone.tunnel;

import dev.culvert.hbone.codec.ErrorCode;
import dev.culvert.hbone.codec.HboneStream;
import dev.culvert.hbone.codec.LoopLimits;
import dev.culvert.hbone.codec.PeerLimit;
import dev.culvert.hbone.codec.StreamFailure;
import dev.culvert.hbone.codec.StreamListener;
import dev.culvert.hbone.failure.FailureReason;
import dev.culvert.hbone.failure.ProxyException;
import dev.culvert.hbone.headers.ConnectRequest;
import dev.culvert.hbone.tls.HboneTls;
import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.util.concurrent.EventExecutor;
import io.netty.util.concurrent.ScheduledFuture;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// A CONNECT that waits for its answer. Confined to the connection's loop.
public final class Opening implements StreamListener {
    private final CompletableFuture<Tunnel> result = new CompletableFuture<>();
    private final HboneTls.Peer peer;
    private @Nullable ScheduledFuture<?> deadline;

    public Opening(HboneTls.Peer peer) {
        this.peer = peer;
    }

    /// Completes on the loop, before any byte of the tunnel is read.
    public CompletableFuture<Tunnel> result() {
        return result;
    }

    public void answerWithin(Duration timeout, EventExecutor loop, HboneStream stream, LoopLimits limits) {
        deadline = loop.schedule(() -> expired(stream, timeout, limits), timeout.toNanos(), TimeUnit.NANOSECONDS);
    }

    private void expired(HboneStream stream, Duration timeout, LoopLimits limits) {
        limits.reached(PeerLimit.ANSWER);
        stream.reset(ErrorCode.CANCEL);
        fail(FailureReason.UPSTREAM_H2, "no answer to CONNECT within " + timeout.toMillis() + " ms");
    }

    @Override
    public void headers(HboneStream stream, Http2Headers headers, boolean endStream) {
        var status = ConnectRequest.status(headers);
        if (status == 200 && !endStream) {
            cancelDeadline();
            result.complete(new Tunnel(stream, ConnectRequest.baggageOf(headers), peer));
        } else if (status < 100 || status >= 200) {
            stream.reset(ErrorCode.CANCEL);
            fail(
                    status == 503 ? FailureReason.UPSTREAM_UNAVAILABLE : FailureReason.UPSTREAM_STATUS,
                    "http status: " + StatusText.of(status));
        }
    }

    @Override
    public void data(HboneStream stream, ByteBuf data) {
        data.release();
        stream.reset(ErrorCode.PROTOCOL_ERROR);
        fail(FailureReason.UPSTREAM_H2, "DATA before the answer to CONNECT");
    }

    @Override
    public void ended(HboneStream stream) {
        stream.reset(ErrorCode.CANCEL);
        fail(FailureReason.UPSTREAM_H2, "the stream ended before the answer to CONNECT");
    }

    @Override
    public void failed(HboneStream stream, StreamFailure failure) {
        fail(failure.retryable() ? FailureReason.UPSTREAM_REFUSED : FailureReason.UPSTREAM_H2, failure.toString());
    }

    @Override
    public void sent(HboneStream stream, int bytes) {}

    private void fail(FailureReason reason, String message) {
        cancelDeadline();
        result.completeExceptionally(ProxyException.of(reason, message));
    }

    private void cancelDeadline() {
        if (deadline != null) {
            deadline.cancel(false);
        }
    }
}
