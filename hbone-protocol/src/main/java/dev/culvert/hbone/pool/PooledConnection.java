package dev.culvert.hbone.pool;

import dev.culvert.hbone.codec.ConnectionListener;
import dev.culvert.hbone.codec.ErrorCode;
import dev.culvert.hbone.codec.HboneConnection;
import dev.culvert.hbone.codec.LoopLimits;
import dev.culvert.hbone.codec.PeerLimit;
import dev.culvert.hbone.failure.FailureReason;
import dev.culvert.hbone.failure.ProxyException;
import dev.culvert.hbone.headers.ConnectRequest;
import dev.culvert.hbone.tls.HboneTls;
import dev.culvert.hbone.tunnel.Opening;
import dev.culvert.hbone.tunnel.Tunnel;
import dev.culvert.mesh.model.workload.Addresses;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ConnectTimeoutException;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import io.netty.handler.ssl.SslHandshakeTimeoutException;
import io.netty.util.concurrent.ScheduledFuture;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Collections;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import javax.net.ssl.SSLPeerUnverifiedException;
import org.jspecify.annotations.Nullable;

/// One client connection of the pool, from its dial to its end. Confined to the pool's loop.
final class PooledConnection implements ConnectionListener {
    private record Waiting(ConnectRequest request, CompletableFuture<Tunnel> result) {}

    private final PoolKey key;
    private final HboneTls tls;
    private final PoolLimits limits;
    private final LoopLimits loop;
    private final HboneConnection http2;
    private final Consumer<PooledConnection> onGone;
    private final ArrayDeque<Waiting> waiting = new ArrayDeque<>();

    private @Nullable Channel channel;
    private HboneTls.@Nullable Peer peer;
    private @Nullable ScheduledFuture<?> unusedTimer;
    private boolean gone;

    PooledConnection(PoolKey key, HboneTls tls, PoolLimits limits, LoopLimits loop, Consumer<PooledConnection> onGone) {
        this.key = key;
        this.tls = tls;
        this.limits = limits;
        this.loop = loop;
        this.http2 = new HboneConnection(true, this, limits.h2(), loop);
        this.onGone = onGone;
    }

    PoolKey key() {
        return key;
    }

    void dial(TunnelPool.Dialer dialer) {
        var future = dialer.dial(key.nextHop(), new Handshake());
        channel = future.channel();
        future.addListener((ChannelFuture done) -> {
            if (!done.isSuccess()) {
                fail(connectFailure(done.cause()));
            }
        });
    }

    private ProxyException connectFailure(Throwable cause) {
        var to = Addresses.text(key.nextHop());
        return cause instanceof ConnectTimeoutException
                ? ProxyException.of(
                        FailureReason.UPSTREAM_TIMEOUT,
                        "connection timed out, maybe a NetworkPolicy is blocking HBONE port "
                                + key.nextHop().getPort() + ": " + to)
                : ProxyException.of(
                        FailureReason.UPSTREAM_CONNECT, "connection failed: " + to + ": " + cause.getMessage());
    }

    boolean hasRoom() {
        if (gone) {
            return false;
        }
        if (peer == null) {
            return waiting.size() < limits.h2().maxStreams();
        }
        var now = Instant.now();
        return http2.canOpen()
                && now.isBefore(peer.notAfter())
                && tls.certificate().isValidAt(now);
    }

    CompletableFuture<Tunnel> open(ConnectRequest request) {
        if (peer != null) {
            return start(request, peer);
        }
        var entry = new Waiting(request, new CompletableFuture<>());
        waiting.add(entry);
        return entry.result;
    }

    /// A tunnel that has the connection for itself.
    CompletableFuture<Tunnel> openOnly(ConnectRequest request) {
        var result = open(request);
        leavePool();
        return result;
    }

    private CompletableFuture<Tunnel> start(ConnectRequest request, HboneTls.Peer with) {
        var opening = new Opening(with);
        var stream = http2.open(request.toHeaders(), opening);
        if (stream == null || channel == null) {
            return CompletableFuture.failedFuture(
                    ProxyException.of(FailureReason.UPSTREAM_REFUSED, "the connection takes no more streams"));
        }
        if (unusedTimer != null) {
            unusedTimer.cancel(false);
            unusedTimer = null;
        }
        opening.answerWithin(limits.answer(), channel.eventLoop(), stream, loop);
        return opening.result();
    }

