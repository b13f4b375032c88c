package dev.culvert.ztunnel.relay;

import dev.culvert.hbone.failure.FailureReason;
import dev.culvert.hbone.failure.ProxyException;
import dev.culvert.proxy.socket.HalfClosed;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.DuplexChannel;
import io.netty.channel.unix.Socket;
import io.netty.channel.unix.UnixChannel;
import java.io.IOException;
import java.nio.channels.NotYetConnectedException;
import java.util.ArrayDeque;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A TCP connection of an application as the end of a relay. It reads only while what it read before leaves at the
/// other end, and tells the other end what it has written. Confined to its loop.
public final class SocketEnd extends RelayEnd {
    /// Bytes read here that have not left the other end, before reading pauses.
    private static final int MAX_IN_FLIGHT = 128 * 1024;

    private static final Logger LOG = LoggerFactory.getLogger("relay");
    /// So low that Netty says when the last pending byte has gone: what is written must be told, or its credit waits.
    private static final WriteBufferWaterMark WATER_MARK = new WriteBufferWaterMark(1, 2);

    private final DuplexChannel channel;
    private final Runnable flush = this::flush;
    private final ArrayDeque<ByteBuf> early = new ArrayDeque<>(0);
    private final PendingWrites pending = new PendingWrites();

    private @Nullable Relay relay;
    private @Nullable String brokenBy;
    private int inFlight;
    private boolean paused;
    private boolean inputEnded;
    private boolean outputEnding;
    private boolean finished; // our FIN is out, and the next one closes the channel
    private boolean closed;
    private boolean flushScheduled;

    private SocketEnd(DuplexChannel channel) {
        this.channel = channel;
    }

    /// Puts the end's handler into the pipeline. Nothing is read before the relay starts, but a FIN, and what came
    /// before it, may arrive and waits.
    public static SocketEnd install(DuplexChannel channel) {
        var config = channel.config();
        config.setAutoRead(false);
        config.setRecvByteBufAllocator(HeadroomAllocator.INSTANCE);
        config.setWriteBufferWaterMark(WATER_MARK);
        config.setOption(ChannelOption.ALLOW_HALF_CLOSURE, true);
        var end = new SocketEnd(channel);
        channel.pipeline().addLast("relay", end.new Events());
        return end;
    }

    public Channel channel() {
        return channel;
    }

    /// Writes something of our own in front of what the relay will bring. Completes once it is out, on the loop.
    /// @param data now owned here
    public CompletableFuture<@Nullable Void> sayFirst(ByteBuf data) {
        var result = new CompletableFuture<@Nullable Void>();
        channel.writeAndFlush(data).addListener(done -> {
            if (done.isSuccess()) {
                result.complete(null);
            } else {
                result.completeExceptionally(ProxyException.of(
                        FailureReason.UPSTREAM_RESET, "send: " + done.cause().getMessage()));
            }
        });
        return result;
    }

    /// Whether the application has gone before the relay started.
    public boolean isBroken() {
        return brokenBy != null || !channel.isActive();
    }

    @Override
    void start(Relay with) {
        relay = with;
        while (!early.isEmpty()) {
            with.moved(this, early.remove());
        }
        if (brokenBy != null) {
            with.broke(this, brokenBy, true);
        } else if (inputEnded) {
            with.ended(this);
        } else {
            channel.read();
        }
    }

    @Override
    void deliver(ByteBuf data) {
        pending.add(data.readableBytes());
        channel.write(data, channel.voidPromise());
        flushSoon();
    }

    private void flushSoon() {
        if (!flushScheduled) {
            flushScheduled = true;
            channel.eventLoop().execute(flush);
        }
    }

    private void flush() {
        flushScheduled = false;
        if (!closed) {
            pending.flushing();
            channel.flush();
            tellWritten();
        }
    }

    private void tellWritten() {
        var outbound = channel.unsafe().outboundBuffer();
        var written = pending.settle(outbound == null ? 0 : outbound.size());
        if (written > 0 && relay != null) {
            relay.left(this, written);
        }
    }

