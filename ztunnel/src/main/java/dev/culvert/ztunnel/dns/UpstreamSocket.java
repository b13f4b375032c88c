package dev.culvert.ztunnel.dns;

import dev.culvert.ztunnel.dns.message.Query;
import dev.culvert.ztunnel.dns.message.Reply;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.socket.DatagramPacket;
import io.netty.handler.codec.LengthFieldBasedFrameDecoder;
import java.net.InetSocketAddress;
import java.net.PortUnreachableException;

/// One socket to one name server, with one question. Confined to its loop.
final class UpstreamSocket {
    /// Messages that are no answer to our question, before the server counts as broken.
    private static final int MAX_IGNORED = 16;

    private final Forward forward;
    private final Query query;
    private final InetSocketAddress server;
    private final int id;
    private int ignored;
    private boolean over;

    UpstreamSocket(Forward forward, Query query, InetSocketAddress server, int id) {
        this.forward = forward;
        this.query = query;
        this.server = server;
        this.id = id;
    }

    InetSocketAddress server() {
        return server;
    }

    ChannelHandler overUdp() {
        return new SimpleChannelInboundHandler<DatagramPacket>() {
            @Override
            protected void channelRead0(ChannelHandlerContext context, DatagramPacket packet) {
                received(context.channel(), ByteBufUtil.getBytes(packet.content()), MAX_IGNORED);
            }

            @Override
            public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
                context.close();
                broken(cause);
            }
        };
    }

    ChannelHandler overTcp() {
        return new ChannelInitializer<>() {
            @Override
            protected void initChannel(Channel channel) {
                channel.pipeline()
                        .addLast(new LengthFieldBasedFrameDecoder(2 + 65_535, 0, 2, 0, 2))
                        .addLast(new TcpEvents());
            }
        };
    }

    private final class TcpEvents extends SimpleChannelInboundHandler<ByteBuf> {
        @Override
        protected void channelRead0(ChannelHandlerContext context, ByteBuf message) {
            received(context.channel(), ByteBufUtil.getBytes(message), 0);
        }

        @Override
        public void channelInactive(ChannelHandlerContext context) {
            broken(new PortUnreachableException("closed without an answer"));
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            context.close();
            broken(cause);
        }
    }

    void send(Channel channel) {
        var message = Unpooled.wrappedBuffer(query.bytes(id));
        var framed = channel instanceof io.netty.channel.socket.DatagramChannel
                ? message
                : Unpooled.wrappedBuffer(Unpooled.copyShort(message.readableBytes()), message);
        channel.config().setAutoRead(true);
        channel.writeAndFlush(framed).addListener(done -> {
            if (!done.isSuccess()) {
                channel.close();
                broken(done.cause());
            }
        });
    }

    /// @param mayIgnore how many messages may be somebody else's; on a stream none can be
    private void received(Channel channel, byte[] bytes, int mayIgnore) {
        if (over) {
            return;
        }
        var reply = Reply.to(query, id, bytes);
        if (reply.isPresent()) {
            over = true;
            channel.close();
            forward.answered(server, reply.get());
            return;
        }
        forward.ignored();
        if (++ignored > mayIgnore) {
            channel.close();
            broken(new PortUnreachableException("answers another question"));
        }
    }

    void broken(Throwable cause) {
        if (!over) {
            over = true;
            forward.failed(
                    server,
                    cause instanceof PortUnreachableException && cause.getMessage() == null
                            ? "port unreachable"
                            : String.valueOf(cause.getMessage()));
        }
    }
}
