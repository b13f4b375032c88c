package dev.culvert.ztunnel.inpod;

import dev.culvert.linux.netns.NetworkNamespace;
import dev.culvert.mesh.model.workload.Addresses;
import io.netty.bootstrap.AbstractBootstrap;
import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.FixedRecvByteBufAllocator;
import io.netty.channel.epoll.EpollChannelOption;
import io.netty.channel.epoll.EpollDatagramChannel;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.socket.SocketProtocolFamily;
import io.netty.channel.unix.IntegerUnixChannelOption;
import io.netty.channel.unix.RawUnixChannelOption;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Makes sockets inside one pod's network namespace. Netty calls `socket(2)` in a channel's constructor, and a socket
/// stays where it was made: so only the constructor runs inside. Netty sets TCP_NODELAY on every connection itself.
/// Thread-safe.
public final class NetnsSockets implements PodSockets {
    private static final Logger LOG = LoggerFactory.getLogger("inpod");
    private static final int SOL_SOCKET = 1;
    private static final int SOL_IP = 0;
    private static final int SOL_TCP = 6;
    private static final int SOL_IPV6 = 41;
    private static final int MAX_DATAGRAM_BYTES = 65_535;

    private static final ChannelOption<Integer> SO_MARK = new IntegerUnixChannelOption("SO_MARK", SOL_SOCKET, 36);
    /// As numbers, since Netty has names for these on connections only.
    private static final ChannelOption<Integer> SO_KEEPALIVE =
            new IntegerUnixChannelOption("SO_KEEPALIVE", SOL_SOCKET, 9);
    private static final ChannelOption<Integer> TCP_KEEPIDLE = new IntegerUnixChannelOption("TCP_KEEPIDLE", SOL_TCP, 4);
    private static final ChannelOption<Integer> TCP_KEEPINTVL =
            new IntegerUnixChannelOption("TCP_KEEPINTVL", SOL_TCP, 5);
    private static final ChannelOption<Integer> TCP_KEEPCNT = new IntegerUnixChannelOption("TCP_KEEPCNT", SOL_TCP, 6);
    private static final ChannelOption<Integer> TCP_USER_TIMEOUT =
            new IntegerUnixChannelOption("TCP_USER_TIMEOUT", SOL_TCP, 18);

    private static final ChannelOption<Integer> IP_TRANSPARENT =
            new IntegerUnixChannelOption("IP_TRANSPARENT", SOL_IP, 19);
    private static final ChannelOption<Integer> IPV6_TRANSPARENT =
            new IntegerUnixChannelOption("IPV6_TRANSPARENT", SOL_IPV6, 75);
    private static final RawUnixChannelOption ORIGINAL_DST =
            new RawUnixChannelOption("SO_ORIGINAL_DST", SOL_IP, 80, 16);
    private static final RawUnixChannelOption IPV6_ORIGINAL_DST =
            new RawUnixChannelOption("IP6T_SO_ORIGINAL_DST", SOL_IPV6, 80, 28);

    private final NetworkNamespace namespace;
    private final SocketSettings settings;

    /// @param namespace closed together with this
    public NetnsSockets(NetworkNamespace namespace, SocketSettings settings) {
        this.namespace = namespace;
        this.settings = settings;
    }

    @Override
    public NetworkNamespace.Id namespace() {
        return namespace.id();
    }

    @Override
    public <T, E extends Exception> T inside(NetworkNamespace.Body<T, E> body) throws E, IOException {
        return namespace.call(body);
    }

    private <C> C construct(Supplier<C> constructor) {
        try {
            return namespace.call(constructor::get);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot enter the pod's network namespace: " + e.getMessage(), e);
        }
    }

    /// Dual stack where the pod has IPv6.
    @Override
    public ChannelFuture listen(EventLoop acceptor, EventLoopGroup workers, int port, ChannelHandler accepted) {
        return listen(
                acceptor, workers, settings.ipv6() ? anyIpv6(port) : new InetSocketAddress("0.0.0.0", port), accepted);
    }

    @Override
    public ChannelFuture listen(
            EventLoop acceptor, EventLoopGroup workers, InetSocketAddress address, ChannelHandler accepted) {
        var family = family(address);
        var bootstrap = new ServerBootstrap()
                .group(acceptor, workers)
                .channelFactory(() -> construct(() -> new EpollServerSocketChannel(family)))
                .option(ChannelOption.SO_BACKLOG, 1024)
                .option(ChannelOption.SO_REUSEADDR, true)
                .option(EpollChannelOption.SO_REUSEPORT, settings.reusePort())
                .childOption(ChannelOption.AUTO_READ, false)
                .childHandler(accepted);
        if (settings.mark() != 0) {
            bootstrap.option(SO_MARK, settings.mark());
        }
        keepalive(bootstrap);
        if (settings.transparent()) {
            bootstrap.option(family == SocketProtocolFamily.INET6 ? IPV6_TRANSPARENT : IP_TRANSPARENT, 1);
        }
        return bootstrap.bind(address);
    }

