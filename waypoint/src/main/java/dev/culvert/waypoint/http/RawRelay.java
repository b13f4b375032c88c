package dev.culvert.waypoint.http;

import dev.culvert.protos.waypoint.Backend;
import dev.culvert.waypoint.config.ServiceConfigs;
import dev.culvert.waypoint.telemetry.RequestRecord;
import dev.culvert.waypoint.tunnel.Abort;
import dev.culvert.waypoint.upstream.Endpoints.Endpoint;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.DuplexChannel;
import io.netty.util.ReferenceCountUtil;
import java.util.Optional;
import java.util.Set;

/// Bytes both ways between a tunnel and an endpoint, where there is no HTTP. One side is read while the
/// other side takes it; FIN stays FIN, a break of one side resets the other. Confined to its loop.
final class RawRelay implements Live {
    private final Inner inner;
    private final Channel downstream;
    private final Channel upstream;
    private final RequestRecord record;
    private int ended;
    private boolean over;

    /// @param upstream with nothing in its pipeline that is in the way
    RawRelay(Inner inner, Channel upstream, RequestRecord record) {
        this.inner = inner;
        this.downstream = inner.channel();
        this.upstream = upstream;
        this.record = record;
    }

    /// The endpoint that a connection without HTTP goes to: the Service's own, by turns.
    static Optional<Endpoint> endpoint(Inner inner) {
        var mesh = inner.serving().mesh().current();
        if (inner.pod().isPresent()) {
            return inner.pod();
        }
        var service = inner.service(inner.serving().configs().current()).key();
        var backend = Backend.newBuilder()
                .setNamespace(service.namespace())
                .setHostname(service.hostname())
                .setPort(inner.caller().dialled().getPort())
                .build();
        return inner.worker().endpoints().choose(mesh, backend, Set.of());
    }

    void start() {
        inner.worker().add(this);
        upstream.pipeline().addLast("relay", new Side(downstream, true));
        downstream.pipeline().addLast("relay", new Side(upstream, false));
        upstream.read();
        downstream.read();
    }

    @Override
    public void recheck(ServiceConfigs.Snapshot now) {
        var decision = inner.service(now).policies().decide(inner.caller(), null);
        if (!decision.allowed()) {
            record.denied(decision.policy());
            record.flag("-", "policy_changed");
            finish(true);
        }
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
        private boolean inputEnded;

        Side(Channel to, boolean down) {
            this.to = to;
            this.down = down;
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
            to.write(bytes);
        }

        @Override
        public void channelReadComplete(ChannelHandlerContext context) {
            to.flush();
            if (!over && !inputEnded && to.isWritable()) {
                context.read();
            }
        }

        @Override
        public void channelWritabilityChanged(ChannelHandlerContext context) {
            if (!over && context.channel().isWritable()) {
                to.read();
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
                ((DuplexChannel) to).shutdownOutput();
                if (++ended == 2) {
                    finish(false);
                }
            }
        }

        @Override
        public void channelInactive(ChannelHandlerContext context) {
            finish(true);
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            record.flag(down ? "UC" : "DC", "reset");
            finish(true);
        }
    }
}
