package dev.culvert.testkit.sim;

import io.netty.buffer.ByteBuf;
import io.netty.channel.AbstractChannel;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelMetadata;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.ChannelPromise;
import io.netty.channel.ConnectTimeoutException;
import io.netty.channel.EventLoop;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.DuplexChannel;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.NotYetConnectedException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/// A simulated socket as a channel that behaves as Netty's on epoll does: a FIN or RST is told even while
/// nobody reads, after all that came before it. Confined to its loop.
final class SimChannel extends AbstractChannel implements DuplexChannel {
    private static final ChannelMetadata METADATA = new ChannelMetadata(false, 16);

    private final SimNetwork network;
    private final SimPlace place;
    private final SimChannelConfig config = new SimChannelConfig(this);
    private final AtomicBoolean readyScheduled = new AtomicBoolean();
    private @Nullable SimSocket socket;
    private @Nullable SimDial dial;
    private boolean readWanted;
    private boolean inputShutdown;
    private boolean closed;

    /// Not connected yet.
    SimChannel(SimNetwork network, SimPlace place) {
        super(null);
        this.network = network;
        this.place = place;
    }

    /// Accepted.
    SimChannel(SimNetwork network, SimPlace place, Channel parent, SimSocket socket) {
        super(parent);
        this.network = network;
        this.place = place;
        this.socket = socket;
    }

    /// Where the connection wanted to go before it was redirected.
    InetSocketAddress dialled() {
        return connected().ends().dialled();
    }

    private SimSocket connected() {
        if (socket == null) {
            throw new NotYetConnectedException();
        }
        return socket;
    }

    @Override
    protected void doRegister(ChannelPromise promise) {
        promise.setSuccess();
        if (socket != null) {
            socket.onChange(this::readySoon);
        }
    }

    /// From any thread.
    private void readySoon() {
        if (readyScheduled.compareAndSet(false, true)) {
            try {
                eventLoop().execute(() -> {
                    readyScheduled.set(false);
                    ready();
                });
            } catch (RejectedExecutionException _) {
                // The loop has ended, and its channels with it.
            }
        }
    }

    private void ready() {
        if (socket == null || closed) {
            return;
        }
        ((Unsafe) unsafe()).flushPending();
        if (isOpen() && mayRead(socket)) {
            readAvailable(socket);
        }
    }

    private boolean mayRead(SimSocket from) {
        if (inputShutdown) {
            return from.isReset();
        }
        return readWanted ? from.isReadable() : from.hasEnded();
    }

    private void readAvailable(SimSocket from) {
        var handle = unsafe().recvBufAllocHandle();
        handle.reset(config);
        readWanted = false;
        var ended = false;
        @Nullable IOException failure = null;
        do {
            ByteBuf buffer = handle.allocate(alloc());
            try {
                handle.attemptedBytesRead(buffer.writableBytes());
                var n = read(from, buffer);
                handle.lastBytesRead(n);
                ended = n < 0;
            } catch (IOException e) {
                handle.lastBytesRead(-1);
                failure = e;
            }
            if (handle.lastBytesRead() <= 0) {
                buffer.release();
                break;
            }
            handle.incMessagesRead(1);
            pipeline().fireChannelRead(buffer);
        } while (handle.continueReading() && isOpen());
        handle.readComplete();
        pipeline().fireChannelReadComplete();
        finishRead(from, ended, failure);
    }

    private static int read(SimSocket from, ByteBuf buffer) throws IOException {
        var into = buffer.internalNioBuffer(buffer.writerIndex(), buffer.writableBytes());
        var total = 0;
        while (into.hasRemaining()) {
            var n = total == 0 ? from.read(into) : from.isReadable() && !from.hasEnded() ? from.read(into) : 0;
            if (n <= 0) {
                total = total == 0 ? n : total;
                break;
            }
            total += n;
        }
        buffer.writerIndex(buffer.writerIndex() + Math.max(0, total));
        return total;
    }

