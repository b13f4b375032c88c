package dev.culvert.waypoint.http;

import dev.culvert.hbone.failure.FailureReason;
import dev.culvert.hbone.failure.ProxyException;
import dev.culvert.waypoint.balance.Cluster;
import dev.culvert.waypoint.balance.Host;
import dev.culvert.waypoint.upstream.Upstream;
import dev.culvert.waypoint.upstream.UpstreamEvents;
import dev.culvert.waypoint.upstream.UpstreamPool;
import io.netty.handler.codec.http.DefaultHttpRequest;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpStatusClass;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.ScheduledFuture;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/// One try of a request, at one endpoint. Confined to its loop.
final class Try implements UpstreamEvents {
    private static final int OK = 200;
    private static final int UNAVAILABLE = 503;
    private static final int TIMEOUT = 504;

    private final Forwarding forwarding;
    private final UpstreamPool.Use use;
    private final Host host;
    private final boolean retry;
    private @Nullable CompletableFuture<Upstream> acquired;
    private @Nullable Upstream upstream;
    private @Nullable ScheduledFuture<?> perTry;
    private int answerStatus;
    private boolean informational;
    private boolean answered;
    private boolean reusable;
    private boolean done;
    private boolean counted;

    /// @param use of a cluster whose request has been counted
    /// @param retry whether it has been counted as one
    Try(Forwarding forwarding, UpstreamPool.Use use, Host host, boolean retry) {
        this.forwarding = forwarding;
        this.use = use;
        this.host = host;
        this.retry = retry;
        use.cluster().begin(host);
    }

    void acquire() {
        var inner = forwarding.exchange().inner();
        forwarding.perTryTimeout().ifPresent(time -> perTry = forwarding.later(Forwarding.nanos(time), this::perTry));
        acquired = inner.worker().upstreams().acquire(use, inner.whom(), this);
        acquired.whenComplete(this::opened);
    }

    boolean isOpen() {
        return upstream != null;
    }

    private void opened(@Nullable Upstream opened, @Nullable Throwable failure) {
        if (opened == null) {
            notOpened(ProxyException.of(failure == null ? new IllegalStateException() : failure));
            return;
        }
        upstream = opened;
        if (done || forwarding.isStopped()) {
            opened.abort();
            return;
        }
        var request = forwarding.request();
        var head = new DefaultHttpRequest(
                HttpVersion.HTTP_1_1,
                request.httpMethod(),
                request.onwardTarget(),
                request.onward().copy());
        forwarding.exchange().record().trace().onward(head.headers());
        if (request.isWebSocket() && !opened.isHttp2()) {
            head.headers()
                    .set(HttpHeaderNames.CONNECTION, HttpHeaderValues.UPGRADE)
                    .set(HttpHeaderNames.UPGRADE, HttpHeaderValues.WEBSOCKET);
        }
        opened.channel().write(head).addListener(written -> {
            if (!written.isSuccess()) {
                broke(String.valueOf(written.cause().getMessage()));
            }
        });
        forwarding.writeBody(opened.channel());
        opened.channel().flush();
        opened.channel().read();
        readRequest();
    }

    /// Tells the cluster what became of it; once.
    private void ended(Cluster.Outcome outcome, int status) {
        if (!counted) {
            counted();
            if (use.cluster().end(host, use.spec().traffic(), outcome, status)) {
                forwarding
                        .exchange()
                        .inner()
                        .serving()
                        .metrics()
                        .ejected(use.spec().key().hostname());
            }
        }
    }

    private void counted() {
        counted = true;
        use.cluster().endRequest();
        if (retry) {
            use.cluster().endRetry();
        }
    }

    private void abandoned() {
        if (!counted) {
            counted();
            use.cluster().abandon(host);
        }
    }

    private void notOpened(ProxyException why) {
        if (done || forwarding.isStopped()) {
            return;
        }
        done = true;
        Forwarding.cancel(perTry);
        if (why.reason() == FailureReason.LIMIT) {
            abandoned();
            forwarding.overflowed(why.text());
            return;
        }
        ended(Cluster.Outcome.FAILED, UNAVAILABLE);
        if (why.reason() == FailureReason.UPSTREAM_REFUSED) {
            forwarding.failed(Retries.Failure.REFUSED_STREAM, "UR", "remote refused stream reset", why.text());
        } else {
            var late = why.reason() == FailureReason.UPSTREAM_TIMEOUT;
            var reason = late ? "connection timeout" : "remote connection failure";
            forwarding.failed(Retries.Failure.CONNECT, "UF", reason, why.text());
        }
    }

    private void perTry() {
        if (!answered && !done) {
            giveUp();
            ended(Cluster.Outcome.FAILED, TIMEOUT);
            forwarding.failed(Retries.Failure.PER_TRY_TIMEOUT, "UT", "per try timeout", "");
        }
    }

    /// The whole request took too long.
    void timedOut() {
        if (!answered && !done) {
            ended(Cluster.Outcome.FAILED, TIMEOUT);
        }
    }

    /// Asks the client for more of the body, while it fits.
    private void readRequest() {
        if (upstream != null && upstream.channel().isWritable()) {
            forwarding.readRequest();
        }
    }

    void send(HttpContent content) {
        if (upstream == null || done) {
            content.release();
            return;
        }
        upstream.channel().writeAndFlush(content, upstream.channel().voidPromise());
        readRequest();
    }

