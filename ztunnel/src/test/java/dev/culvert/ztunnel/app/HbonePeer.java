package dev.culvert.ztunnel.app;

import dev.culvert.hbone.codec.HboneStream;
import dev.culvert.hbone.codec.LoopLimits;
import dev.culvert.hbone.codec.StreamFailure;
import dev.culvert.hbone.codec.StreamListener;
import dev.culvert.hbone.headers.Authority;
import dev.culvert.hbone.headers.Baggage;
import dev.culvert.hbone.headers.ConnectRequest;
import dev.culvert.hbone.headers.Forwarded;
import dev.culvert.hbone.pool.PoolKey;
import dev.culvert.hbone.pool.PoolLimits;
import dev.culvert.hbone.pool.TunnelPool;
import dev.culvert.hbone.tls.HboneTls;
import dev.culvert.hbone.tls.Revocation;
import dev.culvert.hbone.tls.TlsPolicy;
import dev.culvert.hbone.tunnel.Tunnel;
import dev.culvert.mesh.model.identity.SpiffeId;
import dev.culvert.proxy.ca.TestAuthority;
import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.EventLoop;
import io.netty.channel.epoll.EpollSocketChannel;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/// A client of HBONE that is somebody of the mesh.
final class HbonePeer implements AutoCloseable {
    private static final SpiffeId PROMETHEUS = new SpiffeId("cluster.local", "ops", "prometheus");

    private final EventLoop loop;
    private final SpiffeId server;
    private final HboneTls tls;
    private final TunnelPool pool;

    HbonePeer(TestAuthority authority, EventLoop loop, SpiffeId server) throws IOException {
        this.loop = loop;
        this.server = server;
        this.tls = new HboneTls(authority.fetch(PROMETHEUS), TlsPolicy.DEFAULT, new Revocation());
        this.pool = new TunnelPool(loop, PoolLimits.DEFAULTS, new LoopLimits(1 << 20));
    }

    CompletableFuture<Tunnel> connect(int port) {
        var to = new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 15008);
        var request = new ConnectRequest(
                new Authority.Address(new InetSocketAddress(to.getAddress(), port)),
                Baggage.NONE,
                Forwarded.of(to, ""),
                ConnectRequest.newTraceparent(),
                null);
        return CompletableFuture.supplyAsync(
                        () -> pool.open(
                                new PoolKey(1, PROMETHEUS, Set.of(server), to, 1),
                                tls,
                                (next, handler) -> new Bootstrap()
                                        .group(loop)
                                        .channel(EpollSocketChannel.class)
                                        .handler(handler)
                                        .connect(next),
                                request),
                        loop)
                .thenCompose(opened -> opened);
    }

    /// `GET /metrics` to the end.
    String ask(int port) throws Exception {
        var heard = new CompletableFuture<String>();
        connect(port).thenAccept(tunnel -> {
            var text = new StringBuilder();
            tunnel.stream().listener(new StreamListener() {
                @Override
                public void data(HboneStream stream, ByteBuf data) {
                    text.append(data.toString(StandardCharsets.UTF_8));
                    stream.delivered(data.readableBytes());
                    data.release();
                }

                @Override
                public void ended(HboneStream stream) {
                    stream.end();
                    heard.complete(text.toString());
                }

                @Override
                public void failed(HboneStream stream, StreamFailure failure) {
                    heard.completeExceptionally(new IOException(failure.toString()));
                }

                @Override
                public void sent(HboneStream stream, int bytes) {}
            });
            tunnel.stream()
                    .write(Unpooled.copiedBuffer(
                            "GET /metrics HTTP/1.1\r\nHost: ztunnel\r\nConnection: close\r\n\r\n",
                            StandardCharsets.UTF_8));
        });
        return heard.get(20, TimeUnit.SECONDS);
    }

    @Override
    public void close() {
        loop.submit(() -> pool.close(1)).awaitUninterruptibly();
        tls.release();
    }
}
