package dev.culvert.ztunnel.inbound;

import dev.culvert.hbone.codec.PeerLimit;
import dev.culvert.ztunnel.inpod.Pod;
import io.netty.channel.ChannelHandler.Sharable;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntPredicate;

/// Port 15008: tunnels that come to a pod. Knows the connections that are open, for the drain.
@Sharable
public final class InboundListener extends ChannelInboundHandlerAdapter {
    public static final int PORT = 15008;

    private static final int MAX_HANDSHAKES = 1_000;

    private final Pod pod;
    private final AtomicInteger handshakes = new AtomicInteger();
    private final IntPredicate ports;
    private final Set<InboundConnection> connections = ConcurrentHashMap.newKeySet();
    private volatile boolean draining;

    public InboundListener(Pod pod) {
        this(pod, _ -> true);
    }

    /// @param ports of the pod that may be asked for
    public InboundListener(Pod pod, IntPredicate ports) {
        this.pod = pod;
        this.ports = ports;
    }

    @Override
    public void channelActive(ChannelHandlerContext context) {
        context.pipeline().remove(this);
        var connection = new InboundConnection(pod, ports, context.channel());
        connections.add(connection);
        if (draining) {
            connection.drain(); // it was accepted before the port was closed
        }
        context.channel().closeFuture().addListener(_ -> connections.remove(connection));
        if (handshakes.incrementAndGet() > MAX_HANDSHAKES) {
            connection.refuseFor(PeerLimit.HANDSHAKES);
        } else {
            connection.serve();
        }
        connection.handshakeOver().thenRun(handshakes::decrementAndGet);
    }

    /// Takes no more streams on what is open.
    public void drain() {
        draining = true;
        connections.forEach(InboundConnection::drain);
    }

    /// Ends the connections of peers whose certificates have been revoked.
    public void dropRevoked() {
        connections.forEach(InboundConnection::dropIfRevoked);
    }

    public void close() {
        connections.forEach(InboundConnection::close);
    }
}
