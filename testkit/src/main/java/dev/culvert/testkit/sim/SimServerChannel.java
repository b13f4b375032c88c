package dev.culvert.testkit.sim;

import io.netty.channel.AbstractServerChannel;
import io.netty.channel.ChannelConfig;
import io.netty.channel.DefaultChannelConfig;
import io.netty.channel.EventLoop;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import org.jspecify.annotations.Nullable;

/// A listening port as a channel.
final class SimServerChannel extends AbstractServerChannel {
    private final ChannelConfig config = new DefaultChannelConfig(this);
    private final SimNetwork network;
    private final SimPlace place;
    private @Nullable InetSocketAddress bound;
    private @Nullable SimListener listener;
    private volatile boolean closed;

    SimServerChannel(SimNetwork network, SimPlace place) {
        this.network = network;
        this.place = place;
    }

    @Override
    protected void doBind(SocketAddress to) throws BindException {
        var local = (InetSocketAddress) to;
        var listening = new SimListener(local.getPort(), this::accepted);
        place.listen(listening);
        listener = listening;
        bound = local;
    }

    private void accepted(SimSocket socket) {
        eventLoop().execute(() -> {
            if (closed) {
                socket.reset();
                return;
            }
            pipeline().fireChannelRead(new SimChannel(network, place, this, socket));
            pipeline().fireChannelReadComplete();
        });
    }

    @Override
    protected void doClose() {
        closed = true;
        if (listener != null) {
            place.unlisten(listener);
        }
    }

    @Override
    protected void doBeginRead() {
        // Connections are handed over as they come.
    }

    @Override
    public boolean isOpen() {
        return !closed;
    }

    @Override
    public boolean isActive() {
        return bound != null && !closed;
    }

    @Override
    protected boolean isCompatible(EventLoop loop) {
        return true;
    }

    @Override
    protected @Nullable SocketAddress localAddress0() {
        return bound;
    }

    @Override
    public ChannelConfig config() {
        return config;
    }
}
