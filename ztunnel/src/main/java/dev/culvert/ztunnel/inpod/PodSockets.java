package dev.culvert.ztunnel.inpod;

import dev.culvert.linux.netns.NetworkNamespace;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandler;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;

/// Makes the sockets of one pod, and knows what only the pod's network can tell of them. All are
/// `DuplexChannel`s. A FIN ends a connection here, as HBONE wants it; the ends of a relay ask for
/// half-closure themselves. Thread-safe.
public interface PodSockets extends AutoCloseable {
    /// What tells this pod's network from others.
    NetworkNamespace.Id namespace();

    /// Runs `body` in the pod's network namespace, on the calling platform thread.
    <T, E extends Exception> T inside(NetworkNamespace.Body<T, E> body) throws E, IOException;

    /// Binds a wildcard listener for all of the pod's addresses. TCP looks after the peers of what it accepts.
    /// @param accepted gets each accepted socket before it is registered
    ChannelFuture listen(EventLoop acceptor, EventLoopGroup workers, int port, ChannelHandler accepted);

    /// Binds a listener on one of the pod's addresses, as [#listen(EventLoop,EventLoopGroup,int,ChannelHandler)].
    ChannelFuture listen(
            EventLoop acceptor, EventLoopGroup workers, InetSocketAddress address, ChannelHandler accepted);

    /// Binds a UDP socket on one of the pod's addresses.
    ChannelFuture bindUdp(EventLoop loop, InetSocketAddress address, ChannelHandler handler);

    /// A UDP socket inside the pod that hears from one peer only.
    ChannelFuture connectUdp(EventLoop loop, InetSocketAddress to, ChannelHandler handler);

    /// Connects from inside the pod. Reading is off until someone asks.
    /// @param spoofed source address to keep, or null for the pod's own
    ChannelFuture connect(EventLoop loop, InetSocketAddress to, @Nullable InetAddress spoofed, ChannelHandler handler);

    /// Where an accepted connection wanted to go.
    OriginalDst originalDst(Channel accepted);

    @Override
    void close();
}