    @Override
    public void writable() {
        readRequest();
    }

    /// Asks the endpoint for more of the answer, while the client takes it.
    void readMore() {
        if (upstream != null && !done && forwarding.exchange().downstream().isWritable()) {
            upstream.channel().read();
        }
    }

    @Override
    public void head(HttpResponse response) {
        if (done || upstream == null) {
            ReferenceCountUtil.release(response);
            return;
        }
        if (response.status().codeClass() == HttpStatusClass.INFORMATIONAL) {
            informational(response);
            return;
        }
        var status = response.status().code();
        var grpc = grpcStatus(response);
        answerStatus = grpc > 0 && status == OK ? asHttp(grpc) : status;
        var wanted = forwarding.retries().isForAnswer(status, grpc);
        if (wanted && forwarding.mayTryAgain()) {
            ReferenceCountUtil.release(response);
            giveUp();
            ended(Cluster.Outcome.ANSWERED, answerStatus);
            if (!forwarding.again()) {
                forwarding.failed(Retries.Failure.RESET, "UO", "overflow", "too many retries");
            }
            return;
        }
        if (wanted && forwarding.retries().isLimitReached()) {
            forwarding.exchange().record().flag("URX", "via_upstream");
        }
        answered = true;
        Forwarding.cancel(perTry);
        reusable = HttpUtil.isKeepAlive(response)
                && (HttpUtil.isContentLengthSet(response) || HttpUtil.isTransferEncodingChunked(response));
        ended(Cluster.Outcome.ANSWERED, answerStatus);
        var whole = response instanceof LastHttpContent;
        forwarding.answered(response);
        if (whole) {
            forwarding.exchange().answerWhole();
        } else {
            readMore();
        }
    }

    private boolean switchesToWebSocket(HttpResponse response) {
        return response.status().code() == 101
                && forwarding.request().isWebSocket()
                && HttpHeaderValues.WEBSOCKET.contentEqualsIgnoreCase(
                        response.headers().get(HttpHeaderNames.UPGRADE, ""));
    }

    /// 100 Continue and its kind pass, and the switch to a WebSocket that was asked for.
    private void informational(HttpResponse response) {
        if (upstream != null && switchesToWebSocket(response)) {
            done = true;
            Forwarding.cancel(perTry);
            ended(Cluster.Outcome.ANSWERED, OK);
            forwarding.switched(response, upstream);
            ReferenceCountUtil.release(response);
            return;
        }
        var whole = response instanceof LastHttpContent;
        ReferenceCountUtil.release(response);
        if (response.status().code() == 101) {
            giveUp();
            ended(Cluster.Outcome.FAILED, UNAVAILABLE);
            forwarding.failed(Retries.Failure.RESET, "UPE", "protocol error", "protocols were switched unasked");
            return;
        }
        informational = !whole;
        forwarding.exchange().answerInformational(response.status());
        if (upstream != null) {
            upstream.channel().read();
        }
    }

    private static int grpcStatus(HttpResponse response) {
        var text = response.headers().get("grpc-status");
        return text != null && text.length() <= 2 && text.chars().allMatch(Character::isDigit) && !text.isEmpty()
                ? Integer.parseInt(text)
                : -1;
    }

    /// What counts as an error of the endpoint, as Envoy maps it (`Grpc::Utility::grpcToHttpStatus`).
    private static int asHttp(int grpc) {
        return switch (grpc) {
            case 1 -> 499;
            case 4 -> TIMEOUT;
            case 12 -> 501;
            case 14 -> UNAVAILABLE;
            case 2, 13, 15 -> 500;
            default -> 400;
        };
    }

    @Override
    public void content(HttpContent content) {
        if (informational) {
            informational = !(content instanceof LastHttpContent);
            content.release();
            if (upstream != null) {
                upstream.channel().read();
            }
            return;
        }
        if (done || forwarding.isStopped()) {
            content.release();
            return;
        }
        var last = content instanceof LastHttpContent;
        forwarding.exchange().answerContent(content);
        if (!last) {
            readMore();
        }
    }

    @Override
    public void broke(String why) {
        if (done || forwarding.isStopped()) {
            return;
        }
        done = true;
        Forwarding.cancel(perTry);
        var stale = upstream != null && upstream.isReused() && !answered;
        if (stale) {
            abandoned();
            if (forwarding.againAfterStale()) {
                return;
            }
        }
        ended(Cluster.Outcome.FAILED, UNAVAILABLE);
        forwarding.failed(Retries.Failure.RESET, "UC", "connection termination", why);
    }

    private void giveUp() {
        done = true;
        Forwarding.cancel(perTry);
        if (upstream != null) {
            upstream.abort();
        } else if (acquired != null) {
            acquired.completeExceptionally(new IllegalStateException("not wanted any more"));
        }
    }

    /// The exchange is over; a connection that is done with it may carry another one.
    void stop() {
        if (done) {
            abandoned();
            return;
        }
        if (upstream == null || !answered || !forwarding.exchange().isAnswerComplete()) {
            giveUp();
            abandoned();
            return;
        }
        done = true;
        Forwarding.cancel(perTry);
        ended(Cluster.Outcome.ANSWERED, answerStatus);
        forwarding
                .exchange()
                .inner()
                .worker()
                .upstreams()
                .release(use, upstream, reusable && forwarding.hasRequestEnded());
    }
}
