package dev.culvert.ztunnel.outbound;

import dev.culvert.ztunnel.inpod.Pod;
import io.netty.channel.ChannelHandler.Sharable;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.DuplexChannel;

/// Port 15001: what a pod's applications open.
@Sharable
public final class OutboundListener extends ChannelInboundHandlerAdapter {
    public static final int PORT = 15001;

    private final Pod pod;

    public OutboundListener(Pod pod) {
        this.pod = pod;
    }

    @Override
    public void channelActive(ChannelHandlerContext context) {
        context.pipeline().remove(this);
        var accepted = (DuplexChannel) context.channel();
        var dst = pod.sockets().originalDst(accepted).addr();
        new OutboundConnection(pod, accepted, dst, Greeting.NONE).serve();
    }
}
