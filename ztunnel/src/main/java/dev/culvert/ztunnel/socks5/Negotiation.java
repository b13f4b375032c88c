package dev.culvert.ztunnel.socks5;

import dev.culvert.hbone.failure.FailureReason;
import dev.culvert.hbone.failure.ProxyException;
import dev.culvert.mesh.model.workload.Addresses;
import dev.culvert.ztunnel.dns.PodDns;
import dev.culvert.ztunnel.inpod.Pod;
import dev.culvert.ztunnel.outbound.Greeting;
import dev.culvert.ztunnel.outbound.OutboundConnection;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.DuplexChannel;
import io.netty.handler.codec.socksx.v5.Socks5AddressType;
import io.netty.handler.codec.socksx.v5.Socks5AuthMethod;
import io.netty.handler.codec.socksx.v5.Socks5CommandRequest;
import io.netty.handler.codec.socksx.v5.Socks5CommandRequestDecoder;
import io.netty.handler.codec.socksx.v5.Socks5CommandStatus;
import io.netty.handler.codec.socksx.v5.Socks5CommandType;
import io.netty.handler.codec.socksx.v5.Socks5InitialRequest;
import io.netty.util.concurrent.ScheduledFuture;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayDeque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// One SOCKS5 connection until it says where it wants to go: then it is an outbound connection like others, and its
/// reply tells how that went. Confined to its loop.
final class Negotiation extends ChannelInboundHandlerAdapter implements Greeting {
    private static final long TIMEOUT_SECONDS = 5;

    private final Pod pod;
    private final @Nullable PodDns names;
    private final Socks5Metrics metrics;
    private final DuplexChannel channel;
    private final Runnable ended;
    private final ArrayDeque<ByteBuf> early = new ArrayDeque<>(0);
    private @Nullable ScheduledFuture<?> timeout;
    private boolean over;

    /// @param ended called once, when nothing more is negotiated
    Negotiation(Pod pod, @Nullable PodDns names, Socks5Metrics metrics, DuplexChannel channel, Runnable ended) {
        this.pod = pod;
        this.names = names;
        this.metrics = metrics;
        this.channel = channel;
        this.ended = ended;
    }

    @Override
    public void channelActive(ChannelHandlerContext context) {
        timeout = context.executor().schedule(() -> refuse("timeout"), TIMEOUT_SECONDS, TimeUnit.SECONDS);
        context.read();
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        switch (message) {
            case Socks5InitialRequest hello -> greet(context, hello);
            case Socks5CommandRequest request -> request(context, request);
            case ByteBuf data -> keep(data);
            default -> throw new IllegalStateException("unexpected " + message.getClass());
        }
    }

    /// What a hasty application sends before it has its answer; one read at most.
    private void keep(ByteBuf data) {
        if (over) {
            data.release();
        } else {
            early.add(data);
        }
    }

    private void greet(ChannelHandlerContext context, Socks5InitialRequest hello) {
        if (hello.decoderResult().isFailure()) {
            refuse("version");
        } else if (!hello.authMethods().contains(Socks5AuthMethod.NO_AUTH)) {
            channel.writeAndFlush(Unpooled.wrappedBuffer(new byte[] {5, (byte) 0xff}));
            refuse("method");
        } else {
            context.pipeline().replace("socks", "socks", new Socks5CommandRequestDecoder());
            channel.writeAndFlush(Unpooled.wrappedBuffer(new byte[] {5, 0}));
            context.read();
        }
    }

    private void request(ChannelHandlerContext context, Socks5CommandRequest request) {
        if (request.decoderResult().isFailure()) {
            reply(Socks5CommandStatus.ADDRESS_UNSUPPORTED);
        } else if (!request.type().equals(Socks5CommandType.CONNECT)) {
            reply(Socks5CommandStatus.COMMAND_UNSUPPORTED);
        } else if (request.dstPort() < 1) {
            reply(Socks5CommandStatus.FAILURE);
        } else if (!request.dstAddrType().equals(Socks5AddressType.DOMAIN)) {
            var address = Addresses.parse(request.dstAddr());
            address.ifPresentOrElse(
                    ip -> connect(context, ip, request.dstPort()),
                    () -> reply(Socks5CommandStatus.ADDRESS_UNSUPPORTED));
        } else if (names == null) {
            reply(Socks5CommandStatus.ADDRESS_UNSUPPORTED);
        } else {
            stopTimeout(); // names have bounds of their own
            resolve(names, request.dstAddr()).thenAccept(found -> {
                if (found.isEmpty()) {
                    reply(Socks5CommandStatus.HOST_UNREACHABLE);
                } else {
                    connect(context, found.getFirst(), request.dstPort());
                }
            });
        }
    }

