package dev.culvert.waypoint.http;

import dev.culvert.protos.waypoint.Forward;
import dev.culvert.waypoint.route.CompiledRoute;
import dev.culvert.waypoint.upstream.Upstream;
import dev.culvert.waypoint.upstream.UpstreamEvents;
import dev.culvert.waypoint.upstream.UpstreamPool;
import io.netty.handler.codec.http.DefaultHttpRequest;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.ScheduledFuture;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// A copy of a request, whose answer is thrown away. It never holds the request up: a copy that cannot keep up is given
/// up. Confined to its loop.
final class Shadow implements UpstreamEvents {
    private static final long PATIENCE_NANOS = 15_000_000_000L;

    private final Exchange exchange;
    private final DefaultHttpRequest head;
    private final CompiledRoute.Target target;
    private final long boundNanos;
    private final ArrayDeque<HttpContent> waiting = new ArrayDeque<>();
    private final int limit;
    private int waitingBytes;
    private UpstreamPool.@Nullable Use use;
    private @Nullable CompletableFuture<Upstream> acquired;
    private @Nullable Upstream upstream;
    private @Nullable ScheduledFuture<?> timer;
    private boolean requestEnded;
    private boolean reusable;
    private boolean done;

    Shadow(Exchange exchange, RequestHead request, CompiledRoute.Target target, Forward forward) {
        this.exchange = exchange;
        this.target = target;
        this.head = new DefaultHttpRequest(
                HttpVersion.HTTP_1_1,
                request.httpMethod(),
                request.onwardTarget(),
                marked(request.onward().copy()));
        this.boundNanos = forward.hasTimeout() ? Forwarding.nanos(forward.getTimeout()) : PATIENCE_NANOS;
        this.limit = exchange.inner().serving().limits().replayBytes();
    }

    /// `-shadow` behind the host's name.
    private static HttpHeaders marked(HttpHeaders headers) {
        var host = headers.get(HttpHeaderNames.HOST);
        if (host != null && !host.isEmpty()) {
            var colon = host.lastIndexOf(':');
            var port = colon > host.lastIndexOf(']') ? host.substring(colon) : "";
            headers.set(HttpHeaderNames.HOST, host.substring(0, host.length() - port.length()) + "-shadow" + port);
        }
        return headers;
    }

    /// @param begun what there is of the body already
    void start(Collection<HttpContent> begun) {
        var spec = target.spec();
        var serving = exchange.inner().serving();
        var chosen = exchange.inner().choose(spec, null, Set.of());
        var cluster = serving.clusters().of(spec);
        if (chosen.isEmpty() || !cluster.startRequest(spec.traffic().pool().maxRequests())) {
            serving.metrics().limited("mirror");
            done = true;
            return;
        }
        use = new UpstreamPool.Use(
                chosen.get().endpoint(),
                exchange.usesHttp2(spec.traffic().pool().version()),
                cluster,
                spec);
        begun.forEach(this::copy);
        timer = exchange.inner().worker().loop().schedule(this::cancel, boundNanos, TimeUnit.NANOSECONDS);
        acquired = exchange.inner()
                .worker()
                .upstreams()
                .acquire(use, exchange.inner().whom(), this);
        acquired.whenComplete((opened, _) -> {
            if (opened == null) {
                end();
            } else if (done) {
                opened.abort();
            } else {
                send(opened);
            }
        });
    }

    private void send(Upstream to) {
        upstream = to;
        to.channel().write(head).addListener(written -> {
            if (!written.isSuccess()) {
                cancel();
            }
        });
        while (!waiting.isEmpty()) {
            to.channel().write(waiting.remove());
        }
        to.channel().flush();
        to.channel().read();
    }

    void copy(HttpContent content) {
        if (done) {
            return;
        }
        requestEnded |= content instanceof LastHttpContent;
        if (upstream != null) {
            if (!upstream.channel().isWritable()) {
                exchange.inner().serving().metrics().limited("mirror");
                cancel();
                return;
            }
            upstream.channel()
                    .writeAndFlush(
                            content.retainedDuplicate(), upstream.channel().voidPromise());
            return;
        }
        waitingBytes += content.content().readableBytes();
        if (waitingBytes > limit) {
            exchange.inner().serving().metrics().limited("mirror");
            cancel();
        } else {
            waiting.add(content.retainedDuplicate());
        }
    }

    /// Gives it up.
    void cancel() {
        if (!done) {
            if (upstream != null) {
                upstream.abort();
            } else if (acquired != null) {
                acquired.completeExceptionally(new IllegalStateException("not wanted any more"));
            }
            end();
        }
    }

    private void end() {
        if (done) {
            return;
        }
        done = true;
        Forwarding.cancel(timer);
        waiting.forEach(HttpContent::release);
        waiting.clear();
        if (use != null) {
            use.cluster().endRequest();
        }
    }

    // ---- its answer ----

    @Override
    public void head(HttpResponse response) {
        reusable = HttpUtil.isKeepAlive(response)
                && (HttpUtil.isContentLengthSet(response) || HttpUtil.isTransferEncodingChunked(response))
                && response.status().code() >= 200;
        if (response instanceof HttpContent whole) {
            content(whole);
        } else {
            ReferenceCountUtil.release(response);
            read();
        }
    }

    private void read() {
        if (upstream != null && !done) {
            upstream.channel().read();
        }
    }

    @Override
    public void content(HttpContent content) {
        var last = content instanceof LastHttpContent;
        content.release();
        if (!last) {
            read();
        } else if (upstream != null && use != null && !done) {
            end();
            exchange.inner().worker().upstreams().release(use, upstream, reusable && requestEnded);
        }
    }

    @Override
    public void writable() {}

    @Override
    public void broke(String why) {
        end();
    }
}
