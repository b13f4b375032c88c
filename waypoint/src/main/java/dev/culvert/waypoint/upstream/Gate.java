package dev.culvert.waypoint.upstream;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.util.ReferenceCountUtil;
import java.util.ArrayDeque;

/// Lets one message pass for each read that is asked for, whatever a codec makes of the bytes of one read;
/// the end of the input and of the channel pass behind the messages that came before them. Confined to the
/// channel's loop.
public final class Gate extends ChannelDuplexHandler {
    private static final Object GONE = new Object();

    private final ArrayDeque<Object> queue = new ArrayDeque<>();
    private boolean wanted;
    private boolean draining;

    @Override
    public void read(ChannelHandlerContext context) {
        wanted = true;
        if (!draining) {
            drain(context);
            if (wanted && queue.isEmpty()) {
                context.read();
            }
        }
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        queue.add(message);
        drain(context);
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext context, Object event) {
        if (event instanceof ChannelInputShutdownEvent) {
            queue.add(event);
            drain(context);
        } else {
            context.fireUserEventTriggered(event);
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        queue.add(GONE);
        drain(context);
    }

    private void drain(ChannelHandlerContext context) {
        if (draining) {
            return;
        }
        draining = true;
        try {
            while (!queue.isEmpty() && !context.isRemoved()) {
                var next = queue.element();
                if (GONE.equals(next)) {
                    queue.remove();
                    context.fireChannelInactive();
                } else if (next instanceof ChannelInputShutdownEvent) {
                    queue.remove();
                    context.fireUserEventTriggered(next);
                } else if (wanted) {
                    wanted = false;
                    queue.remove();
                    context.fireChannelRead(next);
                } else {
                    return;
                }
            }
        } finally {
            draining = false;
        }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext context) {
        context.fireChannelReadComplete();
        if (wanted && queue.isEmpty() && context.channel().isOpen()) {
            context.read(); // the bytes so far were not a whole message
        }
    }

    /// Bytes are of another protocol than the codec's, and go on.
    @Override
    public void handlerRemoved(ChannelHandlerContext context) {
        while (!queue.isEmpty()) {
            var next = queue.remove();
            if (next instanceof ByteBuf && context.channel().isActive()) {
                context.fireChannelRead(next);
            } else {
                ReferenceCountUtil.release(next);
            }
        }
    }
}
