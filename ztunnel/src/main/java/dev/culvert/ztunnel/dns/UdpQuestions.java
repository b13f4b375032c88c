package dev.culvert.ztunnel.dns;

import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.socket.DatagramPacket;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A pod's questions by UDP. Confined to the socket's loop.
final class UdpQuestions extends SimpleChannelInboundHandler<DatagramPacket> {
    private static final Logger LOG = LoggerFactory.getLogger("dns");

    private final PodDns dns;

    UdpQuestions(PodDns dns) {
        this.dns = dns;
    }

    /// An answer that finds the socket's buffer full is dropped, as the network would: the asker asks again.
    @Override
    protected void channelRead0(ChannelHandlerContext context, DatagramPacket packet) {
        var asker = packet.sender();
        var channel = context.channel();
        dns.respond(ByteBufUtil.getBytes(packet.content()), Transport.UDP, channel.eventLoop())
                .thenAccept(answer -> answer.filter(_ -> channel.isWritable())
                        .ifPresent(bytes ->
                                channel.writeAndFlush(new DatagramPacket(Unpooled.wrappedBuffer(bytes), asker))));
    }

    /// Such as an asker that has gone: nobody else is concerned.
    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        LOG.debug("UDP socket of a pod: {}", cause.toString());
    }
}