    private static SocketProtocolFamily family(InetSocketAddress address) {
        return address.getAddress() instanceof Inet4Address ? SocketProtocolFamily.INET : SocketProtocolFamily.INET6;
    }

    private static InetSocketAddress anyIpv6(int port) {
        return new InetSocketAddress(InetAddress.ofLiteral("::"), port);
    }

    @Override
    public ChannelFuture connect(
            EventLoop loop, InetSocketAddress to, @Nullable InetAddress spoofed, ChannelHandler handler) {
        var ipv4 = to.getAddress() instanceof Inet4Address;
        var family = ipv4 ? SocketProtocolFamily.INET : SocketProtocolFamily.INET6;
        var bootstrap = new Bootstrap()
                .group(loop)
                .channelFactory(() -> construct(() -> new EpollSocketChannel(family)))
                .option(ChannelOption.AUTO_READ, false)
                .option(
                        ChannelOption.CONNECT_TIMEOUT_MILLIS,
                        Math.toIntExact(settings.connect().toMillis()))
                .handler(handler);
        if (settings.mark() != 0) {
            bootstrap.option(SO_MARK, settings.mark());
        }
        keepalive(bootstrap);
        if (spoofed == null || !settings.transparent() || spoofed.equals(to.getAddress())) {
            return bootstrap.connect(to);
        }
        bootstrap.option(EpollChannelOption.IP_BIND_ADDRESS_NO_PORT, true);
        if (ipv4) {
            bootstrap.option(IP_TRANSPARENT, 1);
        } else {
            bootstrap.option(IPV6_TRANSPARENT, 1);
        }
        return bootstrap.connect(to, new InetSocketAddress(spoofed, 0));
    }

    @Override
    public ChannelFuture bindUdp(EventLoop loop, InetSocketAddress address, ChannelHandler handler) {
        return udp(loop, address, handler)
                .option(EpollChannelOption.SO_REUSEPORT, settings.reusePort())
                .bind(address);
    }

    @Override
    public ChannelFuture connectUdp(EventLoop loop, InetSocketAddress to, ChannelHandler handler) {
        return udp(loop, to, handler).connect(to);
    }

    private Bootstrap udp(EventLoop loop, InetSocketAddress address, ChannelHandler handler) {
        var bootstrap = new Bootstrap()
                .group(loop)
                .channelFactory(() -> construct(() -> new EpollDatagramChannel(family(address))))
                .option(ChannelOption.RECVBUF_ALLOCATOR, new FixedRecvByteBufAllocator(MAX_DATAGRAM_BYTES))
                .handler(handler);
        if (settings.mark() != 0) {
            bootstrap.option(SO_MARK, settings.mark());
        }
        return bootstrap;
    }

    /// On the socket itself; what a listener accepts inherits it.
    private void keepalive(AbstractBootstrap<?, ?> bootstrap) {
        var keepalive = settings.keepalive();
        if (keepalive.enabled()) {
            bootstrap
                    .option(SO_KEEPALIVE, 1)
                    .option(TCP_KEEPIDLE, keepalive.idleSeconds())
                    .option(TCP_KEEPINTVL, keepalive.intervalSeconds())
                    .option(TCP_KEEPCNT, keepalive.probes());
        }
        if (keepalive.userTimeout()) {
            bootstrap.option(TCP_USER_TIMEOUT, keepalive.userTimeoutMillis());
        }
    }

    /// From conntrack, IPv4 first; else the accepted socket's own address.
    @Override
    public OriginalDst originalDst(Channel accepted) {
        return read(accepted, ORIGINAL_DST)
                .or(() -> read(accepted, IPV6_ORIGINAL_DST))
                .orElseGet(() -> new OriginalDst((InetSocketAddress) accepted.localAddress()));
    }

    private static Optional<OriginalDst> read(Channel accepted, RawUnixChannelOption option) {
        try {
            var raw = accepted.config().getOption(option);
            return raw == null ? Optional.empty() : Optional.of(parse(raw));
        } catch (RuntimeException _) {
            return Optional.empty();
        }
    }

    /// `struct sockaddr_in` or `sockaddr_in6`: family, port in network order, address.
    private static OriginalDst parse(ByteBuffer raw) {
        var bytes = new byte[raw.remaining()];
        raw.duplicate().get(bytes);
        var port = ((bytes[2] & 0xff) << 8) | (bytes[3] & 0xff);
        var ip = bytes.length == 16 ? Arrays.copyOfRange(bytes, 4, 8) : Arrays.copyOfRange(bytes, 8, 24);
        return new OriginalDst(new InetSocketAddress(Addresses.ofBytes(ip), port));
    }

    @Override
    public void close() {
        close(namespace);
    }

    /// A descriptor is gone whatever close(2) says; it is only said aloud.
    static void close(NetworkNamespace namespace) {
        try {
            namespace.close();
        } catch (IOException e) {
            LOG.warn("closing a pod's network namespace: {}", e.getMessage());
        }
    }
}
