package dev.culvert.ztunnel.socks5;

import dev.culvert.ztunnel.dns.PodDns;
import dev.culvert.ztunnel.inpod.Pod;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler.Sharable;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.socket.DuplexChannel;
import io.netty.handler.codec.socksx.v5.Socks5InitialRequestDecoder;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/// Port 15080 on the loopback of a pod (`UNSTABLE_ENABLE_SOCKS5`): SOCKS5 without authentication, CONNECT only
/// (RFC 1928). What is asked for goes the way of captured connections.
@Sharable
public final class Socks5Listener extends ChannelInitializer<Channel> {
    public static final InetSocketAddress ADDRESS = new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 15080);

    /// Connections of a pod that have not said yet where they want to go.
    private static final int MAX_NEGOTIATING = 256;

    private final Pod pod;
    private final @Nullable PodDns names;
    private final Socks5Metrics metrics;
    private final AtomicInteger negotiating = new AtomicInteger();

    /// @param names null without a DNS proxy: only addresses are taken then
    public Socks5Listener(Pod pod, @Nullable PodDns names, Socks5Metrics metrics) {
        this.pod = pod;
        this.names = names;
        this.metrics = metrics;
    }

    @Override
    protected void initChannel(Channel channel) {
        if (negotiating.incrementAndGet() > MAX_NEGOTIATING) {
            negotiating.decrementAndGet();
            metrics.refused("limit");
            channel.close();
            return;
        }
        channel.pipeline()
                .addLast("socks", new Socks5InitialRequestDecoder())
                .addLast(new Negotiation(pod, names, metrics, (DuplexChannel) channel, negotiating::decrementAndGet));
    }
}
