package dev.culvert.waypoint.upstream;

import dev.culvert.hbone.failure.FailureReason;
import dev.culvert.hbone.failure.ProxyException;
import dev.culvert.hbone.headers.Baggage;
import dev.culvert.waypoint.upstream.Endpoints.Endpoint;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.handler.codec.http.HttpClientCodec;
import io.netty.handler.codec.http.HttpDecoderConfig;
import io.netty.handler.codec.http2.Http2FrameCodecBuilder;
import io.netty.handler.codec.http2.Http2GoAwayFrame;
import io.netty.handler.codec.http2.Http2MultiplexHandler;
import io.netty.handler.codec.http2.Http2Settings;
import io.netty.handler.codec.http2.Http2StreamChannel;
import io.netty.handler.codec.http2.Http2StreamChannelBootstrap;
import io.netty.handler.codec.http2.Http2StreamFrameToHttpObjectCodec;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.Future;
import java.net.InetSocketAddress;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// The HTTP connections of one loop to endpoints: HTTP/1.1 ones are used again one request after the other,
/// HTTP/2 ones carry several. Confined to its loop.
public final class UpstreamPool {
    private static final int MAX_IDLE = 64;
    private static final int WINDOW_BYTES = 256 * 1024;
    private static final long MAX_HEADER_BYTES = 60 * 1024;

    private final EventLoop loop;
    private final Dialler dialler;
    private final UpstreamLimits limits;
    private final Map<Key, Slot> slots = new HashMap<>();

    private record Key(String workload, InetSocketAddress address, boolean http2) {}

    /// Whom a connection is opened for.
    /// @param service hostname; empty if there is none
    public record For(InetSocketAddress client, Baggage self, String service) {}

    private static final class Slot {
        private final ArrayDeque<Upstream> idle = new ArrayDeque<>();
        private final List<Shared> shared = new ArrayList<>(1);
        private int open;
    }

    public UpstreamPool(EventLoop loop, Dialler dialler, UpstreamLimits limits) {
        this.loop = loop;
        this.dialler = dialler;
        this.limits = limits;
    }

    public Dialler dialler() {
        return dialler;
    }

    /// Fails with a [ProxyException]; LIMIT if there are too many connections to the endpoint already.
    public CompletableFuture<Upstream> acquire(Endpoint endpoint, boolean http2, For whom, UpstreamEvents user) {
        assert loop.inEventLoop();
        var key = new Key(endpoint.workload().uid(), endpoint.address(), http2);
        var slot = slots.computeIfAbsent(key, _ -> new Slot());
        var result = http2 ? stream(key, slot, endpoint, whom) : connection(key, slot, endpoint, whom);
        return result.thenApply(upstream -> {
            upstream.use(user);
            return upstream;
        });
    }

    private boolean mayOpen(Slot slot) {
        return slot.open < limits.connections();
    }

    private static <T> CompletableFuture<T> overflow(Slot slot) {
        return CompletableFuture.failedFuture(
                ProxyException.of(FailureReason.LIMIT, slot.open + " connections to the endpoint are open already"));
    }

    private void left(Key key, Slot slot) {
        slot.open--;
        if (slot.open == 0) {
            slots.remove(key, slot);
        }
    }

    /// A raw connection that is not pooled.
    public CompletableFuture<Channel> raw(Endpoint endpoint, For whom) {
        return dialler.open(endpoint, whom.client(), whom.self(), whom.service());
    }

    // ---- HTTP/1.1 ----

    private CompletableFuture<Upstream> connection(Key key, Slot slot, Endpoint endpoint, For whom) {
        while (!slot.idle.isEmpty()) {
            var upstream = slot.idle.removeLast();
            if (upstream.isUsable()) {
                return CompletableFuture.completedFuture(upstream);
            }
        }
        if (!mayOpen(slot)) {
            return overflow(slot);
        }
        slot.open++;
        return raw(endpoint, whom)
                .whenComplete((_, failure) -> {
                    if (failure != null) {
                        left(key, slot);
                    }
                })
                .thenApply(channel -> http1(channel, () -> left(key, slot)));
    }

    private static Upstream http1(Channel channel, Runnable onGone) {
        var config = new HttpDecoderConfig()
                .setMaxInitialLineLength(8192)
                .setMaxHeaderSize((int) MAX_HEADER_BYTES)
                .setMaxChunkSize(16 * 1024);
        var upstream = new Upstream(channel, false, onGone);
        channel.pipeline()
                .addLast(new HttpClientCodec(config, true, false))
                .addLast(new Gate())
                .addLast(upstream);
        return upstream;
    }

    /// The request and its answer are over.
    /// @param reusable whether another one may follow on it
    public void release(Endpoint endpoint, Upstream upstream, boolean reusable) {
        upstream.unused();
        if (upstream.isHttp2()) {
            upstream.channel().close();
            return;
        }
        var slot = slots.get(new Key(endpoint.workload().uid(), endpoint.address(), false));
        if (!reusable || !upstream.isUsable() || slot == null || slot.idle.size() >= MAX_IDLE) {
            upstream.channel().close();
            return;
        }
        slot.idle.addLast(upstream);
        loop.schedule(
                () -> {
                    if (slot.idle.remove(upstream)) {
                        upstream.channel().close();
                    }
                },
                limits.idle().toMillis(),
                TimeUnit.MILLISECONDS);
    }

    // ---- HTTP/2 ----

    private CompletableFuture<Upstream> stream(Key key, Slot slot, Endpoint endpoint, For whom) {
        for (var connection : slot.shared) {
            if (connection.mayCarry()) {
                return connection.open();
            }
        }
        if (!mayOpen(slot)) {
            return overflow(slot);
        }
        var connection = new Shared(key, slot);
        slot.shared.add(connection);
        slot.open++;
        raw(endpoint, whom).whenComplete(connection::connected);
        return connection.open();
    }

    /// One HTTP/2 connection, from its dial to its end.
    private final class Shared extends ChannelInboundHandlerAdapter {
        private final Key key;
        private final Slot slot;
        private final CompletableFuture<Channel> ready = new CompletableFuture<>();
        private int streams;
        private boolean leaving;
        private boolean gone;

        Shared(Key key, Slot slot) {
            this.key = key;
            this.slot = slot;
        }

        boolean mayCarry() {
            return !leaving && streams < limits.streams();
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
                                    .maxHeaderListSize(MAX_HEADER_BYTES))
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
                loop.schedule(this::closeIfIdle, limits.idle().toMillis(), TimeUnit.MILLISECONDS);
                if (leaving) {
                    closeIfIdle();
                }
            }
        }

        private void closeIfIdle() {
            if (streams == 0) {
                leave();
                ready.thenAccept(Channel::close);
            }
        }

        private void leave() {
            leaving = true;
            if (slot.shared.remove(this) && !gone) {
                gone = true;
                left(key, slot);
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
}
