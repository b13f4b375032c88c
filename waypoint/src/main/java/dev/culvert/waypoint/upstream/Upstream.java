package dev.culvert.waypoint.upstream;

import dev.culvert.waypoint.tunnel.Abort;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.handler.codec.http.HttpClientCodec;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.util.ReferenceCountUtil;
import org.jspecify.annotations.Nullable;

/// One HTTP/1.1 connection, or one HTTP/2 stream, to an endpoint; for one request at a time. Confined to
/// its loop.
public final class Upstream extends ChannelInboundHandlerAdapter {
    private final Channel channel;
    private final boolean http2;
    private final Runnable onGone;
    private @Nullable UpstreamEvents user;
    private int requests;
    private boolean gone;

    /// @param onGone called once, when the channel is of no use any more
    Upstream(Channel channel, boolean http2, Runnable onGone) {
        this.channel = channel;
        this.http2 = http2;
        this.onGone = onGone;
    }

    void use(UpstreamEvents by) {
        user = by;
        requests++;
    }

    public Channel channel() {
        return channel;
    }

    public boolean isHttp2() {
        return http2;
    }

    /// Whether it has carried another request before this one.
    public boolean isReused() {
        return requests > 1;
    }

    /// How many it has carried.
    int requests() {
        return requests;
    }

    boolean isUsable() {
        return !gone && channel.isActive();
    }

    /// There is no more HTTP on this connection; what has come of the rest goes to the handlers behind.
    public void leave() {
        user = null;
        gone = true;
        channel.closeFuture().addListener(_ -> onGone.run());
        channel.pipeline().remove(this);
        channel.pipeline().remove(Gate.class);
        channel.pipeline().remove(HttpClientCodec.class);
    }

    /// The request is over; HTTP/1.1 connections may carry another one.
    void unused() {
        user = null;
    }

    /// Ends it at once.
    public void abort() {
        user = null;
        if (http2) {
            channel.close();
        } else {
            Abort.of(channel);
        }
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        var to = user;
        if (to == null || !(message instanceof HttpObject object)) {
            ReferenceCountUtil.release(message);
            if (!http2) {
                context.close(); // an answer to nothing
            }
            return;
        }
        if (object.decoderResult().isFailure()) {
            ReferenceCountUtil.release(message);
            fail("not HTTP: " + object.decoderResult().cause().getMessage());
            Abort.of(channel);
            return;
        }
        if (object instanceof HttpResponse response) {
            to.head(response);
        } else if (object instanceof HttpContent content) {
            to.content(content);
        } else {
            ReferenceCountUtil.release(message);
        }
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext context) {
        if (user != null && context.channel().isWritable()) {
            user.writable();
        }
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext context, Object event) {
        if (event instanceof ChannelInputShutdownEvent) {
            fail("the connection was closed");
            context.close();
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        fail("the connection was closed");
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        fail(String.valueOf(cause.getMessage()));
        context.close();
    }

    private void fail(String why) {
        if (!gone) {
            gone = true;
            onGone.run();
        }
        var to = user;
        user = null;
        if (to != null) {
            to.broke(why);
        }
    }
}
