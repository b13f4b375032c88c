package dev.culvert.waypoint.edge;

import dev.culvert.mesh.model.workload.Addresses;
import dev.culvert.proxy.telemetry.AccessLog;
import dev.culvert.waypoint.http.Inner;
import dev.culvert.waypoint.http.InnerConnection;
import dev.culvert.waypoint.http.Worker;
import dev.culvert.waypoint.policy.Caller;
import dev.culvert.waypoint.route.CompiledRoute.Targets;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.ssl.SniCompletionEvent;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import java.net.InetSocketAddress;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import javax.net.ssl.SSLPeerUnverifiedException;
import org.jspecify.annotations.Nullable;

/// One connection from outside of the mesh: TLS if its port has it, then HTTP or bytes. Confined to its loop.
final class EdgeConnection {
    private final EdgeListener.Config config;
    private final Worker worker;
    private final Channel channel;
    private final int port;
    private final InetSocketAddress remote;
    private final InetSocketAddress local;
    private @Nullable ClientCertificate client;

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
        switch (way.get()) {
            case Edge.Way.Http() -> inner(edge.get(), "http", null).ifPresent(InnerConnection::serve);
            case Edge.Way.Bytes(var to) -> bytes(edge.get(), to);
            case Edge.Way.Tls(var names) -> {
                channel.pipeline()
                        .addLast(
                                "sni",
                                new SniChoice(names::choose, config.bounds().handshake(), this::chosen))
                        .addLast("guard", new Guard());
                channel.config().setAutoRead(true);
            }
        }
    }

    private void chosen(ChannelHandlerContext from, ServerNames.Chosen chosen) {
        switch (chosen) {
            case ServerNames.Chosen.Http(var listener, var how) ->
                handshake(
                        how,
                        (edge, tls) -> inner(edge, "https", listener)
                                .ifPresent(
                                        inner -> InnerConnection.serve(inner, "h2".equals(tls.applicationProtocol()))));
            case ServerNames.Chosen.Inside(var to, var how) -> handshake(how, (edge, _) -> bytes(edge, to));
            case ServerNames.Chosen.Whole(var to) -> {
                channel.pipeline().remove("guard");
                current().ifPresent(edge -> bytes(edge, to));
                from.pipeline().remove("sni"); // hands on what it has read
            }
        }
    }

    private void handshake(ServerNames.Handshake how, BiConsumer<Edge, SslHandler> done) {
        var tls = how.context().newHandler(channel.alloc());
        tls.setHandshakeTimeout(config.bounds().handshake().toMillis(), TimeUnit.MILLISECONDS);
        tls.setCloseNotifyFlushTimeout(1, TimeUnit.SECONDS);
        channel.pipeline().addBefore("guard", "handshake", new Handshake(tls, how.clients(), done));
        channel.pipeline().replace("sni", "tls", tls);
    }

    private Optional<Edge> current() {
        var edge = config.configs().current();
        if (edge.isEmpty()) {
            refuse("the gateway has no listeners any more");
        }
        return edge;
    }

    /// Policies judge it by its addresses alone.
    private void bytes(Edge edge, Targets to) {
        channel.config().setAutoRead(false);
        var shared = new Inner.Shared(config.serving(), worker);
        InnerConnection.serve(Inner.bytesAtTheEdge(shared, channel, caller(edge, "tcp"), edge.service(), to));
    }

    private Optional<Inner> inner(Edge edge, String scheme, @Nullable String listener) {
        if (edge.service().port(port).isEmpty()) {
            refuse("port " + port + " is no longer listened to");
            return Optional.empty();
        }
        channel.config().setAutoRead(false);
        return Optional.of(Inner.atTheEdge(
                new Inner.Shared(config.serving(), worker), channel, caller(edge, scheme), edge.service(), listener));
    }

    private Caller caller(Edge edge, String scheme) {
        return new Caller(
                null,
                remote,
                new InetSocketAddress(local.getAddress(), port),
                scheme,
                client == null ? null : client.header(),
                edge.said().getTrustedProxies());
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
        private final List<String> clients;
        private final BiConsumer<Edge, SslHandler> then;

        /// @param clients names of which a certificate must have one
        /// @param then told of the handshake's end
        Handshake(SslHandler tls, List<String> clients, BiConsumer<Edge, SslHandler> then) {
            this.tls = tls;
            this.clients = clients;
            this.then = then;
        }

        @Override
        public void userEventTriggered(ChannelHandlerContext context, Object event) throws Exception {
            if (event instanceof SslHandshakeCompletionEvent done) {
                if (done.isSuccess()) {
                    context.pipeline().remove(this);
                    context.pipeline().remove("guard");
                    if (isWanted()) {
                        current().ifPresent(edge -> then.accept(edge, tls));
                    } else {
                        refuse("none of the names in the client's certificate is one of " + clients);
                    }
                    return;
                }
                refuse("TLS handshake failed: " + done.cause().getMessage());
            }
            super.userEventTriggered(context, event);
        }

        private boolean isWanted() {
            try {
                var shown = (X509Certificate) tls.engine().getSession().getPeerCertificates()[0];
                client = ClientCertificate.of(shown);
                return client.hasOne(clients);
            } catch (SSLPeerUnverifiedException _) {
                return true; // whom it is asked of without fail does not get here
            } catch (IllegalArgumentException _) {
                return false; // names that cannot be read
            }
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
