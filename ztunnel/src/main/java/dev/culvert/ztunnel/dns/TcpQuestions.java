package dev.culvert.ztunnel.dns;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler.Sharable;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.LengthFieldBasedFrameDecoder;
import io.netty.util.concurrent.ScheduledFuture;
import java.util.ArrayDeque;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/// A pod's connections with questions by TCP: one question at a time each, the next is read when the answer has been
/// taken (RFC 7766 lets the asker send them at once).
@Sharable
final class TcpQuestions extends ChannelInitializer<Channel> {
    private static final long IDLE_SECONDS = 5;

    private final PodDns dns;
    private final AtomicInteger open = new AtomicInteger();

    TcpQuestions(PodDns dns) {
        this.dns = dns;
    }

    @Override
    protected void initChannel(Channel channel) {
        if (open.incrementAndGet() > dns.shared().settings().limits().connectionsOfPod()) {
            dns.shared().metrics().limited("connections");
            channel.closeFuture().addListener(_ -> open.decrementAndGet());
            channel.close();
            return;
        }
        channel.closeFuture().addListener(_ -> open.decrementAndGet());
        channel.pipeline()
                .addLast(new LengthFieldBasedFrameDecoder(2 + 65_535, 0, 2, 0, 2))
                .addLast(new Conversation());
    }

    /// One connection. Confined to its loop. What one read brought waits here; more is read when all of it is answered.
    private final class Conversation extends SimpleChannelInboundHandler<ByteBuf> {
        private final ArrayDeque<byte[]> questions = new ArrayDeque<>(1);
        private boolean answering;
        private @Nullable ScheduledFuture<?> idle;

        @Override
        public void channelActive(ChannelHandlerContext context) {
            next(context);
        }

        private void next(ChannelHandlerContext context) {
            var question = questions.poll();
            answering = question != null;
            if (question == null) {
                restartIdle(context);
                context.read();
                return;
            }
            stopIdle();
            dns.respond(question, Transport.TCP, context.channel().eventLoop())
                    .thenAccept(
                            answer -> answer.ifPresentOrElse(bytes -> answer(context, bytes), () -> context.close()));
        }

        private void restartIdle(ChannelHandlerContext context) {
            stopIdle();
            idle = context.executor().schedule(() -> context.close(), IDLE_SECONDS, TimeUnit.SECONDS);
        }

        private void stopIdle() {
            if (idle != null) {
                idle.cancel(false);
                idle = null;
            }
        }

        @Override
        protected void channelRead0(ChannelHandlerContext context, ByteBuf message) {
            questions.add(ByteBufUtil.getBytes(message));
            if (!answering) {
                next(context);
            }
        }

        private void answer(ChannelHandlerContext context, byte[] bytes) {
            if (!context.channel().isActive()) {
                return;
            }
            restartIdle(context);
            context.writeAndFlush(
                            Unpooled.wrappedBuffer(Unpooled.copyShort(bytes.length), Unpooled.wrappedBuffer(bytes)))
                    .addListener(done -> {
                        if (done.isSuccess()) {
                            next(context);
                        } else {
                            context.close();
                        }
                    });
        }

        @Override
        public void channelInactive(ChannelHandlerContext context) {
            stopIdle();
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            context.close();
        }
    }
}
