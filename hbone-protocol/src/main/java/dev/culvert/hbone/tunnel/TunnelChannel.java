package dev.culvert.hbone.tunnel;

import dev.culvert.hbone.codec.ErrorCode;
import dev.culvert.hbone.codec.HboneStream;
import dev.culvert.hbone.codec.StreamFailure;
import dev.culvert.hbone.codec.StreamListener;
import io.netty.buffer.ByteBuf;
import io.netty.channel.AbstractChannel;
import io.netty.channel.Channel;
import io.netty.channel.ChannelConfig;
import io.netty.channel.ChannelMetadata;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.ChannelPromise;
import io.netty.channel.DefaultChannelConfig;
import io.netty.channel.EventLoop;
import java.net.SocketAddress;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// A tunnel as a channel, so that TLS and another HBONE connection can run inside it (double HBONE). What comes in
/// is passed on at once and its credit returned: the connection inside has windows of its own. Confined to the loop
/// of the tunnel's connection, on which it must be registered.
public final class TunnelChannel extends AbstractChannel implements StreamListener {
    /// Bytes that may wait for the peer's credit before the connection inside has to wait.
    private static final int MAX_WAITING = 64 * 1024;
    /// How long the peer may take to end its direction after we have ended ours.
    private static final int LINGER_SECONDS = 5;

    private static final ChannelMetadata METADATA = new ChannelMetadata(false);

    private final HboneStream stream;
    private final Channel carrier;
    private final ChannelConfig config = new DefaultChannelConfig(this);
    private boolean closed;

    /// Becomes the stream's listener.
    /// @param carrier the channel of the tunnel's connection
    public TunnelChannel(Tunnel tunnel, Channel carrier) {
        super(carrier);
        this.stream = tunnel.stream();
        this.carrier = carrier;
        stream.listener(this);
    }

    // ---- what the tunnel brings ----

    @Override
    public void data(HboneStream from, ByteBuf data) {
        var bytes = data.readableBytes();
        if (closed) {
            data.release();
        } else {
            pipeline().fireChannelRead(data);
            pipeline().fireChannelReadComplete();
        }
        stream.delivered(bytes);
    }

    @Override
    public void ended(HboneStream from) {
        unsafe().close(voidPromise());
    }

    @Override
    public void failed(HboneStream from, StreamFailure failure) {
        unsafe().close(voidPromise());
    }

    @Override
    public void sent(HboneStream from, int bytes) {
        if (!closed) {
            ((Unsafe) unsafe()).flushPending();
        }
    }

    // ---- what goes into the tunnel ----

    @Override
    protected void doWrite(ChannelOutboundBuffer pending) {
        while (stream.waitingBytes() < MAX_WAITING && pending.current() instanceof ByteBuf next) {
            stream.write(next.retainedSlice());
            pending.remove();
        }
    }

    @Override
    protected void doClose() {
        if (!closed) {
            closed = true;
            stream.end();
            eventLoop().schedule(() -> stream.reset(ErrorCode.CANCEL), LINGER_SECONDS, TimeUnit.SECONDS);
        }
    }

    // ---- the rest of a channel ----

    @Override
    protected void doRegister(ChannelPromise promise) {
        promise.setSuccess();
    }

    @Override
    protected boolean isCompatible(EventLoop loop) {
        return carrier.eventLoop().equals(loop);
    }

    @Override
    public boolean isOpen() {
        return !closed;
    }

    @Override
    public boolean isActive() {
        return !closed && !stream.isDead();
    }

    @Override
    protected void doBeginRead() {}

    @Override
    protected void doBind(SocketAddress local) {
        throw new UnsupportedOperationException("a tunnel is not bound");
    }

    @Override
    protected void doDisconnect() {
        doClose();
    }

    @Override
    public ChannelMetadata metadata() {
        return METADATA;
    }

    @Override
    public ChannelConfig config() {
        return config;
    }

    @Override
    protected @Nullable SocketAddress localAddress0() {
        return carrier.localAddress();
    }

    @Override
    protected @Nullable SocketAddress remoteAddress0() {
        return carrier.remoteAddress();
    }

    @Override
    protected AbstractUnsafe newUnsafe() {
        return new Unsafe();
    }

    private final class Unsafe extends AbstractUnsafe {
        void flushPending() {
            flush0();
        }

        @Override
        public void connect(SocketAddress to, @Nullable SocketAddress local, ChannelPromise promise) {
            promise.setFailure(new UnsupportedOperationException("a tunnel is connected already"));
        }
    }
}