    private void finishRead(SimSocket from, boolean ended, @Nullable IOException failure) {
        if (failure != null) {
            pipeline().fireExceptionCaught(failure);
            unsafe().close(voidPromise());
        } else if (ended) {
            inputShutdown = true;
            if (config.isAllowHalfClosure()) {
                pipeline().fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE);
            } else {
                unsafe().close(voidPromise());
            }
        } else if (from.hasEnded() || (readWanted && from.isReadable())) {
            readySoon();
        }
    }

    @Override
    protected void doBeginRead() {
        readWanted = true;
        if (socket != null && !inputShutdown && socket.isReadable()) {
            readySoon();
        }
    }

    @Override
    protected void doWrite(ChannelOutboundBuffer pending) throws Exception {
        var to = connected();
        for (var next = pending.current(); next != null; next = pending.current()) {
            var buffer = (ByteBuf) next;
            while (buffer.isReadable()) {
                var n = to.write(buffer.nioBuffer());
                if (n == 0) {
                    return; // the socket says when there is room again
                }
                buffer.skipBytes(n);
                pending.progress(n);
            }
            pending.remove();
        }
    }

    // ---- the ends ----

    @Override
    protected void doBind(SocketAddress local) {
        throw new UnsupportedOperationException("only a server is bound");
    }

    @Override
    protected void doDisconnect() {
        doClose();
    }

    @Override
    protected void doClose() {
        closed = true;
        if (dial != null) {
            dial.cancel();
        }
        if (socket != null) {
            socket.onChange(null);
            if (config.isAbortive()) {
                socket.reset();
            } else {
                socket.close();
            }
        }
    }

    @Override
    public boolean isOpen() {
        return !closed;
    }

    @Override
    public boolean isActive() {
        return !closed && socket != null;
    }

    @Override
    public boolean isInputShutdown() {
        return inputShutdown || closed;
    }

    @Override
    public boolean isOutputShutdown() {
        return closed || (socket != null && socket.isOutputShutdown());
    }

    @Override
    public boolean isShutdown() {
        return isInputShutdown() && isOutputShutdown();
    }

    @Override
    public ChannelFuture shutdownOutput() {
        return shutdownOutput(newPromise());
    }

    @Override
    public ChannelFuture shutdownOutput(ChannelPromise promise) {
        connected().shutdownOutput();
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
    public SimChannelConfig config() {
        return config;
    }

    @Override
    protected boolean isCompatible(EventLoop loop) {
        return true;
    }

    @Override
    protected @Nullable SocketAddress localAddress0() {
        return socket == null ? null : socket.ends().local();
    }

    @Override
    protected @Nullable SocketAddress remoteAddress0() {
        return socket == null ? null : socket.ends().remote();
    }

    @Override
    protected AbstractUnsafe newUnsafe() {
        return new Unsafe();
    }

    private final class Unsafe extends AbstractUnsafe {
        /// Room may be there again.
        void flushPending() {
            flush0();
        }

        @Override
        public void connect(SocketAddress to, @Nullable SocketAddress local, ChannelPromise promise) {
            if (!promise.setUncancellable() || !ensureOpen(promise)) {
                return;
            }
            var source = local == null ? null : ((InetSocketAddress) local).getAddress();
            var attempt = place.dial((InetSocketAddress) to, source, true);
            dial = attempt;
            var timeout = eventLoop()
                    .schedule(
                            () -> {
                                if (promise.tryFailure(new ConnectTimeoutException("connection timed out: " + to))) {
                                    close(voidPromise());
                                }
                            },
                            config.getConnectTimeoutMillis(),
                            TimeUnit.MILLISECONDS);
            network.locked(() -> attempt.start())
                    .whenComplete((made, failure) -> eventLoop().execute(() -> {
                        timeout.cancel(false);
                        connected(made, failure, promise);
                    }));
        }

        private void connected(@Nullable SimSocket made, @Nullable Throwable failure, ChannelPromise promise) {
            if (made == null) {
                promise.tryFailure(failure == null ? new ClosedChannelException() : failure);
                close(voidPromise());
            } else if (closed) {
                made.reset();
            } else {
                socket = made;
                made.onChange(SimChannel.this::readySoon);
                promise.trySuccess();
                pipeline().fireChannelActive();
            }
        }
    }
}
