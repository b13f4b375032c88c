package dev.culvert.waypoint.http;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.DuplexChannel;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.function.Predicate;

/// The bytes of one tunnel, for a test's thread.
final class Bytes implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final Channel channel;
    private final ByteArrayOutputStream heard = new ByteArrayOutputStream();
    private boolean ended;
    private boolean broken;

    Bytes(Channel channel) {
        this.channel = channel;
        channel.eventLoop().execute(() -> channel.pipeline().addLast(new Ear()));
    }

    /// Takes what comes from now on.
    Bytes listen() {
        channel.eventLoop().execute(() -> {
            channel.config().setAutoRead(true);
            channel.read();
        });
        return this;
    }

    Bytes say(String text) {
        channel.writeAndFlush(Unpooled.copiedBuffer(text, StandardCharsets.ISO_8859_1));
        return this;
    }

    Bytes finish() {
        channel.eventLoop().execute(((DuplexChannel) channel)::shutdownOutput);
        return this;
    }

    /// All that was heard, once it is as wanted.
    synchronized String await(Predicate<String> wanted) throws IOException, InterruptedException {
        var deadline = System.nanoTime() + PATIENCE.toNanos();
        while (true) {
            var text = heard.toString(StandardCharsets.ISO_8859_1);
            if (wanted.test(text)) {
                return text;
            }
            if (broken || ended || System.nanoTime() > deadline) {
                throw new IOException((broken ? "broken: " : ended ? "ended: " : "late: ") + text);
            }
            wait(100);
        }
    }

    /// Until so many bytes have come.
    synchronized void awaitLength(int bytes) throws IOException, InterruptedException {
        var deadline = System.nanoTime() + PATIENCE.toNanos();
        while (heard.size() < bytes) {
            if (broken || ended || System.nanoTime() > deadline) {
                throw new IOException((broken ? "broken: " : ended ? "ended: " : "late: ") + heard.size() + " bytes");
            }
            wait(100);
        }
    }

    /// Until the other side has ended or broken it; what was heard.
    synchronized String awaitEnd() throws IOException, InterruptedException {
        var deadline = System.nanoTime() + PATIENCE.toNanos();
        while (!ended && !broken) {
            if (System.nanoTime() > deadline) {
                throw new IOException("still open: " + heard.toString(StandardCharsets.ISO_8859_1));
            }
            wait(100);
        }
        return heard.toString(StandardCharsets.ISO_8859_1);
    }

    synchronized boolean isBroken() {
        return broken;
    }

    private final class Ear extends ChannelInboundHandlerAdapter {
        /// Who refuses at once may have done so before anybody listened.
        @Override
        public void handlerAdded(ChannelHandlerContext context) {
            if (!channel.isActive() || ((DuplexChannel) channel).isInputShutdown()) {
                note(() -> ended = true);
            }
        }

        @Override
        public void channelRead(ChannelHandlerContext context, Object message) {
            var bytes = (ByteBuf) message;
            note(() -> {
                var copy = new byte[bytes.readableBytes()];
                bytes.readBytes(copy);
                heard.writeBytes(copy);
            });
            bytes.release();
        }

        @Override
        public void userEventTriggered(ChannelHandlerContext context, Object event) {
            if (event instanceof ChannelInputShutdownEvent) {
                note(() -> ended = true);
            }
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            note(() -> broken = true);
        }

        @Override
        public void channelInactive(ChannelHandlerContext context) {
            note(() -> ended = true);
        }

        private void note(Runnable change) {
            synchronized (Bytes.this) {
                change.run();
                Bytes.this.notifyAll();
            }
        }
    }

    @Override
    public void close() {
        channel.close();
    }
}