    boolean isIdle() {
        return peer != null && http2.openStreams() == 0 && waiting.isEmpty();
    }

    /// No more streams; ends with the last one.
    void release() {
        leavePool();
        http2.drain();
        if (isIdle()) {
            http2.close();
        }
    }

    /// Ends at once if the peer's certificate has been revoked.
    void dropIfRevoked() {
        var with = peer;
        if (with != null) {
            with.revoked().ifPresent(why -> {
                with.countRevoked();
                leavePool();
                http2.abort(ErrorCode.NO_ERROR, why);
            });
        }
    }

    void close() {
        leavePool();
        if (channel != null) {
            channel.close();
        }
    }

    private void leavePool() {
        if (!gone) {
            gone = true;
            onGone.accept(this);
        }
    }

    private void fail(ProxyException why) {
        leavePool();
        if (unusedTimer != null) {
            unusedTimer.cancel(false); // or the loop would keep what is closed for minutes
            unusedTimer = null;
        }
        while (!waiting.isEmpty()) {
            waiting.remove().result.completeExceptionally(why);
        }
        if (channel != null) {
            channel.close();
        }
    }

    @Override
    public void idle() {
        if (gone) {
            http2.close();
        } else if (channel != null && unusedTimer == null) {
            unusedTimer = channel.eventLoop()
                    .schedule(this::releaseUnused, limits.unusedRelease().toNanos(), TimeUnit.NANOSECONDS);
        }
    }

    private void releaseUnused() {
        unusedTimer = null;
        if (isIdle()) {
            release();
        }
    }

    @Override
    public void goAway() {
        leavePool();
    }

    @Override
    public void broken(ErrorCode code, String why) {
        leavePool();
    }

    @Override
    public void closed() {
        fail(ProxyException.of(FailureReason.UPSTREAM_CONNECT, "connection closed"));
    }

    /// Puts TLS in front, checks who answered, and only then lets HTTP/2 in.
    private final class Handshake extends ChannelInboundHandlerAdapter {
        @Override
        public void handlerAdded(ChannelHandlerContext context) {
            var handler = tls.clientHandler(context.alloc(), limits.handshake());
            context.pipeline().addBefore(context.name(), "tls", handler);
            context.channel().config().setAutoRead(true);
        }

        @Override
        public void userEventTriggered(ChannelHandlerContext context, Object event) throws Exception {
            if (event instanceof SslHandshakeCompletionEvent done) {
                if (done.isSuccess()) {
                    verify(context);
                } else {
                    if (done.cause() instanceof SslHandshakeTimeoutException) {
                        loop.reached(PeerLimit.HANDSHAKE);
                    }
                    fail(ProxyException.of(
                            FailureReason.UPSTREAM_TLS,
                            "TLS handshake failed: " + done.cause().getMessage()));
                }
            }
            super.userEventTriggered(context, event);
        }

        private void verify(ChannelHandlerContext context) throws SSLPeerUnverifiedException {
            var handler = context.pipeline().get(SslHandler.class);
            var found = tls.peer(handler);
            if (Collections.disjoint(found.identities(), key.acceptedPeers())) {
                fail(ProxyException.of(
                        FailureReason.PEER_NOT_TRUSTED,
                        "identity verification error: peer " + found.identities() + " is none of "
                                + key.acceptedPeers()));
                return;
            }
            if (!"h2".equals(handler.applicationProtocol())) {
                fail(ProxyException.of(FailureReason.UPSTREAM_TLS, "the peer does not speak h2"));
                return;
            }
            context.pipeline().replace(this, "h2", http2);
            peer = found;
            startWaiting(found);
        }

        private void startWaiting(HboneTls.Peer with) {
            while (!waiting.isEmpty()) {
                var next = waiting.remove();
                start(next.request, with).whenComplete((tunnel, failure) -> {
                    if (failure == null) {
                        next.result.complete(tunnel);
                    } else {
                        next.result.completeExceptionally(failure);
                    }
                });
            }
        }

        @Override
        public void channelInactive(ChannelHandlerContext context) {
            fail(ProxyException.of(FailureReason.UPSTREAM_TLS, "connection closed during the TLS handshake"));
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            fail(ProxyException.of(FailureReason.UPSTREAM_TLS, "TLS handshake failed: " + cause.getMessage()));
        }
    }
}
