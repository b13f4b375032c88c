package dev.culvert.testkit.sim;

import dev.culvert.linux.netns.NetworkNamespace;
import dev.culvert.ztunnel.inpod.OriginalDst;
import dev.culvert.ztunnel.inpod.PodSockets;
import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;

/// What a ztunnel makes in a simulated pod. Thread-safe.
final class SimSockets implements PodSockets {
    private final SimNetwork network;
    private final SimPlace place;

    SimSockets(SimNetwork network, SimPlace place) {
        this.network = network;
        this.place = place;
    }

    @Override
    public NetworkNamespace.Id namespace() {
        return place.namespace();
    }

    @Override
    public <T, E extends Exception> T inside(NetworkNamespace.Body<T, E> body) {
        throw new UnsupportedOperationException("a simulated pod has no kernel to ask");
    }

    @Override
    public ChannelFuture listen(EventLoop acceptor, EventLoopGroup workers, int port, ChannelHandler accepted) {
        return listen(acceptor, workers, new InetSocketAddress(InetAddress.ofLiteral("::"), port), accepted);
    }

    @Override
    public ChannelFuture listen(
            EventLoop acceptor, EventLoopGroup workers, InetSocketAddress address, ChannelHandler accepted) {
        return new ServerBootstrap()
                .group(acceptor, workers)
                .channelFactory(() -> new SimServerChannel(network, place))
                .childOption(ChannelOption.AUTO_READ, false)
                .childHandler(accepted)
                .bind(address);
    }

    @Override
    public ChannelFuture bindUdp(EventLoop loop, InetSocketAddress address, ChannelHandler handler) {
        throw new UnsupportedOperationException("the simulated network has no UDP: use NETNS");
    }

    @Override
    public ChannelFuture connectUdp(EventLoop loop, InetSocketAddress to, ChannelHandler handler) {
        throw new UnsupportedOperationException("the simulated network has no UDP: use NETNS");
    }

    @Override
    public ChannelFuture connect(
            EventLoop loop, InetSocketAddress to, @Nullable InetAddress spoofed, ChannelHandler handler) {
        var bootstrap = new Bootstrap()
                .group(loop)
                .channelFactory(() -> new SimChannel(network, place))
                .option(ChannelOption.AUTO_READ, false)
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, 10_000)
                .handler(handler);
        return spoofed == null || spoofed.equals(to.getAddress())
                ? bootstrap.connect(to)
                : bootstrap.connect(to, new InetSocketAddress(spoofed, 0));
    }

    @Override
    public OriginalDst originalDst(Channel accepted) {
        return new OriginalDst(((SimChannel) accepted).dialled());
    }

    @Override
    public void close() {}
}
