package dev.culvert.waypoint.upstream;

import dev.culvert.hbone.failure.FailureReason;
import dev.culvert.hbone.failure.ProxyException;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.handler.codec.http2.Http2FrameCodecBuilder;
import io.netty.handler.codec.http2.Http2GoAwayFrame;
import io.netty.handler.codec.http2.Http2MultiplexHandler;
import io.netty.handler.codec.http2.Http2Settings;
import io.netty.handler.codec.http2.Http2StreamChannel;
import io.netty.handler.codec.http2.Http2StreamChannelBootstrap;
import io.netty.handler.codec.http2.Http2StreamFrameToHttpObjectCodec;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.Future;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// One HTTP/2 connection, from its dial to its end.
final class SharedConnection extends ChannelInboundHandlerAdapter {
    private static final int WINDOW_BYTES = 256 * 1024;

    private final UpstreamPool.Use use;
    private final EventLoop loop;
    private final UpstreamLimits limits;
    private final Owner owner;
    private final CompletableFuture<Channel> ready = new CompletableFuture<>();
    private int streams;
    private int carried;
    private boolean leaving;
    private boolean gone;

    /// Who keeps it.
    interface Owner {
        /// It takes no more streams.
        void left(SharedConnection gone);

        void streamEnded(SharedConnection free);
    }

    SharedConnection(UpstreamPool.Use use, EventLoop loop, UpstreamLimits limits, Owner owner) {
        this.use = use;
        this.loop = loop;
        this.limits = limits;
        this.owner = owner;
    }

    boolean mayCarry() {
        return !leaving
                && streams < Math.min(limits.streams(), use.limits().maxStreams())
                && carried < use.limits().maxRequestsPerConnection();
    }

    void connected(@Nullable Channel channel, @Nullable Throwable failure) {
        if (channel == null) {
            leave();
            ready.completeExceptionally(ProxyException.of(failure == null ? new IllegalStateException() : failure));
            return;
        }
        channel.pipeline()
                .addLast(Http2FrameCodecBuilder.forClient()
                        .initialSettings(Http2Settings.defaultSettings()
                                .pushEnabled(false)
                                .initialWindowSize(WINDOW_BYTES)
                                .maxHeaderListSize(UpstreamPool.MAX_HEADER_BYTES))
                        .build())
                .addLast(new Http2MultiplexHandler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel pushed) {
                        pushed.close();
                    }
                }))
                .addLast(this);
        channel.config().setAutoRead(true);
        ready.complete(channel);
    }

    CompletableFuture<Upstream> open() {
        streams++;
        carried++;
        return ready.thenCompose(this::openOn).whenComplete((_, failure) -> {
            if (failure != null) {
                ended();
            }
        });
    }

    private CompletableFuture<Upstream> openOn(Channel parent) {
        var result = new CompletableFuture<Upstream>();
        new Http2StreamChannelBootstrap(parent)
                .option(ChannelOption.AUTO_READ, false)
                .handler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel child) {
                        // Filled once it is open.
                    }
                })
                .open()
                .addListener((Future<Http2StreamChannel> done) -> {
                    if (!done.isSuccess()) {
                        result.completeExceptionally(ProxyException.of(
                                FailureReason.UPSTREAM_REFUSED,
                                String.valueOf(done.cause().getMessage())));
                        return;
                    }
                    var child = done.getNow();
                    child.closeFuture().addListener(_ -> ended());
                    var upstream = new Upstream(child, true, () -> {});
                    child.pipeline()
                            .addLast(new Http2StreamFrameToHttpObjectCodec(false, true))
                            .addLast(new Gate())
                            .addLast(upstream);
                    result.complete(upstream);
                });
        return result;
    }

    private void ended() {
        streams--;
        if (streams == 0) {
            var idle = use.limits().idle().orElse(limits.idle());
            loop.schedule(this::closeIfIdle, idle.toMillis(), TimeUnit.MILLISECONDS);
            if (leaving || carried >= use.limits().maxRequestsPerConnection()) {
                closeIfIdle();
                return;
            }
        }
        owner.streamEnded(this);
    }

    /// @return whether it is
    boolean closeIfIdle() {
        if (streams > 0) {
            return false;
        }
        leave();
        ready.thenAccept(Channel::close);
        return true;
    }

    private void leave() {
        leaving = true;
        if (!gone) {
            gone = true;
            owner.left(this);
        }
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object frame) {
        if (frame instanceof Http2GoAwayFrame) {
            leave();
        }
        ReferenceCountUtil.release(frame);
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        leave();
        context.fireChannelInactive();
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext context, Object event) {
        if (event instanceof ChannelInputShutdownEvent) {
            context.close();
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        leave();
        context.close();
    }
}
