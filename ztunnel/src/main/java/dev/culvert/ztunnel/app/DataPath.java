package dev.culvert.ztunnel.app;

import dev.culvert.ztunnel.inpod.Node;
import dev.culvert.ztunnel.inpod.Pod;
import dev.culvert.ztunnel.inpod.PodId;
import dev.culvert.ztunnel.inpod.PodProxy;
import dev.culvert.ztunnel.inpod.PodSockets;
import dev.culvert.ztunnel.relay.LiveConnection;
import dev.culvert.ztunnel.relay.Worker;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;

/// What carries connections, on whatever sockets a pod has: its loops, and the listeners of pods. Thread-safe.
public final class DataPath implements PodProxy.Factory, AutoCloseable {
    private final Node node;
    private final Listeners listeners;
    private final AtomicBoolean recheckScheduled = new AtomicBoolean();

    /// @param node its loops are closed here
    public DataPath(Node node, Listeners listeners) {
        this.node = node;
        this.listeners = listeners;
    }

    Node node() {
        return node;
    }

    @Override
    public PodProxy create(PodId id, PodSockets sockets) {
        return new ServingPod(new Pod(id, sockets, node), listeners);
    }

    /// The mesh has changed: live connections are decided again, once for a burst of changes.
    public void recheckSoon() {
        if (recheckScheduled.compareAndSet(false, true)) {
            node.workers().getFirst().loop().execute(() -> {
                recheckScheduled.set(false);
                var now = node.mesh().current();
                node.workers()
                        .forEach(worker -> worker.loop()
                                .execute(() -> worker.live().forEach(connection -> connection.recheck(now))));
            });
        }
    }

    /// Ends the outbound tunnels of peers whose certificates have been revoked, and what goes through them.
    public void dropRevoked() {
        node.workers().forEach(worker -> worker.loop().execute(worker::dropRevoked));
    }

    /// Brings the byte counters up to date; not to be called on a loop.
    public void count() {
        live(connection -> {
            connection.count();
            return connection;
        });
    }

    /// What is live, seen from each connection's own loop; not to be called on one.
    public <T> List<T> live(Function<LiveConnection, T> seen) {
        return node.workers().stream()
                .map(worker -> CompletableFuture.supplyAsync(() -> look(worker, seen), worker.loop()))
                .toList()
                .stream()
                .flatMap(part -> part.join().stream())
                .toList();
    }

    private static <T> List<T> look(Worker worker, Function<LiveConnection, T> seen) {
        return worker.live().stream().map(seen).toList();
    }

    @Override
    public void close() {
        node.names().close();
        node.loops().shutdownGracefully(0, 2, TimeUnit.SECONDS).awaitUninterruptibly();
    }
}
