package dev.culvert.waypoint.http;

import dev.culvert.hbone.codec.LoopLimits;
import dev.culvert.hbone.pool.TunnelPool;
import dev.culvert.waypoint.config.ServiceConfigs;
import dev.culvert.waypoint.upstream.UpstreamPool;
import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import java.time.Instant;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/// One event loop and what belongs to it. Confined to the loop but for [#loop].
public final class Worker {
    private final EventLoop loop;
    private final LoopLimits limits;
    private final TunnelPool tunnels;
    private final UpstreamPool upstreams;
    private final Set<Live> live = new LinkedHashSet<>();
    private final Set<Inner> inner = new LinkedHashSet<>();
    private boolean draining;
    private boolean ticking;

    public Worker(EventLoop loop, LoopLimits limits, TunnelPool tunnels, UpstreamPool upstreams) {
        this.loop = loop;
        this.limits = limits;
        this.tunnels = tunnels;
        this.upstreams = upstreams;
    }

    /// That of the loop on which a channel is.
    public static Worker of(Channel channel, List<Worker> all) {
        return all.stream()
                .filter(one -> one.loop.equals(channel.eventLoop()))
                .findFirst()
                .orElseThrow();
    }

    public EventLoop loop() {
        return loop;
    }

    public LoopLimits limits() {
        return limits;
    }

    UpstreamPool upstreams() {
        return upstreams;
    }

    void add(Live one) {
        assert loop.inEventLoop();
        live.add(one);
    }

    void remove(Live one) {
        live.remove(one);
    }

    /// Requests and connections that are under way.
    public int liveCount() {
        return live.size();
    }

    void add(Inner connection, Channel channel) {
        inner.add(connection);
        channel.closeFuture().addListener(_ -> inner.remove(connection));
        if (draining) {
            connection.drain();
        }
    }

    public void recheck(ServiceConfigs.Snapshot now) {
        assert loop.inEventLoop();
        List.copyOf(live).forEach(one -> one.recheck(now));
    }

    /// Something under way wants to be asked once a second whether its time is over.
    void tickLater() {
        if (!ticking) {
            ticking = true;
            loop.schedule(this::tick, 1, TimeUnit.SECONDS);
        }
    }

    private void tick() {
        ticking = false;
        var now = Instant.now().getEpochSecond();
        var more = false;
        for (var one : List.copyOf(live)) {
            more |= one.tick(now);
        }
        if (more) {
            tickLater();
        }
    }

    /// Each connection ends with the requests that it carries.
    public void drain() {
        assert loop.inEventLoop();
        draining = true;
        List.copyOf(inner).forEach(Inner::drain);
    }

    public void dropRevoked() {
        tunnels.dropRevoked();
    }
}
