package dev.culvert.hbone.pool;

import dev.culvert.hbone.codec.LoopLimits;
import dev.culvert.hbone.codec.PeerLimit;
import dev.culvert.hbone.failure.FailureReason;
import dev.culvert.hbone.failure.ProxyException;
import dev.culvert.hbone.headers.ConnectRequest;
import dev.culvert.hbone.tls.HboneTls;
import dev.culvert.hbone.tunnel.Tunnel;
import dev.culvert.hbone.tunnel.TunnelChannel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandler;
import io.netty.channel.EventLoop;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

/// The HBONE connections of one loop, shared by the streams that may share them. A burst of streams waits for one
/// dial. Confined to its loop.
public final class TunnelPool {
    /// Opens a TCP connection on this pool's loop, with a handler to put into its pipeline.
    public interface Dialer {
        ChannelFuture dial(InetSocketAddress to, ChannelHandler handler);
    }

    private final EventLoop loop;
    private final PoolLimits limits;
    private final LoopLimits loopLimits;
    private final Map<PoolKey, List<PooledConnection>> connections = new HashMap<>();
    private int size;

    public TunnelPool(EventLoop loop, PoolLimits limits, LoopLimits loopLimits) {
        this.loop = loop;
        this.limits = limits;
        this.loopLimits = loopLimits;
    }

    /// Opens a tunnel over a connection of `key`, dialling one if none has room. Fails with a [ProxyException].
    public CompletableFuture<Tunnel> open(PoolKey key, HboneTls tls, Dialer dialer, ConnectRequest request) {
        assert loop.inEventLoop();
        var candidates = connections.computeIfAbsent(key, _ -> new ArrayList<>(1));
        for (var connection : candidates) {
            if (connection.hasRoom()) {
                return connection.open(request);
            }
        }
        if (size >= limits.maxConnections() && !evictIdle()) {
            loopLimits.reached(PeerLimit.CONNECTIONS);
            return CompletableFuture.failedFuture(
                    ProxyException.of(FailureReason.LIMIT, "the pool holds " + size + " connections already"));
        }
        var connection = new PooledConnection(key, tls, limits, loopLimits, this::remove);
        candidates = connections.computeIfAbsent(key, _ -> new ArrayList<>(1));
        candidates.add(connection);
        size++;
        connection.dial(dialer);
        return connection.open(request);
    }

    /// Opens a tunnel inside a tunnel, over a connection that carries nothing else and ends with it. Fails with a
    /// [ProxyException].
    /// @param key tells who may be at the other end
    public CompletableFuture<Tunnel> openInside(Tunnel outer, PoolKey key, HboneTls tls, ConnectRequest request) {
        assert loop.inEventLoop();
        var connection = new PooledConnection(key, tls, limits, loopLimits, _ -> {});
        connection.dial((_, handler) -> {
            var channel = new TunnelChannel(outer, outer.stream().connection().channel());
            channel.pipeline().addLast(handler);
            return loop.register(channel);
        });
        return connection.openOnly(request);
    }

    private boolean evictIdle() {
        for (var candidates : connections.values()) {
            for (var connection : candidates) {
                if (connection.isIdle()) {
                    connection.release();
                    return true;
                }
            }
        }
        return false;
    }

    private void remove(PooledConnection connection) {
        var candidates = connections.get(connection.key());
        if (candidates != null && candidates.remove(connection)) {
            size--;
            if (candidates.isEmpty()) {
                connections.remove(connection.key());
            }
        }
    }

    public int size() {
        return size;
    }

    /// Takes no more streams on what is open now; each connection ends with its last stream.
    public void drain(long netnsInode) {
        assert loop.inEventLoop();
        for (var connection : all()) {
            if (connection.key().netnsInode() == netnsInode) {
                connection.release();
            }
        }
    }

    /// Drops the connections of a pod at once.
    public void close(long netnsInode) {
        assert loop.inEventLoop();
        for (var connection : all()) {
            if (connection.key().netnsInode() == netnsInode) {
                connection.close();
            }
        }
    }

    /// Ends the connections to peers whose certificates have been revoked.
    public void dropRevoked() {
        assert loop.inEventLoop();
        all().forEach(PooledConnection::dropIfRevoked);
    }

    private List<PooledConnection> all() {
        return connections.values().stream().flatMap(List::stream).toList();
    }
}
