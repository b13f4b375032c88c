package dev.culvert.ztunnel.relay;

import dev.culvert.hbone.codec.LoopLimits;
import dev.culvert.hbone.failure.FailureReason;
import dev.culvert.hbone.pool.PoolLimits;
import dev.culvert.hbone.pool.TunnelPool;
import io.netty.channel.EventLoop;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/// One event loop and what belongs to it: its tunnels and its live connections. Confined to the loop but for
/// [#loop].
public final class Worker {
    private final EventLoop loop;
    private final TunnelPool pool;
    private final LoopLimits loopLimits;
    private final Set<LiveConnection> live = new LinkedHashSet<>();

    public Worker(EventLoop loop, PoolLimits limits, long receiveBudgetBytes) {
        this.loop = loop;
        this.loopLimits = new LoopLimits(receiveBudgetBytes);
        this.pool = new TunnelPool(loop, limits, loopLimits);
    }

    public EventLoop loop() {
        return loop;
    }

    public TunnelPool pool() {
        return pool;
    }

    /// Its counts may be read from any thread.
    public LoopLimits loopLimits() {
        return loopLimits;
    }

    public void add(LiveConnection connection) {
        assert loop.inEventLoop();
        live.add(connection);
    }

    public void remove(LiveConnection connection) {
        assert loop.inEventLoop();
        live.remove(connection);
    }

    /// A copy, so that connections may end while it is walked.
    public List<LiveConnection> live() {
        assert loop.inEventLoop();
        return List.copyOf(live);
    }

    /// Ends what goes through tunnels of peers whose certificates have been revoked, and the tunnels.
    public void dropRevoked() {
        assert loop.inEventLoop();
        for (var connection : live()) {
            var peer = connection.peer();
            if (peer != null) {
                peer.revoked().ifPresent(why -> connection.cut(FailureReason.CERT_REVOKED, why));
            }
        }
        pool.dropRevoked();
    }
}
