package dev.culvert.waypoint.http;

import dev.culvert.mesh.model.workload.Addresses;
import dev.culvert.waypoint.balance.ClusterSpec;
import dev.culvert.waypoint.balance.HashedRequest;
import dev.culvert.waypoint.config.ServiceConfigs;
import dev.culvert.waypoint.telemetry.RequestRecord;
import dev.culvert.waypoint.tunnel.Abort;
import dev.culvert.waypoint.upstream.UpstreamPool;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.DuplexChannel;
import io.netty.util.ReferenceCountUtil;
import java.util.ArrayDeque;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Bytes both ways between a tunnel and an endpoint, where there is no HTTP. One side is read while the
/// other side takes it; FIN stays FIN, a break of one side resets the other. Confined to its loop.
final class RawRelay implements Live {
    private final Inner inner;
    private final Channel downstream;
    private final Channel upstream;
    private final RequestRecord record;
    private final @Nullable RequestHead request;
    private final Side fromUpstream;
    private final Side fromDownstream;
    private boolean begun;
    private int ended;
    private boolean over;

    /// @param upstream with nothing in its pipeline that is in the way
    /// @param request that has switched to it; null where there was no HTTP
    RawRelay(Inner inner, Channel upstream, RequestRecord record, @Nullable RequestHead request) {
        this.inner = inner;
        this.downstream = inner.channel();
        this.upstream = upstream;
        this.record = record;
        this.request = request;
        this.fromUpstream = new Side(downstream, true);
        this.fromDownstream = new Side(upstream, false);
    }

    /// Where a connection without HTTP goes.
    static Optional<UpstreamPool.Use> target(Inner inner) {
        var clusters = inner.serving().clusters();
        if (inner.pod().isPresent()) {
            var pod = inner.pod().get();
            var spec = ClusterSpec.ofPod(pod);
            return Optional.of(new UpstreamPool.Use(pod, false, clusters.of(spec), spec));
        }
        return inner.bytes()
                .choose()
                .filter(target -> target.backend().getBrokenStatus() == 0)
                .flatMap(target -> {
                    var spec = target.spec();
                    var hash = spec.traffic().hash() == null
                            ? null
                            : Long.valueOf(HashedRequest.hash(
                                    Addresses.text(inner.caller().source().getAddress())));
                    return inner.choose(spec, hash, Set.of())
                            .map(chosen -> new UpstreamPool.Use(chosen.endpoint(), false, clusters.of(spec), spec));
                });
    }

    void start() {
        attach();
        begin();
    }

    /// Takes what comes, and holds it until `begin`, for the handlers of HTTP are still in the other side's way.
    void attach() {
        inner.worker().add(this);
        inner.worker().tickLater();
        upstream.pipeline().addLast("relay", fromUpstream);
        downstream.pipeline().addLast("relay", fromDownstream);
    }

    void begin() {
        begun = true;
        fromUpstream.passHeld();
        fromDownstream.passHeld();
        upstream.read();
        downstream.read();
    }

    @Override
    public void recheck(ServiceConfigs.Snapshot now) {
        var decision = inner.service(now).policies().decide(inner.caller(), request);
        if (!decision.allowed()) {
            record.denied(decision.policy());
            record.flag("-", "policy_changed");
            finish(true);
        }
    }

    @Override
    public boolean tick(long nowSeconds) {
        if (request != null && nowSeconds >= request.expiresAt()) {
            record.flag("-", "jwt_authn_access_denied{Jwt_is_expired}");
            finish(true);
        }
        record.tick();
        return !over;
    }

    private void finish(boolean abort) {
        if (over) {
            return;
        }
        over = true;
        inner.worker().remove(this);
        record.end();
        if (abort) {
            Abort.of(downstream);
            Abort.of(upstream);
        } else {
            downstream.close();
            upstream.close();
        }
    }

    /// Moves what comes from one channel to the other.
    private final class Side extends ChannelInboundHandlerAdapter {
        private final Channel to;
        private final boolean down;
        private final Queue<ByteBuf> held = new ArrayDeque<>(1);
        private boolean inputEnded;
        private boolean endPassed;
        private boolean gone;

        Side(Channel to, boolean down) {
            this.to = to;
            this.down = down;
        }

        void passHeld() {
            for (var bytes = held.poll(); bytes != null; bytes = held.poll()) {
                to.write(bytes);
            }
            to.flush();
        }

        @Override
        public void handlerRemoved(ChannelHandlerContext context) {
            held.forEach(ReferenceCountUtil::release);
            held.clear();
        }

        @Override
        public void channelRead(ChannelHandlerContext context, Object message) {
            if (over || !(message instanceof ByteBuf bytes)) {
                ReferenceCountUtil.release(message);
                return;
            }
            if (down) {
                record.sent(bytes.readableBytes());
            } else {
                record.received(bytes.readableBytes());
            }
            if (begun) {
                to.write(bytes);
            } else {
                held.add(bytes);
            }
        }

        @Override
        public void channelReadComplete(ChannelHandlerContext context) {
            to.flush();
            if (begun && !over && !inputEnded && to.isWritable()) {
                context.read();
            }
        }

        @Override
        public void channelWritabilityChanged(ChannelHandlerContext context) {
            if (!over && context.channel().isWritable() && !((DuplexChannel) to).isInputShutdown()) {
                to.read(); // of a socket that has ended this would be an error, which resets the other end
            }
        }

        @Override
        public void userEventTriggered(ChannelHandlerContext context, Object event) {
            if (event instanceof ChannelInputShutdownEvent && !inputEnded) {
                inputEnded = true;
                to.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(_ -> passEnd());
            }
        }

        /// Behind all that was written.
        private void passEnd() {
            if (!over) {
                OutputEnd.of(to);
                endPassed = true;
                if (++ended == 2 || gone) {
                    finish(false);
                }
            }
        }

        @Override
        public void channelInactive(ChannelHandlerContext context) {
            if (inputEnded && !endPassed) {
                gone = true; // what it said last is still on its way
                return;
            }
            finish(true);
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            record.flag(down ? "UC" : "DC", "reset");
            finish(true);
        }
    }
}
