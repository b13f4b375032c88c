package dev.culvert.proxy.socket;

import static java.lang.invoke.MethodType.methodType;

import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler.Sharable;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;

/// Keeps a socket whose peer has sent its FIN in epoll, as the first handler of a pipeline or by [#keep]. With half
/// closure Netty (4.2.14 to 4.2.20) waits for nothing more then, takes the socket out of epoll and still believes it to
/// be there: the first write that has to wait fails with ENOENT and the connection is cut, and so does each close, by
/// an exception that nobody sees. A socket that waits for an edge of nothing stays in, and wakes nobody.
@Sharable
public final class HalfClosed extends ChannelInboundHandlerAdapter {
    public static final HalfClosed INSTANCE = new HalfClosed();

    private static final int EPOLLET = 1 << 31; // sys/epoll.h
    private static final MethodHandle SET_FLAG = setFlag();

    private HalfClosed() {}

    private static MethodHandle setFlag() {
        try {
            var owner = Class.forName("io.netty.channel.epoll.AbstractEpollChannel");
            return MethodHandles.privateLookupIn(owner, MethodHandles.lookup())
                    .findVirtual(owner, "setFlag", methodType(void.class, int.class))
                    .asType(methodType(void.class, EpollSocketChannel.class, int.class));
        } catch (ReflectiveOperationException e) {
            throw new LinkageError("Netty's epoll sockets have no setFlag(int) any more", e);
        }
    }

    /// To be called when the FIN has come, before Netty goes on, on the channel's loop. Other channels are left alone.
    public static void keep(Channel channel) {
        if (channel instanceof EpollSocketChannel socket) {
            try {
                SET_FLAG.invokeExact(socket, EPOLLET);
            } catch (RuntimeException | Error e) {
                throw e;
            } catch (Throwable e) {
                throw new IllegalStateException("keeping " + channel + " in epoll", e);
            }
        }
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext context, Object event) {
        if (event == ChannelInputShutdownEvent.INSTANCE) {
            keep(context.channel());
        }
        context.fireUserEventTriggered(event);
    }
}
