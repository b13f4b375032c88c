package dev.culvert.waypoint.upstream;

import dev.culvert.hbone.failure.FailureReason;
import dev.culvert.hbone.failure.ProxyException;
import dev.culvert.hbone.headers.Baggage;
import dev.culvert.waypoint.balance.Cluster;
import dev.culvert.waypoint.balance.ClusterSpec;
import dev.culvert.waypoint.balance.Endpoint;
import dev.culvert.waypoint.balance.Traffic;
import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import io.netty.handler.codec.http.HttpClientCodec;
import io.netty.handler.codec.http.HttpDecoderConfig;
import java.net.InetSocketAddress;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// The HTTP connections of one loop to endpoints: HTTP/1.1 ones are used again one request after the other,
/// HTTP/2 ones carry several. Confined to its loop.
public final class UpstreamPool {
    private static final int MAX_IDLE = 64;
    static final long MAX_HEADER_BYTES = 60 * 1024;

    private final EventLoop loop;
    private final Dialler dialler;
    private final UpstreamLimits limits;
    private final Map<Key, Slot> slots = new HashMap<>();

    private record Key(ClusterSpec.Key cluster, String workload, InetSocketAddress address, boolean http2) {}

    /// What a request needs.
    public record Use(Endpoint endpoint, boolean http2, Cluster cluster, ClusterSpec spec) {
        Traffic.Pool limits() {
            return spec.traffic().pool();
        }

        private Key key() {
            return new Key(spec.key(), endpoint.workload().uid(), endpoint.address(), http2);
        }
    }

    /// Whom a connection is opened for.
    /// @param service hostname; empty if there is none
    public record For(InetSocketAddress client, Baggage self, String service) {}

    /// The connections of one kind to one endpoint of a cluster.
    private static final class Slot {
        private final Cluster cluster;
        private final ArrayDeque<Upstream> idle = new ArrayDeque<>();
        private final List<SharedConnection> shared = new ArrayList<>(1);
        private final LinkedHashSet<Waiting> waiting = new LinkedHashSet<>();
        private int open;

        Slot(Cluster cluster) {
            this.cluster = cluster;
        }

        /// The first that still wants one; taken off.
        @Nullable
        Waiting nextWaiting() {
            while (!waiting.isEmpty()) {
                var next = waiting.removeFirst();
                if (!next.result.isDone()) {
                    return next;
                }
            }
            return null;
        }

        boolean closeOneIdle() {
            if (!idle.isEmpty()) {
                idle.removeFirst().channel().close();
                return true;
            }
            return List.copyOf(shared).stream().anyMatch(SharedConnection::closeIfIdle);
        }
    }

    public UpstreamPool(EventLoop loop, Dialler dialler, UpstreamLimits limits) {
        this.loop = loop;
        this.dialler = dialler;
        this.limits = limits;
    }

    public Dialler dialler() {
        return dialler;
    }

    /// Fails with a [ProxyException]; LIMIT if there are too many connections or too many that wait for one. Who no
    /// longer wants it completes it.
    public CompletableFuture<Upstream> acquire(Use use, For whom, UpstreamEvents user) {
        assert loop.inEventLoop();
        var result = new CompletableFuture<Upstream>();
        var idle = use.http2 ? null : idle(use);
        if (idle != null) {
            idle.use(user);
            result.complete(idle);
            return result;
        }
        if (!use.cluster.startPending(use.limits().maxPending())) {
            return overflow("too many requests wait for a connection");
        }
        var waiting = new Waiting(use, whom, user, result);
        waiting.go();
        result.whenComplete((_, _) -> {
            use.cluster.endPending();
            waiting.over();
        });
        return result;
    }

    private static <T> CompletableFuture<T> overflow(String why) {
        return CompletableFuture.failedFuture(ProxyException.of(FailureReason.LIMIT, why));
    }

    private @Nullable Upstream idle(Use use) {
        var slot = slots.get(use.key());
        while (slot != null && !slot.idle.isEmpty()) {
            var upstream = slot.idle.removeLast();
            if (upstream.isUsable()) {
                return upstream;
            }
        }
        return null;
    }

    /// A request that waits until it may have a connection, and until that is open.
    private final class Waiting implements Runnable {
        private final Use use;
        private final For whom;
        private final UpstreamEvents user;
        private final CompletableFuture<Upstream> result;

        Waiting(Use use, For whom, UpstreamEvents user, CompletableFuture<Upstream> result) {
            this.use = use;
            this.whom = whom;
            this.user = user;
            this.result = result;
        }

        void go() {
            if (result.isDone()) {
                use.cluster.wakeOne(); // the turn is somebody else's
                return;
            }
            var slot = slots.computeIfAbsent(use.key(), _ -> new Slot(use.cluster));
            var got = use.http2 ? stream(use, slot, whom) : connection(use, slot, whom);
            if (got == null) {
                slot.waiting.add(this);
                use.cluster.await(this);
                closeSomeIdle(use);
                return;
            }
            got.whenComplete((upstream, failure) -> {
                if (upstream == null) {
                    result.completeExceptionally(
                            ProxyException.of(failure == null ? new IllegalStateException() : failure));
                } else {
                    take(upstream);
                }
            });
        }

        /// It has got one, or nobody wants it any more.
        void over() {
            use.cluster.noLongerAwaits(this);
            var slot = slots.get(use.key());
            if (slot != null && slot.waiting.remove(this) && slot.open == 0 && slot.waiting.isEmpty()) {
                slots.remove(use.key(), slot);
            }
        }

        /// By any thread.
        @Override
        public void run() {
            loop.execute(this::again);
        }

