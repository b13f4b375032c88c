package dev.culvert.waypoint.tunnel;

import dev.culvert.hbone.codec.DiscardingListener;
import dev.culvert.hbone.codec.ErrorCode;
import dev.culvert.hbone.codec.HboneStream;
import dev.culvert.hbone.codec.StreamFailure;
import dev.culvert.hbone.codec.StreamListener;
import io.netty.buffer.ByteBuf;
import io.netty.channel.AbstractChannel;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelMetadata;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.ChannelPromise;
import io.netty.channel.EventLoop;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.DuplexChannel;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.ArrayDeque;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// One HBONE stream, after its 200, as a channel of bytes, so that Netty's codecs run on it. A FIN of the
/// peer is told as [ChannelInputShutdownEvent]; a close sends what was written and a FIN, with linger 0 a
/// reset. Bytes that were read count as delivered once the pipeline has them; the pipeline asks for more
/// when it has room. Confined to its loop.
public final class TunnelChannel extends AbstractChannel implements DuplexChannel {
    private static final ChannelMetadata METADATA = new ChannelMetadata(false, 16);
    /// Bytes handed to the pipeline for one read.
    private static final int READ_BYTES = 32 * 1024;
    /// Bytes that wait in the stream for credit before the channel holds the rest.
    private static final int STREAM_BYTES = 64 * 1024;
    /// How long a peer may go on sending into a tunnel that is closed.
    private static final long CLOSING_SECONDS = 5;

    private final HboneStream stream;
    private final InetSocketAddress local;
    private final InetSocketAddress remote;
    private final TunnelConfig config = new TunnelConfig(this);
    private final ArrayDeque<ByteBuf> received = new ArrayDeque<>();

    private boolean readWanted;
    private boolean reading;
    private boolean peerEnded;
    private boolean inputShutdown;
    private boolean outputEnding;
    private boolean outputShutdown;
    private boolean closed;

    /// Becomes the stream's listener.
    /// @param listener what accepted the connection: Netty's codec of HTTP/2 is a server then; null: we opened it
    /// @param local our end of the connection that carries it
    public TunnelChannel(
            @Nullable Channel listener, HboneStream stream, InetSocketAddress local, InetSocketAddress remote) {
        super(listener);
        this.stream = stream;
        this.local = local;
        this.remote = remote;
        stream.listener(new Events());
    }

    private final class Events implements StreamListener {
        @Override
        public void data(HboneStream from, ByteBuf data) {
            if (closed) {
                DiscardingListener.INSTANCE.data(from, data);
            } else {
                received.add(data);
                deliver();
            }
        }

        @Override
        public void ended(HboneStream from) {
            peerEnded = true;
            deliver();
        }

        @Override
        public void failed(HboneStream from, StreamFailure failure) {
            if (failure.isBenign()) {
                peerEnded = true;
                outputShutdown = true;
                deliver();
            } else if (!closed) {
                pipeline().fireExceptionCaught(new IOException("the tunnel broke: " + failure));
                unsafe().close(voidPromise());
            }
        }

        @Override
        public void sent(HboneStream from, int bytes) {
            if (!closed && from.waitingBytes() < STREAM_BYTES / 2) {
                ((Unsafe) unsafe()).flushPending();
            }
        }
    }

