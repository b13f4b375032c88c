package dev.culvert.waypoint.upstream;

import dev.culvert.hbone.failure.FailureReason;
import dev.culvert.hbone.failure.ProxyException;
import dev.culvert.hbone.headers.Authority;
import dev.culvert.hbone.headers.Baggage;
import dev.culvert.hbone.headers.ConnectRequest;
import dev.culvert.hbone.headers.Forwarded;
import dev.culvert.hbone.pool.PoolKey;
import dev.culvert.hbone.pool.TunnelPool;
import dev.culvert.hbone.tls.HboneTls;
import dev.culvert.hbone.tunnel.Tunnel;
import dev.culvert.mesh.model.identity.SpiffeId;
import dev.culvert.mesh.model.workload.Addresses;
import dev.culvert.proxy.ca.CertificateStore;
import dev.culvert.proxy.socket.HalfClosed;
import dev.culvert.waypoint.balance.Endpoint;
import dev.culvert.waypoint.tunnel.TunnelChannel;
import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.epoll.EpollSocketChannel;
import java.net.InetSocketAddress;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ThreadLocalRandom;

/// Opens a connection to an endpoint: a tunnel with our own identity, or plain TCP to who has no tunnel.
/// Confined to its loop; results complete on it.
public final class Dialler {
    private static final int HBONE_PORT = 15008;

    private final EventLoop loop;
    private final TunnelPool tunnels;
    private final CertificateStore certificates;
    private final SpiffeId self;
    private final Outside outside;

    public Dialler(EventLoop loop, TunnelPool tunnels, CertificateStore certificates, SpiffeId self, Outside outside) {
        this.loop = loop;
        this.tunnels = tunnels;
        this.certificates = certificates;
        this.self = self;
        this.outside = outside;
    }

    /// A channel of bytes that reads nothing by itself. Fails with a [ProxyException].
    /// @param client whom it is opened for
    /// @param baggage what we say of ourselves
    CompletableFuture<Channel> open(Endpoint endpoint, InetSocketAddress client, Baggage baggage, String service) {
        return endpoint.address().isUnresolved()
                ? named(endpoint, client, baggage, service)
                : at(endpoint, client, baggage, service);
    }

    /// One of its addresses by chance, and if that does not answer another one.
    private CompletableFuture<Channel> named(
            Endpoint endpoint, InetSocketAddress client, Baggage baggage, String service) {
        return onLoop(outside.names().of(endpoint.address().getHostString())).thenCompose(addresses -> {
            var two = HostLookup.two(addresses, ThreadLocalRandom.current());
            var opened = at(endpoint.at(two.getFirst()), client, baggage, service);
            return two.size() == 1
                    ? opened
                    : opened.exceptionallyCompose(_ -> at(endpoint.at(two.getLast()), client, baggage, service));
        });
    }

    private CompletableFuture<Channel> at(
            Endpoint endpoint, InetSocketAddress client, Baggage baggage, String service) {
        return endpoint.isTunnelled()
                ? onLoop(certificates.tls(self))
                        .thenCompose(tls -> tunnel(
                                endpoint,
                                tls,
                                new ConnectRequest(
                                        new Authority.Address(endpoint.authority()),
                                        baggage,
                                        Forwarded.of(client, service),
                                        ConnectRequest.newTraceparent(),
                                        null)))
                : plain(endpoint.address());
    }

    private <T> CompletableFuture<T> onLoop(CompletableFuture<T> result) {
        return result.isDone() ? result : result.whenCompleteAsync((_, _) -> {}, loop);
    }

    private CompletableFuture<Channel> tunnel(Endpoint endpoint, HboneTls tls, ConnectRequest request) {
        var nextHop = new InetSocketAddress(endpoint.address().getAddress(), HBONE_PORT);
        var key = new PoolKey(
                0, self, endpoint.accepted(), nextHop, tls.certificate().roots().hashCode());
        return tunnels.open(key, tls, this::dial, request).thenApply(tunnel -> channel(tunnel, endpoint.authority()));
    }

    private ChannelFuture dial(InetSocketAddress to, ChannelHandler handler) {
        return bootstrap().handler(handler).connect(to);
    }

    private Channel channel(Tunnel tunnel, InetSocketAddress to) {
        var channel = new TunnelChannel(null, tunnel.stream(), new InetSocketAddress(0), to);
        channel.config().setAutoRead(false);
        loop.register(channel);
        return channel;
    }

    private Bootstrap bootstrap() {
        return new Bootstrap()
                .group(loop)
                .channel(EpollSocketChannel.class)
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, outside.connectMillis())
                .option(ChannelOption.TCP_NODELAY, true)
                .option(ChannelOption.AUTO_READ, false)
                .option(ChannelOption.ALLOW_HALF_CLOSURE, true);
    }

    private CompletableFuture<Channel> plain(InetSocketAddress to) {
        var result = new CompletableFuture<Channel>();
        if (!outside.admitted().test(to.getAddress())) {
            result.completeExceptionally(ProxyException.of(
                    FailureReason.UPSTREAM_CONNECT,
                    Addresses.text(to) + " is this machine's own: nobody is sent there"));
            return result;
        }
        bootstrap().handler(HalfClosed.INSTANCE).connect(to).addListener((ChannelFuture done) -> {
            if (done.isSuccess()) {
                result.complete(done.channel());
            } else {
                result.completeExceptionally(ProxyException.of(
                        FailureReason.UPSTREAM_CONNECT,
                        "connection failed: " + Addresses.text(to) + ": "
                                + done.cause().getMessage()));
            }
        });
        return result;
    }
}
