package dev.culvert.ztunnel.passthrough;

import dev.culvert.ztunnel.inpod.Pod;
import io.netty.channel.ChannelHandler.Sharable;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.DuplexChannel;

/// Port 15006: plaintext that comes to a pod.
@Sharable
public final class PassthroughListener extends ChannelInboundHandlerAdapter {
    public static final int PORT = 15006;

    private final Pod pod;

    public PassthroughListener(Pod pod) {
        this.pod = pod;
    }

    @Override
    public void channelActive(ChannelHandlerContext context) {
        context.pipeline().remove(this);
        var accepted = (DuplexChannel) context.channel();
        new PassthroughConnection(pod, accepted).serve();
    }
}