    /// Hands on what was asked for, and the end behind it.
    private void deliver() {
        if (reading || closed || !isRegistered()) {
            return;
        }
        reading = true;
        try {
            while (readWanted && !received.isEmpty() && !closed) {
                readWanted = false;
                deliverSome();
            }
        } finally {
            reading = false;
        }
        if (peerEnded && !inputShutdown && received.isEmpty() && !closed) {
            inputShutdown = true;
            pipeline().fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE);
        }
    }

    private void deliverSome() {
        var bytes = 0;
        while (bytes < READ_BYTES && !received.isEmpty() && !closed) {
            var next = received.remove();
            var size = next.readableBytes();
            bytes += size;
            pipeline().fireChannelRead(next);
            stream.delivered(size);
        }
        pipeline().fireChannelReadComplete();
    }

    @Override
    protected void doBeginRead() {
        readWanted = true;
        if (!reading) {
            deliver();
        }
    }

    @Override
    protected void doWrite(ChannelOutboundBuffer pending) {
        while (stream.waitingBytes() < STREAM_BYTES) {
            if (!(pending.current() instanceof ByteBuf next)) {
                break;
            }
            // A slice begins at 0: the room in front of it belongs to others.
            stream.write(next.retainedSlice());
            pending.remove();
        }
        if (outputEnding && pending.isEmpty()) {
            endOutput();
        }
    }

    private void endOutput() {
        if (!outputShutdown) {
            outputShutdown = true;
            stream.end();
        }
    }

    @Override
    protected void doClose() {
        closed = true;
        while (!received.isEmpty()) {
            var left = received.remove();
            stream.delivered(left.readableBytes());
            left.release();
        }
        if (config.isAbortive()) {
            stream.reset(ErrorCode.CONNECT_ERROR);
            return;
        }
        endOutput();
        if (!peerEnded && !stream.isDead()) {
            stream.listener(DiscardingListener.INSTANCE);
            eventLoop().schedule(() -> stream.reset(ErrorCode.NO_ERROR), CLOSING_SECONDS, TimeUnit.SECONDS);
        }
    }

    // ---- what a channel has to have ----

    @Override
    protected void doRegister(ChannelPromise promise) {
        promise.setSuccess();
    }

    @Override
    protected void doBind(SocketAddress address) {
        throw new UnsupportedOperationException("a tunnel is not bound");
    }

    @Override
    protected void doDisconnect() {
        doClose();
    }

    @Override
    public boolean isOpen() {
        return !closed;
    }

    @Override
    public boolean isActive() {
        return !closed;
    }

    @Override
    public boolean isInputShutdown() {
        return inputShutdown || closed;
    }

    @Override
    public boolean isOutputShutdown() {
        return outputShutdown || closed;
    }

    @Override
    public boolean isShutdown() {
        return isInputShutdown() && isOutputShutdown();
    }

    @Override
    public ChannelFuture shutdownOutput() {
        return shutdownOutput(newPromise());
    }

    /// Behind all that was written.
    @Override
    public ChannelFuture shutdownOutput(ChannelPromise promise) {
        outputEnding = true;
        var pending = unsafe().outboundBuffer();
        if (pending == null || pending.isEmpty()) {
            endOutput();
        }
        return promise.setSuccess();
    }

    @Override
    public ChannelFuture shutdownInput() {
        return shutdownInput(newPromise());
    }

    @Override
    public ChannelFuture shutdownInput(ChannelPromise promise) {
        inputShutdown = true;
        return promise.setSuccess();
    }

    @Override
    public ChannelFuture shutdown() {
        return shutdown(newPromise());
    }

    @Override
    public ChannelFuture shutdown(ChannelPromise promise) {
        inputShutdown = true;
        return shutdownOutput(promise);
    }

    @Override
    public ChannelMetadata metadata() {
        return METADATA;
    }

    @Override
    public TunnelConfig config() {
        return config;
    }

    @Override
    protected boolean isCompatible(EventLoop loop) {
        return true;
    }

    @Override
    protected SocketAddress localAddress0() {
        return local;
    }

    @Override
    protected SocketAddress remoteAddress0() {
        return remote;
    }

    @Override
    protected AbstractUnsafe newUnsafe() {
        return new Unsafe();
    }

    private final class Unsafe extends AbstractUnsafe {
        /// There is room again.
        void flushPending() {
            flush0();
        }

        @Override
        public void connect(SocketAddress to, SocketAddress from, ChannelPromise promise) {
            promise.setFailure(new UnsupportedOperationException("a tunnel is connected"));
        }
    }
}
