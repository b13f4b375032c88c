package dev.culvert.waypoint.edge;

import dev.culvert.mesh.model.workload.Addresses;
import dev.culvert.proxy.telemetry.AccessLog;
import dev.culvert.waypoint.http.Inner;
import dev.culvert.waypoint.http.InnerConnection;
import dev.culvert.waypoint.http.Worker;
import dev.culvert.waypoint.policy.Caller;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.ssl.SniCompletionEvent;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import java.net.InetSocketAddress;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// One connection from outside of the mesh: TLS if its port has it, then HTTP. Confined to its loop.
final class EdgeConnection {
    private final EdgeListener.Config config;
    private final Worker worker;
    private final Channel channel;
    private final int port;
    private final InetSocketAddress remote;
    private final InetSocketAddress local;

    EdgeConnection(EdgeListener.Config config, Worker worker, Channel channel, int port) {
        this.config = config;
        this.worker = worker;
        this.channel = channel;
        this.port = port;
        this.remote = Addresses.canonical((InetSocketAddress) channel.remoteAddress());
        this.local = Addresses.canonical((InetSocketAddress) channel.localAddress());
    }

    void serve() {
        var edge = config.configs().current();
        var way = edge.flatMap(now -> Optional.ofNullable(now.ports().get(port)));
        if (edge.isEmpty() || way.isEmpty()) {
            refuse("port " + port + " is no longer listened to");
            return;
        }
        var names = way.get().names();
        if (names == null) {
            plain(edge.get());
        } else {
            channel.pipeline()
                    .addLast("sni", new SniChoice(names::choose, config.bounds().handshake(), this::handshake))
                    .addLast("guard", new Guard());
            channel.config().setAutoRead(true);
        }
    }

    private void plain(Edge edge) {
        inner(edge, "http", null).ifPresent(InnerConnection::serve);
    }

    private void encrypted(Edge edge, String listener, boolean http2) {
        inner(edge, "https", listener).ifPresent(inner -> InnerConnection.serve(inner, http2));
    }

    private void handshake(ChannelHandlerContext from, ServerNames.Chosen chosen) {
        var tls = chosen.context().newHandler(channel.alloc());
        tls.setHandshakeTimeout(config.bounds().handshake().toMillis(), TimeUnit.MILLISECONDS);
        tls.setCloseNotifyFlushTimeout(1, TimeUnit.SECONDS);
        channel.pipeline().addBefore("guard", "handshake", new Handshake(tls, chosen.listener()));
        channel.pipeline().replace("sni", "tls", tls);
    }

    private Optional<Inner> inner(Edge edge, String scheme, @Nullable String listener) {
        if (edge.service().port(port).isEmpty()) {
            refuse("port " + port + " is no longer listened to");
            return Optional.empty();
        }
        channel.config().setAutoRead(false);
        var caller = new Caller(null, remote, new InetSocketAddress(local.getAddress(), port), scheme);
        return Optional.of(
                Inner.atTheEdge(new Inner.Shared(config.serving(), worker), channel, caller, edge.service(), listener));
    }

    private void refuse(String why) {
        AccessLog.failed(remote, local, "inbound", why);
        channel.close();
    }

    void close() {
        channel.close();
    }

    /// Waits for the end of the handshake, in front of the first request.
    private final class Handshake extends ChannelInboundHandlerAdapter {
        private final SslHandler tls;
        private final String listener;

        Handshake(SslHandler tls, String listener) {
            this.tls = tls;
            this.listener = listener;
        }

        @Override
        public void userEventTriggered(ChannelHandlerContext context, Object event) throws Exception {
            if (event instanceof SslHandshakeCompletionEvent done) {
                if (done.isSuccess()) {
                    context.pipeline().remove(this);
                    context.pipeline().remove("guard");
                    Optional<Edge> edge = config.configs().current();
                    if (edge.isPresent()) {
                        encrypted(edge.get(), listener, "h2".equals(tls.applicationProtocol()));
                    } else {
                        refuse("the gateway has no listeners any more");
                    }
                    return;
                }
                refuse("TLS handshake failed: " + done.cause().getMessage());
            }
            super.userEventTriggered(context, event);
        }
    }

    /// What is no TLS, or takes too long.
    private final class Guard extends ChannelInboundHandlerAdapter {
        @Override
        public void userEventTriggered(ChannelHandlerContext context, Object event) {
            if (event instanceof SniCompletionEvent done && !done.isSuccess()) {
                refuse("TLS handshake failed: " + done.cause().getMessage());
            }
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            context.close();
        }
    }
}
