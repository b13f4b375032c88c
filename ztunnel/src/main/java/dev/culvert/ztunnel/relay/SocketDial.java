package dev.culvert.ztunnel.relay;

import dev.culvert.hbone.failure.FailureReason;
import dev.culvert.hbone.failure.ProxyException;
import dev.culvert.mesh.model.workload.Addresses;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.EventLoop;
import io.netty.channel.socket.DuplexChannel;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/// Opens a plain TCP connection as the end of a relay.
public final class SocketDial {
    /// Makes a socket where it belongs and connects it.
    public interface Connector {
        ChannelFuture connect(
                EventLoop loop, InetSocketAddress to, @Nullable InetAddress source, ChannelHandler handler);
    }

    private SocketDial() {}

    /// Completes on `loop`; fails with UPSTREAM_CONNECT.
    /// @param source address to show the application, or null for the pod's own
    public static CompletableFuture<SocketEnd> connect(
            Connector connector, EventLoop loop, InetSocketAddress to, @Nullable InetAddress source) {
        var result = new CompletableFuture<SocketEnd>();
        var install = new Install();
        connector.connect(loop, to, source, install).addListener((ChannelFuture done) -> {
            if (done.isSuccess() && install.end != null) {
                result.complete(install.end);
            } else {
                done.channel().close();
                result.completeExceptionally(ProxyException.of(
                        FailureReason.UPSTREAM_CONNECT,
                        "connection failed: " + Addresses.text(to) + ": " + message(done.cause())));
            }
        });
        return result;
    }

    private static String message(@Nullable Throwable cause) {
        return cause == null ? "closed" : String.valueOf(cause.getMessage());
    }

    private static final class Install extends ChannelInboundHandlerAdapter {
        private @Nullable SocketEnd end;

        @Override
        public void handlerAdded(ChannelHandlerContext context) {
            end = SocketEnd.install((DuplexChannel) context.channel());
            context.pipeline().remove(this);
        }
    }
}