        private void again() {
            var slot = slots.get(use.key());
            if (slot == null || slot.waiting.remove(this)) {
                go();
            } else {
                use.cluster.wakeOne(); // it has got one meanwhile
            }
        }

        void take(Upstream upstream) {
            upstream.use(user);
            if (!result.complete(upstream)) {
                upstream.abort();
            }
        }
    }

    /// Connections of the same cluster to others that nobody uses make room.
    private void closeSomeIdle(Use use) {
        for (var entry : List.copyOf(slots.entrySet())) {
            if (entry.getKey().cluster.equals(use.spec.key())
                    && entry.getValue().closeOneIdle()) {
                return;
            }
        }
    }

    /// Whether another connection may be opened: to this endpoint by this loop, and to the cluster.
    private boolean mayOpen(Use use, Slot slot) {
        return slot.open < limits.connections()
                && use.cluster.openConnection(use.limits().maxConnections());
    }

    private void left(Key key, Slot slot) {
        slot.open--;
        if (slot.open == 0 && slot.waiting.isEmpty()) {
            slots.remove(key, slot);
        }
        slot.cluster.closedConnection();
    }

    /// A raw connection that is not pooled; it counts as one of the cluster's.
    public CompletableFuture<Channel> raw(Use use, For whom) {
        if (!use.cluster.openConnection(use.limits().maxConnections())) {
            return overflow("too many connections");
        }
        return dial(use, whom).whenComplete((channel, failure) -> {
            if (channel == null) {
                use.cluster.closedConnection();
            } else {
                channel.closeFuture().addListener(_ -> use.cluster.closedConnection());
            }
        });
    }

    /// Within the time that the cluster gives a connect.
    private CompletableFuture<Channel> dial(Use use, For whom) {
        var dialled = dialler.open(use.endpoint, whom.client(), whom.self(), whom.service());
        var bound = use.limits().connectTimeout();
        if (bound.isEmpty() || dialled.isDone()) {
            return dialled;
        }
        var result = new CompletableFuture<Channel>();
        var timer = loop.schedule(
                () -> result.completeExceptionally(ProxyException.of(
                        FailureReason.UPSTREAM_TIMEOUT, "connection timeout: " + use.endpoint.address())),
                bound.get().toNanos(),
                TimeUnit.NANOSECONDS);
        dialled.whenComplete((channel, failure) -> {
            timer.cancel(false);
            if (channel == null) {
                result.completeExceptionally(failure == null ? new IllegalStateException() : failure);
            } else if (!result.complete(channel)) {
                channel.close();
            }
        });
        return result;
    }

    // ---- HTTP/1.1 ----

    /// Null if it has to wait.
    private @Nullable CompletableFuture<Upstream> connection(Use use, Slot slot, For whom) {
        var idle = idle(use);
        if (idle != null) {
            return CompletableFuture.completedFuture(idle);
        }
        if (!mayOpen(use, slot)) {
            return null;
        }
        slot.open++;
        var key = use.key();
        return dial(use, whom)
                .whenComplete((channel, _) -> {
                    if (channel == null) {
                        left(key, slot);
                    }
                })
                .thenApply(channel -> http1(channel, () -> left(key, slot)));
    }

    private static Upstream http1(Channel channel, Runnable onGone) {
        var config = new HttpDecoderConfig()
                .setMaxInitialLineLength(8192)
                .setMaxHeaderSize((int) MAX_HEADER_BYTES)
                .setMaxChunkSize(16 * 1024);
        var upstream = new Upstream(channel, false, onGone);
        channel.pipeline()
                .addLast(new HttpClientCodec(config, true, false))
                .addLast(new Gate())
                .addLast(upstream);
        return upstream;
    }

    /// The request and its answer are over.
    /// @param reusable whether another one may follow on it
    public void release(Use use, Upstream upstream, boolean reusable) {
        upstream.unused();
        if (upstream.isHttp2()) {
            upstream.channel().close();
            return;
        }
        var slot = slots.get(use.key());
        if (!reusable
                || !upstream.isUsable()
                || slot == null
                || upstream.requests() >= use.limits().maxRequestsPerConnection()) {
            upstream.channel().close();
            return;
        }
        var next = slot.nextWaiting();
        if (next != null) {
            next.take(upstream);
        } else if (slot.idle.size() >= MAX_IDLE || use.cluster.isAwaited()) {
            upstream.channel().close();
        } else {
            keep(use, slot, upstream);
        }
    }

    private void keep(Use use, Slot slot, Upstream upstream) {
        slot.idle.addLast(upstream);
        var idle = use.limits().idle().orElse(limits.idle());
        loop.schedule(
                () -> {
                    if (slot.idle.remove(upstream)) {
                        upstream.channel().close();
                    }
                },
                idle.toMillis(),
                TimeUnit.MILLISECONDS);
    }

    // ---- HTTP/2 ----

    /// Null if it has to wait.
    private @Nullable CompletableFuture<Upstream> stream(Use use, Slot slot, For whom) {
        for (var connection : slot.shared) {
            if (connection.mayCarry()) {
                return connection.open();
            }
        }
        if (!mayOpen(use, slot)) {
            return null;
        }
        var connection = new SharedConnection(use, loop, limits, new SharedConnection.Owner() {
            @Override
            public void left(SharedConnection gone) {
                if (slot.shared.remove(gone)) {
                    UpstreamPool.this.left(use.key(), slot);
                }
            }

            @Override
            public void streamEnded(SharedConnection free) {
                var next = slot.nextWaiting();
                if (next != null) {
                    next.go();
                } else if (use.cluster.isAwaited()) {
                    free.closeIfIdle();
                }
            }
        });
        slot.shared.add(connection);
        slot.open++;
        dial(use, whom).whenComplete(connection::connected);
        return connection.open();
    }
}
