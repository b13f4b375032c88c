package dev.culvert.waypoint.http;

import dev.culvert.hbone.failure.ProxyException;
import dev.culvert.protos.waypoint.Protocol;
import dev.culvert.waypoint.tunnel.Abort;
import dev.culvert.waypoint.upstream.UpstreamPool;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.CompositeByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.util.ReferenceCountUtil;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// The beginning of a tunnel's bytes: which protocol they are. On a port of HTTP only the version is open,
/// on one of TCP nothing. Elsewhere the upstream is opened at once, and whoever speaks first decides: a
/// server that does speaks no HTTP. Confined to its loop.
public final class InnerConnection extends ChannelInboundHandlerAdapter {
    private static final int MAX_UNDECIDED = 8192;

    private final Inner inner;
    private @Nullable ChannelHandlerContext context;
    private @Nullable CompositeByteBuf seen;
    private @Nullable Channel upstream;
    private boolean rawWanted;
    private boolean decided;
    private boolean inputEnded;
    private boolean noUpstream;
    private UpstreamPool.@Nullable Use target;

    private InnerConnection(Inner inner) {
        this.inner = inner;
    }

    /// Serves what comes through a tunnel that has been accepted.
    public static void serve(Inner inner) {
        inner.channel().pipeline().addLast(new InnerConnection(inner));
    }

    /// Serves HTTP of a version that was agreed upon.
    public static void serve(Inner inner, boolean http2) {
        if (http2) {
            HttpPipelines.http2(inner);
        } else {
            HttpPipelines.http1(inner);
        }
    }

    /// Moves bytes between a tunnel and an upstream that is open.
    private void relay(Channel to) {
        var record = inner.record();
        record.tcp();
        if (target != null) {
            inner.leadsTo(record, target.spec().key());
            record.tried(target.endpoint(), target.spec().key());
        }
        new RawRelay(inner, to, record, null).start();
    }

    @Override
    public void handlerAdded(ChannelHandlerContext added) {
        context = added;
        inner.onDrain(() -> {
            if (!decided) {
                added.close();
            }
        });
        if (inner.isBytes()) {
            openUpstream(added);
            raw();
            return;
        }
        added.executor().schedule(this::silent, inner.serving().limits().idle().toMillis(), TimeUnit.MILLISECONDS);
        if (inner.port().protocol() == Protocol.DETECT) {
            openUpstream(added);
            added.executor()
                    .schedule(this::undecided, inner.serving().limits().detect().toMillis(), TimeUnit.MILLISECONDS);
        }
        added.read();
    }

    private ChannelHandlerContext ctx() {
        if (context == null) {
            throw new IllegalStateException("not in a pipeline yet");
        }
        return context;
    }

    private boolean allowsRaw() {
        var now = inner.service(inner.serving().configs().current());
        return now.policies().decide(inner.caller(), null).allowed();
    }

    /// For who may speak without HTTP; the others have to speak first.
    private void openUpstream(ChannelHandlerContext added) {
        var endpoint = allowsRaw() ? RawRelay.target(inner) : Optional.<UpstreamPool.Use>empty();
        target = endpoint.orElse(null);
        endpoint.ifPresent(to -> inner.worker()
                .upstreams()
                .raw(to, inner.whom())
                .whenComplete((opened, failure) -> {
                    if (opened == null) {
                        if (rawWanted) {
                            refuse(
                                    "UF",
                                    failure == null
                                            ? "closed"
                                            : ProxyException.of(failure).text());
                        }
                    } else if (!added.channel().isOpen() || (decided && !rawWanted)) {
                        opened.close();
                    } else {
                        upstream = opened;
                        if (rawWanted) {
                            startRelay();
                        } else {
                            opened.pipeline().addLast("first", new FirstWord());
                            opened.read();
                        }
                    }
                }));
        if (endpoint.isEmpty()) {
            noUpstream = true;
        }
    }

    // ---- what the client says ----

    @Override
    public void channelRead(ChannelHandlerContext from, Object message) {
        var bytes = (ByteBuf) message;
        if (seen == null) {
            seen = from.alloc().compositeBuffer();
        }
        seen.addComponent(true, bytes);
        decide();
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext from) {
        if (!decided) {
            from.read();
        }
    }