    @Override
    void deliverEnd() {
        if (outputEnding || closed) {
            return;
        }
        outputEnding = true;
        pending.flushing();
        channel.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(_ -> {
            tellWritten();
            if (!closed && !channel.isOutputShutdown()) {
                shutdownOutput();
            }
            endDelivered();
        });
    }

    /// On the socket itself, if it is one of the kernel's: Netty's way makes three exceptions with their stacks for
    /// each FIN. The application's own FIN closes the channel then: as a half-closure it would make two more.
    private void shutdownOutput() {
        if (!(channel instanceof UnixChannel socket)) {
            channel.shutdownOutput();
            return;
        }
        try {
            ((Socket) socket.fd()).shutdown(false, true);
            channel.config().setOption(ChannelOption.ALLOW_HALF_CLOSURE, false);
            finished = true;
        } catch (IOException | NotYetConnectedException gone) { // Netty's name for ENOTCONN: it was reset
            LOG.debug("FIN to {}: {}", channel, gone.toString()); // the reading side hears of it too
        }
    }

    private void endDelivered() {
        if (relay != null) {
            relay.endDelivered(this);
        }
    }

    @Override
    void left(int bytes) {
        inFlight -= bytes;
        if (paused && !inputEnded && !closed && inFlight <= MAX_IN_FLIGHT / 2) {
            paused = false;
            channel.read();
        }
    }

    /// A reset: with linger 0 the kernel drops what is unsent and sends RST.
    @Override
    public void abort() {
        if (!closed) {
            closed = true;
            releaseEarly();
            if (channel.isOpen()) {
                channel.config().setOption(ChannelOption.SO_LINGER, 0);
                channel.close();
            }
        }
    }

    /// A plain close: FIN, or RST where the application has sent what nobody read.
    @Override
    public void close() {
        if (!closed) {
            closed = true;
            releaseEarly();
            channel.close();
        }
    }

    private void releaseEarly() {
        early.forEach(ByteBuf::release);
        early.clear();
    }

    private void broke(String why, boolean reset) {
        if (closed) {
            return;
        }
        if (relay == null) {
            brokenBy = why;
            releaseEarly();
        } else {
            relay.broke(this, why, reset);
        }
    }

    private final class Events extends ChannelInboundHandlerAdapter {
        @Override
        public void channelRead(ChannelHandlerContext context, Object message) {
            var data = (ByteBuf) message;
            inFlight += data.readableBytes();
            if (closed) {
                data.release();
            } else if (relay == null) {
                early.add(data);
            } else {
                relay.moved(SocketEnd.this, data);
            }
        }

        @Override
        public void channelReadComplete(ChannelHandlerContext context) {
            if (relay == null || inputEnded || closed) {
                return;
            }
            if (inFlight < MAX_IN_FLIGHT) {
                context.read();
            } else {
                paused = true;
            }
        }

        @Override
        public void channelWritabilityChanged(ChannelHandlerContext context) {
            tellWritten();
        }

        @Override
        public void userEventTriggered(ChannelHandlerContext context, Object event) {
            if (event == ChannelInputShutdownEvent.INSTANCE && !inputEnded) {
                inputEnded = true;
                HalfClosed.keep(channel);
                if (relay != null) {
                    relay.ended(SocketEnd.this);
                }
            }
        }

        @Override
        public void channelInactive(ChannelHandlerContext context) {
            if (finished && !inputEnded && !closed && relay != null) {
                inputEnded = true;
                relay.ended(SocketEnd.this);
            } else {
                broke("connection closed", true);
            }
        }

        /// epoll reports a hang-up of a socket that is registered but not connected yet, and Netty then tries to
        /// read it: that says nothing about the connection.
        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            if (!(cause instanceof NotYetConnectedException)) {
                broke(cause.toString(), cause instanceof IOException);
            }
        }
    }
}
