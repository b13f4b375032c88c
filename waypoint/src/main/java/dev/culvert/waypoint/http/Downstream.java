package dev.culvert.waypoint.http;

import dev.culvert.waypoint.tunnel.Abort;
import dev.culvert.waypoint.upstream.Gate;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// The requests of one HTTP/1.1 connection, one after the other, or the one of an HTTP/2 stream. Confined
/// to its loop.
final class Downstream extends ChannelInboundHandlerAdapter {
    private final Inner inner;
    private final boolean http2;
    private @Nullable ChannelHandlerContext context;
    private @Nullable Exchange exchange;
    private @Nullable ScheduledFuture<?> idleTimer;
    private boolean requestEnded = true;
    private boolean inputEnded;
    private boolean keepAlive = true;
    private boolean switched;

    Downstream(Inner inner, boolean http2) {
        this.inner = inner;
        this.http2 = http2;
    }

    boolean isHttp2() {
        return http2;
    }

    @Override
    public void handlerAdded(ChannelHandlerContext added) {
        context = added;
        if (!http2) {
            inner.onDrain(this::drain);
        }
        if (added.channel().isActive()) {
            awaitRequest();
        }
    }

    @Override
    public void channelActive(ChannelHandlerContext active) {
        awaitRequest();
        active.fireChannelActive();
    }

    private void awaitRequest() {
        var limit = inner.serving().limits().idle();
        if (idleTimer == null) {
            idleTimer = ctx().executor().schedule(this::idleTimeout, limit.toMillis(), TimeUnit.MILLISECONDS);
        }
        ctx().read();
    }

    private void idleTimeout() {
        idleTimer = null;
        if (exchange == null) {
            inner.serving().metrics().limited("idle");
            ctx().close();
        }
    }

    private void drain() {
        if (exchange == null && !switched) {
            ctx().close();
        }
    }

    private ChannelHandlerContext ctx() {
        if (context == null) {
            throw new IllegalStateException("not in a pipeline yet");
        }
        return context;
    }

    // ---- for the exchange ----

    /// Asks for more of the request's body.
    void read() {
        ctx().read();
    }

    boolean isWritable() {
        return ctx().channel().isWritable();
    }

    boolean hasRequestEnded() {
        return requestEnded;
    }

    void write(Object message) {
        ctx().writeAndFlush(message, ctx().voidPromise());
    }

    /// Whether the connection may go on after this answer; to be asked before its head is written.
    boolean mayKeepAlive(RequestHead request) {
        keepAlive = keepAlive && request.keepAlive() && requestEnded && !inputEnded && !inner.isDraining();
        return keepAlive;
    }

    /// The end of the answer is the end of the connection.
    void neverKeepAlive() {
        keepAlive = false;
    }

    /// The answer is complete: the next request, or the end.
    void answered() {
        exchange = null;
        if (http2) {
            if (!requestEnded) {
                ctx().executor().execute(() -> ctx().close()); // a reset that says: no more of this request
            }
        } else if (keepAlive && requestEnded && !inputEnded) {
            awaitRequest();
        } else {
            ctx().writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(_ -> ctx().close());
        }
    }

    /// There is no more HTTP on this connection; what has come of the rest goes to the handlers behind.
    void leave() {
        exchange = null;
        switched = true;
        var pipeline = ctx().pipeline();
        pipeline.remove(this);
        pipeline.remove(Gate.class);
        pipeline.remove(HttpServerCodec.class);
    }

    /// The answer cannot be completed.
    void abort() {
        exchange = null;
        if (http2) {
            ctx().close();
        } else {
            Abort.of(ctx().channel());
        }
    }

    // ---- events ----

    @Override
    public void channelRead(ChannelHandlerContext from, Object message) {
        if (message instanceof HttpRequest request) {
            if (idleTimer != null) {
                idleTimer.cancel(false);
                idleTimer = null;
            }
            requestEnded = message instanceof LastHttpContent
                    || request.decoderResult().isFailure();
            var begun = new Exchange(inner, this);
            exchange = begun;
            begun.begin(request);
            if (message instanceof LastHttpContent whole) {
                whole.release(); // HTTP/2 without a body: only what ends it goes on, or the head would go twice
                content(LastHttpContent.EMPTY_LAST_CONTENT);
            }
        } else if (message instanceof HttpContent content) {
            content(content);
        } else {
            ReferenceCountUtil.release(message);
        }
    }

    private void content(HttpContent content) {
        requestEnded = content instanceof LastHttpContent;
        if (exchange == null) {
            content.release();
        } else {
            exchange.requestContent(content);
        }
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext from) {
        if (exchange != null && from.channel().isWritable()) {
            exchange.downstreamWritable();
        }
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext from, Object event) {
        if (event instanceof ChannelInputShutdownEvent) {
            inputEnded = true;
            if (exchange == null) {
                from.close();
            } else if (!requestEnded) {
                gone();
                from.close();
            }
        } else {
            from.fireUserEventTriggered(event);
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext from) {
        gone();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext from, Throwable cause) {
        gone();
        from.close();
    }

    private void gone() {
        if (idleTimer != null) {
            idleTimer.cancel(false);
            idleTimer = null;
        }
        if (exchange != null) {
            var left = exchange;
            exchange = null;
            left.downstreamGone();
        }
    }
}