    private void decide() {
        if (decided || seen == null) {
            return;
        }
        var text = seen;
        switch (Protocols.guess(text)) {
            case HTTP2 -> http(true);
            case HTTP1 -> http(false);
            case OTHER -> {
                if (inner.port().protocol() == Protocol.DETECT) {
                    raw();
                } else {
                    http(false);
                }
            }
            case UNDECIDED -> {
                if (text.readableBytes() > MAX_UNDECIDED) {
                    undecided();
                }
            }
        }
    }

    private void undecided() {
        if (!decided && inner.port().protocol() == Protocol.DETECT && seen != null) {
            inner.serving().metrics().limited("detect");
            raw();
        } else if (!decided && seen != null) {
            http(false);
        }
    }

    /// Nobody has said a word.
    private void silent() {
        if (!decided) {
            inner.serving().metrics().limited("idle");
            ctx().close();
        }
    }

    private void http(boolean http2) {
        decided = true;
        if (upstream != null) {
            upstream.close();
        }
        if (http2) {
            HttpPipelines.http2(inner);
        } else {
            HttpPipelines.http1(inner);
        }
        leave();
    }

    private void raw() {
        decided = true;
        rawWanted = true;
        if (!allowsRaw()) {
            var record = inner.record();
            record.tcp();
            var decision = inner.service(inner.serving().configs().current())
                    .policies()
                    .decide(inner.caller(), null);
            record.denied(decision.policy());
            record.flag("-", "rbac_access_denied_matched_policy[" + decision.text() + "]");
            record.end();
            Abort.of(inner.channel());
        } else if (noUpstream) {
            refuse("UH", "no_healthy_upstream");
        } else if (upstream != null) {
            startRelay();
        }
    }

    private void refuse(String flags, String details) {
        var record = inner.record();
        record.tcp();
        record.flag(flags, details);
        record.end();
        Abort.of(inner.channel());
    }

    private void startRelay() {
        if (upstream == null) {
            return;
        }
        var to = upstream;
        if (to.pipeline().get("first") != null) {
            to.pipeline().remove("first");
        }
        relay(to);
        leave();
    }

    /// Hands on what was seen to the handlers that now follow; they may read more at once, which comes by here, too.
    private void leave() {
        var from = ctx();
        while (seen != null) {
            var bytes = seen;
            seen = null;
            from.fireChannelRead(bytes);
            from.fireChannelReadComplete();
        }
        if (inputEnded) {
            from.fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE);
        }
        if (!from.isRemoved()) {
            from.pipeline().remove(this);
        }
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext from, Object event) {
        if (!(event instanceof ChannelInputShutdownEvent)) {
            from.fireUserEventTriggered(event);
            return;
        }
        inputEnded = true;
        if (decided) {
            return;
        }
        if (inner.port().protocol() == Protocol.DETECT) {
            raw(); // a client that only listens
        } else {
            from.close();
        }
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext from) {
        ReferenceCountUtil.release(seen);
        seen = null;
    }

    @Override
    public void channelInactive(ChannelHandlerContext from) {
        if (upstream != null && !rawWanted) {
            upstream.close();
        }
        from.fireChannelInactive();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext from, Throwable cause) {
        from.close();
    }

    /// The server speaks first: there is no HTTP here.
    private final class FirstWord extends ChannelInboundHandlerAdapter {
        @Override
        public void channelRead(ChannelHandlerContext from, Object message) {
            if (decided) {
                ReferenceCountUtil.release(message);
                return;
            }
            decided = true;
            rawWanted = true;
            relay(from.channel());
            from.fireChannelRead(message);
            from.fireChannelReadComplete();
            from.pipeline().remove(this);
            leave();
        }

        @Override
        public void userEventTriggered(ChannelHandlerContext from, Object event) {
            if (event instanceof ChannelInputShutdownEvent && !decided) {
                decided = true;
                rawWanted = true;
                relay(from.channel());
                from.fireUserEventTriggered(event);
                from.pipeline().remove(this);
                leave();
            }
        }

        @Override
        public void channelInactive(ChannelHandlerContext from) {
            if (!decided) {
                upstream = null;
                noUpstream = true;
            }
            from.fireChannelInactive();
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext from, Throwable cause) {
            from.close();
        }
    }
}
