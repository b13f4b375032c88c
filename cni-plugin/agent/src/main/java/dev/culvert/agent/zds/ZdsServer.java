package dev.culvert.agent.zds;

import dev.culvert.linux.socket.SeqPacketListener;
import dev.culvert.linux.socket.SeqPacketSocket;
import dev.culvert.protos.zds.DelWorkload;
import dev.culvert.protos.zds.WorkloadRequest;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.channels.ClosedChannelException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Serves ZDS: each ztunnel that connects gets all pods, the newest one also gets what comes later, and
/// removals go to all. Thread-safe; each connection has a platform thread of its own.
public final class ZdsServer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ZdsServer.class);

    private final SeqPacketListener listener;
    private final Supplier<List<ServedPod>> snapshot;
    private final Runnable connected;
    private final ZdsLimits limits;
    /// Oldest first.
    private final List<ZdsConnection> connections = new ArrayList<>();
    private final List<Thread> threads = new ArrayList<>();
    private boolean closed;

    private ZdsServer(
            SeqPacketListener listener, Supplier<List<ServedPod>> snapshot, Runnable connected, ZdsLimits limits) {
        this.listener = listener;
        this.snapshot = snapshot;
        this.connected = connected;
        this.limits = limits;
    }

    /// Listens.
    /// @param snapshot all pods of the node that are to be served, now
    /// @param connected called when a ztunnel has got its snapshot
    public static ZdsServer listen(Path path, Supplier<List<ServedPod>> snapshot, Runnable connected, ZdsLimits limits)
            throws IOException {
        var server = new ZdsServer(SeqPacketListener.listen(path), snapshot, connected, limits);
        server.start("zds-accept", server::acceptAll);
        return server;
    }

    /// Tells the newest ztunnel of a pod; returns when it has acknowledged, that is, when its listeners are
    /// bound.
    public void add(ServedPod pod) throws IOException {
        var refusal = await(newest().enqueue(ZdsConnection.add(pod), Optional.of(pod)));
        if (!refusal.isEmpty()) {
            throw new ZdsException("got ack error: " + refusal);
        }
    }

    /// Tells every ztunnel that a pod has left. Who does not answer will get a new snapshot.
    public void delete(String uid) throws InterruptedIOException {
        var request = WorkloadRequest.newBuilder()
                .setDel(DelWorkload.newBuilder().setUid(uid))
                .build();
        var acks = new ArrayList<CompletableFuture<String>>();
        synchronized (this) {
            for (var connection : connections) {
                acks.add(connection.enqueue(request, Optional.empty()));
            }
        }
        for (var ack : acks) {
            try {
                var refusal = await(ack);
                if (!refusal.isEmpty()) {
                    LOG.warn("ztunnel refused the removal of pod {}: {}", uid, refusal);
                }
            } catch (InterruptedIOException e) {
                throw e;
            } catch (IOException e) {
                LOG.debug("removal of pod {}: {}", uid, e.toString());
            }
        }
    }

    /// How many ztunnels are connected.
    public synchronized int connections() {
        return connections.size();
    }

    private synchronized ZdsConnection newest() throws ZdsException {
        if (connections.isEmpty()) {
            throw new ZdsException("no ztunnel connection");
        }
        return connections.getLast();
    }

    private static String await(CompletableFuture<String> ack) throws IOException {
        try {
            return ack.get();
        } catch (ExecutionException e) {
            var cause = e.getCause() == null ? e : e.getCause();
            throw new ZdsException(
                    cause instanceof ZdsException ? String.valueOf(cause.getMessage()) : cause.toString());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("waiting for ztunnel");
        }
    }

    private void acceptAll() {
        var recent = new ArrayDeque<Long>();
        try {
            while (true) {
                var socket = listener.accept();
                recent.addLast(System.nanoTime());
                serve(socket);
                throttle(recent);
            }
        } catch (ClosedChannelException e) {
            LOG.debug("no more ztunnels are accepted");
        } catch (IOException e) {
            LOG.error("ZDS accepts no ztunnel any more; restart the agent: {}", e.toString());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void throttle(ArrayDeque<Long> recent) throws InterruptedException {
        if (recent.size() < limits.acceptsPerSecond()) {
            return;
        }
        var next = recent.removeFirst() + Duration.ofSeconds(1).toNanos();
        Thread.sleep(Duration.ofNanos(Math.max(0, next - System.nanoTime())));
    }

    private void serve(SeqPacketSocket socket) throws IOException {
        var connection = new ZdsConnection(socket, limits);
        synchronized (this) {
            if (closed) {
                socket.close();
                return;
            }
            connections.add(connection); // newest counts from here, before its hello
        }
        start("zds-" + socket.peer().pid(), () -> converse(connection));
    }

    private void converse(ZdsConnection connection) {
        try {
            connection.serve(snapshot, connected);
            LOG.info("ztunnel has disconnected");
        } catch (ClosedChannelException e) {
            LOG.debug("connection closed");
        } catch (IOException | RuntimeException e) {
            LOG.warn("ztunnel's connection is given up: {}", e.toString());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            synchronized (this) {
                connections.remove(connection);
                threads.remove(Thread.currentThread());
            }
        }
    }

    private synchronized void start(String name, Runnable task) {
        var thread = Thread.ofPlatform().name(name).daemon().unstarted(task);
        threads.add(thread);
        thread.start();
    }

    /// Stops; ztunnels go on serving what they have.
    @Override
    public void close() throws IOException {
        List<Thread> running;
        synchronized (this) {
            closed = true;
            running = List.copyOf(threads);
        }
        listener.close();
        for (var connection : openConnections()) {
            connection.close();
        }
        for (var thread : running) {
            thread.interrupt();
        }
        try {
            for (var thread : running) {
                thread.join();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private synchronized List<ZdsConnection> openConnections() {
        return List.copyOf(connections);
    }
}
