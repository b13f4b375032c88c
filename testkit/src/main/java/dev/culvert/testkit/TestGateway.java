package dev.culvert.testkit;

import dev.culvert.hbone.codec.ConnectionListener;
import dev.culvert.hbone.codec.H2Limits;
import dev.culvert.hbone.codec.HboneConnection;
import dev.culvert.hbone.codec.HboneStream;
import dev.culvert.hbone.codec.LoopLimits;
import dev.culvert.hbone.headers.Baggage;
import dev.culvert.hbone.headers.ConnectRequest;
import dev.culvert.hbone.tls.HboneTls;
import dev.culvert.mesh.model.identity.SpiffeId;
import dev.culvert.ztunnel.inpod.PodSockets;
import dev.culvert.ztunnel.relay.Relay;
import dev.culvert.ztunnel.relay.SocketDial;
import dev.culvert.ztunnel.relay.StreamEnd;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler.Sharable;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import io.netty.util.concurrent.GlobalEventExecutor;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/// The gateway of a network, or a waypoint that does nothing: ends tunnels on port 15008 and passes their bytes on,
/// unread, to one address.
final class TestGateway implements AutoCloseable {
    private static final int PORT = 15008;

    private final PodSockets sockets;
    private final HboneTls tls;
    private final InetSocketAddress target;
    private final List<Http2Headers> asked = new CopyOnWriteArrayList<>();
    private final DefaultChannelGroup channels = new DefaultChannelGroup(GlobalEventExecutor.INSTANCE, true);

    private TestGateway(PodSockets sockets, HboneTls tls, InetSocketAddress target) {
        this.sockets = sockets;
        this.tls = tls;
        this.target = target;
    }

    static TestGateway start(PodSockets sockets, TestNode on, SpiffeId identity, InetSocketAddress target)
            throws IOException {
        var tls = on.certificates().tls(identity).join();
        var made = new TestGateway(sockets, tls, target);
        var bound = sockets.listen(on.loops().next(), on.loops(), PORT, made.new Accepted())
                .awaitUninterruptibly();
        if (!bound.isSuccess()) {
            throw new IOException(bound.cause());
        }
        made.channels.add(bound.channel());
        return made;
    }

    List<Http2Headers> asked() {
        return asked;
    }

    @Override
    public void close() {
        channels.close().awaitUninterruptibly();
        sockets.close();
    }

    @Sharable
    private final class Accepted extends ChannelInboundHandlerAdapter {
        @Override
        public void channelActive(ChannelHandlerContext context) {
            channels.add(context.channel());
            context.pipeline().addFirst("tls", tls.serverHandler(context.alloc(), Duration.ofSeconds(10)));
            context.channel().config().setAutoRead(true);
        }

        @Override
        public void userEventTriggered(ChannelHandlerContext context, Object event) {
            if (event instanceof SslHandshakeCompletionEvent done && done.isSuccess()) {
                var tunnels = new Tunnels(context.channel());
                var http2 = new HboneConnection(false, tunnels, H2Limits.DEFAULTS, new LoopLimits(Long.MAX_VALUE));
                context.pipeline().replace(this, "h2", http2);
            }
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            context.close();
        }
    }

    private record Relayed(StreamEnd end, HboneStream stream) {}

    private final class Tunnels implements ConnectionListener {
        private final Channel carrier;

        Tunnels(Channel carrier) {
            this.carrier = carrier;
        }

        @Override
        public void accepted(HboneStream stream, Http2Headers headers) {
            asked.add(headers);
            var from = new Relayed(new StreamEnd(stream), stream);
            SocketDial.connect(sockets::connect, carrier.eventLoop(), target, null)
                    .whenComplete((to, failure) -> {
                        if (to == null) {
                            from.stream.respond(ConnectRequest.refused(503), true);
                            return;
                        }
                        channels.add(to.channel());
                        from.stream.respond(ConnectRequest.accepted(Baggage.NONE), false);
                        new Relay(from.end, to).start();
                    });
        }
    }
}
