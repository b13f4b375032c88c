package dev.culvert.waypoint.listener;

import dev.culvert.hbone.codec.ConnectionListener;
import dev.culvert.hbone.codec.HboneConnection;
import dev.culvert.hbone.codec.HboneStream;
import dev.culvert.hbone.failure.FailureReason;
import dev.culvert.hbone.failure.ProxyException;
import dev.culvert.hbone.headers.ConnectRequest;
import dev.culvert.hbone.tls.HboneTls;
import dev.culvert.mesh.model.identity.SpiffeId;
import dev.culvert.mesh.model.workload.Addresses;
import dev.culvert.proxy.telemetry.AccessLog;
import dev.culvert.waypoint.http.Worker;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import java.net.InetSocketAddress;
import javax.net.ssl.SSLPeerUnverifiedException;
import org.jspecify.annotations.Nullable;

/// One HBONE connection that came in: our certificate, the handshake, then its tunnels. Confined to its loop.
final class DownstreamConnection implements ConnectionListener {
    private final HboneListener.Config config;
    private final Worker worker;
    private final Channel channel;
    private final HboneConnection http2;
    private final InetSocketAddress remote;
    private final InetSocketAddress local;
    private @Nullable SpiffeId identity;

    DownstreamConnection(HboneListener.Config config, Worker worker, Channel channel) {
        this.config = config;
        this.worker = worker;
        this.channel = channel;
        this.http2 = new HboneConnection(false, this, config.bounds().h2(), worker.limits());
        this.remote = Addresses.canonical((InetSocketAddress) channel.remoteAddress());
        this.local = Addresses.canonical((InetSocketAddress) channel.localAddress());
    }

    InetSocketAddress remote() {
        return remote;
    }

    InetSocketAddress local() {
        return local;
    }

    /// The channel that accepted this one.
    Channel listener() {
        return channel.parent();
    }

    HboneListener.Config config() {
        return config;
    }

    Worker worker() {
        return worker;
    }

    void serve() {
        config.certificates()
                .tls(config.serving().self())
                .whenComplete((tls, failure) -> channel.eventLoop().execute(() -> begin(tls, failure)));
    }

    private void begin(@Nullable HboneTls tls, @Nullable Throwable failure) {
        if (tls == null) {
            refuse(
                    failure == null
                            ? "no certificate"
                            : ProxyException.of(failure).text());
            return;
        }
        channel.pipeline()
                .addLast(
                        "tls",
                        tls.serverHandler(channel.alloc(), config.bounds().handshake()))
                .addLast("handshake", new Handshake(tls));
        channel.config().setAutoRead(true);
    }

    private void refuse(String why) {
        AccessLog.failed(remote, local, "inbound", why);
        channel.close();
    }

    @Override
    public void accepted(HboneStream stream, Http2Headers headers) {
        var request = ConnectRequest.parse(headers);
        if (request.isEmpty() || identity == null) {
            AccessLog.failed(remote, local, "inbound", "not a CONNECT to ip:port: " + headers.authority());
            stream.respond(ConnectRequest.refused(FailureReason.BAD_REQUEST.status()), true);
            return;
        }
        new TunnelOpening(this, identity, stream, request.get().authority()).serve();
    }

    void drain() {
        channel.eventLoop().execute(http2::drain);
    }

    void close() {
        channel.close();
    }

    private final class Handshake extends ChannelInboundHandlerAdapter {
        private final HboneTls tls;

        Handshake(HboneTls tls) {
            this.tls = tls;
        }

        @Override
        public void userEventTriggered(ChannelHandlerContext context, Object event) throws Exception {
            if (event instanceof SslHandshakeCompletionEvent done) {
                if (done.isSuccess()) {
                    admit(context);
                } else {
                    refuse("TLS handshake failed: " + done.cause().getMessage());
                }
            }
            super.userEventTriggered(context, event);
        }

        private void admit(ChannelHandlerContext context) throws SSLPeerUnverifiedException {
            var handler = context.pipeline().get(SslHandler.class);
            var peer = tls.peer(handler);
            if (peer.identities().isEmpty() || !"h2".equals(handler.applicationProtocol())) {
                refuse("the peer has no identity or does not speak h2");
                return;
            }
            identity = peer.identities().getFirst();
            context.pipeline().replace(this, "h2", http2);
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            context.close();
        }
    }
}
