package dev.culvert.ztunnel.inbound;

import dev.culvert.hbone.codec.ConnectionListener;
import dev.culvert.hbone.codec.ErrorCode;
import dev.culvert.hbone.codec.HboneConnection;
import dev.culvert.hbone.codec.HboneStream;
import dev.culvert.hbone.codec.PeerLimit;
import dev.culvert.hbone.failure.FailureReason;
import dev.culvert.hbone.failure.ProxyException;
import dev.culvert.hbone.headers.ConnectRequest;
import dev.culvert.hbone.tls.HboneTls;
import dev.culvert.mesh.model.workload.Addresses;
import dev.culvert.proxy.telemetry.AccessLog;
import dev.culvert.proxy.telemetry.Traffic;
import dev.culvert.ztunnel.inpod.Pod;
import dev.culvert.ztunnel.relay.Worker;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import io.netty.handler.ssl.SslHandshakeTimeoutException;
import io.netty.util.concurrent.ScheduledFuture;
import java.net.InetSocketAddress;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.IntPredicate;
import javax.net.ssl.SSLPeerUnverifiedException;
import org.jspecify.annotations.Nullable;

/// One HBONE connection to a captured pod: the pod's certificate, the handshake, then its streams. Confined to its
/// loop.
final class InboundConnection implements ConnectionListener {
    private final Pod pod;
    private final IntPredicate ports;
    private final Channel channel;
    private final Worker worker;
    private final HboneConnection http2;
    private final InetSocketAddress remote;
    private final InetSocketAddress local;
    private final CompletableFuture<Void> handshakeOver = new CompletableFuture<>();
    private @Nullable Downstream downstream;
    private @Nullable ScheduledFuture<?> idleTimer;
    private long idleSince;

    InboundConnection(Pod pod, IntPredicate ports, Channel channel) {
        this.pod = pod;
        this.ports = ports;
        this.channel = channel;
        this.worker = pod.node().worker(channel.eventLoop());
        this.http2 = new HboneConnection(false, this, pod.node().settings().h2(), worker.loopLimits());
        this.remote = Addresses.canonical((InetSocketAddress) channel.remoteAddress());
        this.local = Addresses.canonical((InetSocketAddress) channel.localAddress());
    }

    /// Completes on the loop when the peer has proven who it is, or is gone.
    CompletableFuture<Void> handshakeOver() {
        return handshakeOver;
    }

    void serve() {
        channel.closeFuture().addListener(_ -> {
            handshakeOver.complete(null);
            stopIdleTimer();
        });
        pod.node().metrics().socketOpened(Traffic.Reporter.DESTINATION);
        channel.closeFuture().addListener(_ -> pod.node().metrics().socketClosed(Traffic.Reporter.DESTINATION));
        var timeout = channel.eventLoop()
                .schedule(this::noHandshake, pod.node().settings().handshake().toMillis() * 2, TimeUnit.MILLISECONDS);
        pod.awaitWorkload(channel.eventLoop())
                .thenCompose(workload -> pod.node().certificates().tls(workload.identity()))
                .whenComplete((tls, failure) -> channel.eventLoop().execute(() -> {
                    timeout.cancel(false);
                    begin(tls, failure);
                }));
    }

    private void begin(@Nullable HboneTls tls, @Nullable Throwable failure) {
        if (tls == null) {
            refuse(
                    failure == null
                            ? "no certificate"
                            : ProxyException.of(failure).text());
            return;
        }
        var handler = tls.serverHandler(channel.alloc(), pod.node().settings().handshake());
        channel.pipeline().addLast("tls", handler).addLast("handshake", new Handshake(tls));
        channel.config().setAutoRead(true);
    }

    private void noHandshake() {
        worker.loopLimits().reached(PeerLimit.CERTIFICATE_WAIT);
        refuse("no certificate for the pod in time");
    }

    /// Closes it at once. Not logged: whoever floods us must not fill the log.
    void refuseFor(PeerLimit limit) {
        worker.loopLimits().reached(limit);
        handshakeOver.complete(null);
        channel.close();
    }

    private void refuse(String why) {
        AccessLog.failed(remote, local, "inbound", why);
        channel.close();
    }

    @Override
    public void accepted(HboneStream stream, Http2Headers headers) {
        var from = downstream;
        var request = ConnectRequest.parse(headers);
        if (request.isEmpty() || from == null) {
            AccessLog.failed(
                    remote,
                    local,
                    "inbound",
                    "not a CONNECT to ip:port: " + headers.method() + " " + headers.authority());
            stream.respond(ConnectRequest.refused(FailureReason.BAD_REQUEST.status()), true);
            return;
        }
        new InboundStream(pod, worker, from, stream, request.get()).serve(ports);
    }

    @Override
    public void idle() {
        idleSince = System.nanoTime();
        if (idleTimer == null) {
            idleTimer = afterIdle(pod.node().settings().tunnelIdle().toNanos());
        }
    }

    /// One timer serves many short silences.
    private ScheduledFuture<?> afterIdle(long nanos) {
        return channel.eventLoop().schedule(this::endIdle, nanos, TimeUnit.NANOSECONDS);
    }

    private void endIdle() {
        idleTimer = null;
        if (http2.openStreams() > 0) {
            return;
        }
        var left = pod.node().settings().tunnelIdle().toNanos() - (System.nanoTime() - idleSince);
        if (left > 0) {
            idleTimer = afterIdle(left);
        } else {
            worker.loopLimits().reached(PeerLimit.IDLE);
            http2.drain();
        }
    }

    private void stopIdleTimer() {
        if (idleTimer != null) {
            idleTimer.cancel(false);
            idleTimer = null;
        }
    }

    void drain() {
        channel.eventLoop().execute(http2::drain);
    }

    /// Ends at once if the peer's certificate has been revoked.
    void dropIfRevoked() {
        channel.eventLoop().execute(() -> {
            if (downstream != null) {
                var peer = downstream.peer();
                peer.revoked().ifPresent(why -> {
                    peer.countRevoked();
                    http2.abort(ErrorCode.NO_ERROR, why);
                });
            }
        });
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
                    if (done.cause() instanceof SslHandshakeTimeoutException) {
                        worker.loopLimits().reached(PeerLimit.HANDSHAKE);
                    }
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
            downstream = new Downstream(peer, remote, local);
            context.pipeline().replace(this, "h2", http2);
            handshakeOver.complete(null);
            idle();
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            context.close();
        }
    }
}