    /// Names are for the DNS proxy; a final dot says only that it is whole. Some put addresses there.
    private CompletableFuture<List<InetAddress>> resolve(PodDns by, String name) {
        var literal = Addresses.parse(name);
        var whole = name.endsWith(".") ? name.substring(0, name.length() - 1) : name;
        return literal.isPresent()
                ? CompletableFuture.completedFuture(List.of(literal.get()))
                : by.addresses(whole, channel.eventLoop());
    }

    private void connect(ChannelHandlerContext context, InetAddress ip, int port) {
        if (over || !channel.isActive()) {
            return;
        }
        var dst = Addresses.canonical(new InetSocketAddress(ip, port));
        var connection = new OutboundConnection(pod, channel, dst, this);
        end();
        context.pipeline().remove("socks");
        while (!early.isEmpty()) {
            context.fireChannelRead(early.remove());
        }
        context.pipeline().remove(this);
        connection.serve();
    }

    // ---- what the application is told ----

    @Override
    public CompletableFuture<@Nullable Void> opened() {
        var told = new CompletableFuture<@Nullable Void>();
        write(Socks5CommandStatus.SUCCESS).addListener((ChannelFuture done) -> {
            if (done.isSuccess()) {
                told.complete(null);
            } else {
                told.completeExceptionally(
                        ProxyException.of(FailureReason.DOWNSTREAM_RESET, "the application has gone"));
            }
        });
        return told;
    }

    @Override
    public void failed(ProxyException why) {
        var status = status(why.reason());
        metrics.refused(Integer.toString(status.byteValue()));
        write(status);
    }

    /// RFC 1928 §6.
    private static Socks5CommandStatus status(FailureReason reason) {
        return switch (reason) {
            case POLICY_DENIED, POLICY_CHANGED, CERT_REVOKED, LOOP, PEER_NOT_TRUSTED -> Socks5CommandStatus.FORBIDDEN;
            case UPSTREAM_CONNECT, UPSTREAM_REFUSED -> Socks5CommandStatus.CONNECTION_REFUSED;
            case NO_HEALTHY_UPSTREAM, UPSTREAM_TIMEOUT, UPSTREAM_UNAVAILABLE -> Socks5CommandStatus.HOST_UNREACHABLE;
            case BAD_REQUEST,
                    IP_MISMATCH,
                    DOWNSTREAM_TLS,
                    DOWNSTREAM_RESET,
                    UNKNOWN_WORKLOAD,
                    NO_CERTIFICATE,
                    UNSUPPORTED,
                    UPSTREAM_TLS,
                    UPSTREAM_STATUS,
                    UPSTREAM_H2,
                    UPSTREAM_RESET,
                    DRAINED,
                    LIMIT,
                    BUG -> Socks5CommandStatus.FAILURE;
        };
    }

    private ChannelFuture write(Socks5CommandStatus status) {
        var reply = new byte[] {5, status.byteValue(), 0, 1, 0, 0, 0, 0, 0, 0};
        return channel.writeAndFlush(Unpooled.wrappedBuffer(reply));
    }

    private void reply(Socks5CommandStatus status) {
        if (!over) {
            write(status);
            refuse(Integer.toString(status.byteValue()));
        }
    }

    /// Closes behind what was written last.
    private void refuse(String why) {
        if (!over) {
            end();
            metrics.refused(why);
            channel.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(ChannelFutureListener.CLOSE);
        }
    }

    private void stopTimeout() {
        if (timeout != null) {
            timeout.cancel(false);
        }
    }

    private void end() {
        over = true;
        stopTimeout();
        ended.run();
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        if (!over) {
            end();
        }
        early.forEach(ByteBuf::release);
        early.clear();
        context.fireChannelInactive();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        refuse("version");
    }
}
