package dev.culvert.testkit.sim;

import dev.culvert.linux.netns.NetworkNamespace;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.util.ArrayDeque;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import org.jspecify.annotations.Nullable;

/// One end of a simulated TCP connection: what the kernel would hold. What it received is here, what it has
/// sent is at the peer. Guarded by the network's lock; each method takes it.
final class SimSocket {
    /// What one direction holds, on the way and not yet read; the window.
    static final int CAPACITY = 256 << 10;

    private static final int SEGMENT = 64 << 10;
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(60);

    /// @param local address and port as the peer sees them
    /// @param dialled where the connection was meant to go before redirection
    record Ends(InetSocketAddress local, InetSocketAddress remote, InetSocketAddress dialled) {}

    private record Segment(Kind kind, ByteBuffer data, long dueNanos) {}

    private enum Kind {
        DATA,
        FIN,
        RST
    }

    private final SimNetwork network;
    private final NetworkNamespace.Id place;
    private final Ends ends;
    private final Link link;
    private final Condition changed;
    private final ArrayDeque<Segment> coming = new ArrayDeque<>();
    private final ArrayDeque<ByteBuffer> arrived = new ArrayDeque<>();
    private final Runnable receive = this::receive;

    private @Nullable SimSocket peer;
    private @Nullable Runnable listener;
    private int held;
    private boolean finSent;
    private boolean finArrived;
    private boolean reset;
    private boolean closed;

    SimSocket(SimNetwork network, NetworkNamespace.Id place, Link link, Ends ends) {
        this.network = network;
        this.place = place;
        this.link = link;
        this.ends = ends;
        this.changed = network.lock().newCondition();
    }

    static void join(SimSocket a, SimSocket b) {
        a.peer = b;
        b.peer = a;
    }

    Ends ends() {
        return ends;
    }

    NetworkNamespace.Id place() {
        return place;
    }

    private SimSocket peer() {
        if (peer == null) {
            throw new IllegalStateException("not connected: " + ends);
        }
        return peer;
    }

    /// Called, with the lock held, whenever something may have become possible; it must not block.
    void onChange(@Nullable Runnable call) {
        network.locked(() -> {
            listener = call;
            changed();
        });
    }

    private void changed() {
        changed.signalAll();
        if (listener != null) {
            listener.run();
        }
    }

    /// @return 0 if nothing is there yet, -1 after the peer's FIN
    int read(ByteBuffer into) throws IOException {
        return network.locked(() -> {
            var first = arrived.peek();
            if (first == null) {
                failIfGone();
                return finArrived ? -1 : 0;
            }
            var n = Math.min(first.remaining(), into.remaining());
            into.put(into.position(), first, first.position(), n);
            into.position(into.position() + n);
            first.position(first.position() + n);
            if (!first.hasRemaining()) {
                arrived.remove();
            }
            held -= n;
            peer().changed();
            return n;
        });
    }

    private void failIfGone() throws IOException {
        if (closed) {
            throw new ClosedChannelException();
        }
        if (reset) {
            throw new SocketException("Connection reset by peer");
        }
    }

    /// @return 0 if the window is full
    int write(ByteBuffer from) throws IOException {
        return network.locked(() -> {
            failIfGone();
            if (finSent) {
                throw new SocketException("Broken pipe");
            }
            var to = peer();
            var n = Math.min(Math.min(from.remaining(), SEGMENT), CAPACITY - to.held);
            if (n > 0) {
                var data = new byte[n];
                from.get(data);
                to.held += n;
                send(Kind.DATA, ByteBuffer.wrap(data));
            }
            return n;
        });
    }

    private void send(Kind kind, ByteBuffer data) {
        var to = peer();
        to.coming.add(new Segment(kind, data, network.clock().nanoTime() + link.delayNanos()));
        to.receive();
    }

    /// Takes what has arrived by now. A link that is down keeps what TCP would send again.
    private void receive() {
        network.locked(() -> {
            while (!coming.isEmpty()) {
                if (link.isDown()) {
                    link.hold(receive);
                    return;
                }
                var wait = coming.element().dueNanos - network.clock().nanoTime();
                if (wait > 0) {
                    network.later(receive, wait);
                    return;
                }
                arrive(coming.remove());
            }
        });
    }

    private void arrive(Segment segment) {
        switch (segment.kind) {
            case DATA -> {
                link.crossed(this, segment.data);
                if (closed || reset) {
                    held -= segment.data.remaining();
                    if (closed) {
                        send(Kind.RST, ByteBuffer.allocate(0)); // nobody is here to read it
                    }
                } else {
                    arrived.add(segment.data);
                }
            }
            case FIN -> finArrived = true;
            case RST -> reset = true;
        }
        changed();
    }

    boolean isReadable() {
        return network.locked(() -> !arrived.isEmpty() || hasEnded());
    }

    /// FIN or RST has come.
    boolean hasEnded() {
        return network.locked(() -> finArrived || reset);
    }

    boolean isReset() {
        return network.locked(() -> reset);
    }

    void shutdownOutput() {
        network.locked(() -> {
            if (!finSent && !closed && !reset) {
                finSent = true;
                send(Kind.FIN, ByteBuffer.allocate(0));
            }
        });
    }

    /// A RST is not sent again: across a link that is down it is lost, and the peer is left half-open.
    void reset() {
        network.locked(() -> {
            if (closed) {
                return;
            }
            closed = true;
            drop();
            if (link.isDown()) {
                peer().lose();
            } else if (!reset) {
                send(Kind.RST, ByteBuffer.allocate(0));
            }
            leave();
        });
    }

    private void lose() {
        coming.forEach(segment -> held -= segment.data.remaining());
        coming.clear();
    }

    private void drop() {
        arrived.forEach(buffer -> held -= buffer.remaining());
        arrived.clear();
    }

    /// FIN, or RST if something was not read.
    void close() {
        network.locked(() -> {
            if (closed) {
                return;
            }
            if (!arrived.isEmpty()) {
                reset();
                return;
            }
            shutdownOutput();
            closed = true;
            leave();
        });
    }

    private void leave() {
        network.forget(this);
        changed();
        peer().changed();
    }

    boolean isOutputShutdown() {
        return network.locked(() -> finSent || closed);
    }

    /// One non-blocking call; 0 if it could do nothing.
    interface Step {
        int run() throws IOException;
    }

    /// Repeats the step until it does something.
    /// @throws SocketTimeoutException after a minute of real time: a test must not hang
    int blocking(Step step) throws IOException {
        return network.locked(() -> {
            var left = PATIENCE_NANOS;
            var n = step.run();
            try {
                while (n == 0 && left > 0) {
                    left = changed.awaitNanos(left);
                    n = step.run();
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IOException("interrupted", e);
            }
            if (n == 0) {
                throw new SocketTimeoutException("nothing could be read or written for a minute: " + ends);
            }
            return n;
        });
    }
}
