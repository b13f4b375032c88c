package dev.culvert.testkit.sim;

import dev.culvert.testkit.backend.Backend;
import dev.culvert.testkit.backend.Place;
import dev.culvert.testkit.backend.Tap;
import io.netty.channel.EventLoopGroup;
import java.io.IOException;
import java.net.InetAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// The simulated network: pods by address, links between their nodes, one clock. Thread-safe: one lock, under
/// which nothing blocks.
public final class SimNetwork implements Backend {
    private static final int LOOPS = 2;
    private static final Duration STEP = Duration.ofMillis(250);
    private static final int QUIET_ROUNDS = 8;

    private final ReentrantLock lock = new ReentrantLock();
    private final SimClock clock = new SimClock();
    private final List<SimLoops> groups = new ArrayList<>();
    private final SimLoops own;
    private final Map<InetAddress, SimPlace> places = new HashMap<>();
    private final Map<Set<String>, Link> links = new HashMap<>();
    private final Set<SimSocket> sockets = new LinkedHashSet<>();
    private final AtomicInteger ports = new AtomicInteger(32768);
    private final AtomicInteger namespaces = new AtomicInteger();

    public SimNetwork() {
        own = loops("network", 1);
    }

    /// Something done with the lock held.
    @FunctionalInterface
    interface Work<T, E extends Exception> {
        T run() throws E;
    }

    <T, E extends Exception> T locked(Work<T, E> work) throws E {
        lock.lock();
        try {
            return work.run();
        } finally {
            lock.unlock();
        }
    }

    void locked(Runnable work) {
        lock.lock();
        try {
            work.run();
        } finally {
            lock.unlock();
        }
    }

    ReentrantLock lock() {
        return lock;
    }

    SimClock clock() {
        return clock;
    }

    void later(Runnable task, long nanos) {
        own.next().schedule(task, nanos, TimeUnit.NANOSECONDS);
    }

    int nextPort() {
        return 32768 + (ports.getAndIncrement() & 0x7fff);
    }

    @Nullable
    SimPlace placeOf(InetAddress address) {
        return places.get(address);
    }

    Link link(SimPlace a, SimPlace b) {
        return link(a.node(), b.node());
    }

    private Link link(String a, String b) {
        return links.computeIfAbsent(a.equals(b) ? Set.of(a) : Set.of(a, b), _ -> new Link());
    }

    void remember(SimSocket socket) {
        sockets.add(socket);
    }

    void forget(SimSocket socket) {
        sockets.remove(socket);
    }

    // ---- the backend ----

    @Override
    public EventLoopGroup loops(String node) {
        return loops(node, LOOPS);
    }

    private SimLoops loops(String name, int count) {
        var loops = new SimLoops(name, count, clock);
        locked(() -> groups.add(loops));
        return loops;
    }

    @Override
    public void addNode(String node) {
        // A node is no more than a name here.
    }

    @Override
    public Place addPod(String node, String pod, List<InetAddress> addresses) {
        return locked(() -> {
            var place = new SimPlace(this, new SimPlace.Where(node, pod, addresses), namespaces.incrementAndGet());
            addresses.forEach(address -> places.put(address, place));
            return place;
        });
    }

    /// Its sockets end by RST.
    void remove(SimPlace place) {
        locked(() -> {
            places.values().removeIf(place::equals);
            List.copyOf(sockets).stream()
                    .filter(socket -> socket.place().equals(place.namespace()))
                    .forEach(SimSocket::reset);
        });
    }

    @Override
    public Tap tap(String a, String b) {
        return locked(() -> {
            var tap = new SimTap();
            link(a, b).tap(tap);
            return tap;
        });
    }

    @Override
    public void partition(String a, String b) {
        locked(() -> link(a, b).cut());
    }

    @Override
    public void heal(String a, String b) {
        locked(() -> link(a, b).heal());
    }

    @Override
    public void delay(String a, String b, Duration oneWay) {
        locked(() -> link(a, b).delay(oneWay));
    }

    /// In small steps, after each of which everybody may finish what became due.
    @Override
    public void advance(Duration time) {
        for (var left = time; left.isPositive(); left = left.minus(STEP)) {
            clock.advance(left.compareTo(STEP) < 0 ? left : STEP);
            for (var round = 0; round < QUIET_ROUNDS; round++) {
                List.copyOf(groups).stream()
                        .filter(loops -> !loops.isShuttingDown())
                        .forEach(SimLoops::wakeUp);
            }
        }
    }

    @Override
    public void close() throws IOException {
        own.shutdownGracefully(0, 2, TimeUnit.SECONDS).awaitUninterruptibly();
        var open = locked(() -> sockets.stream().map(SimSocket::ends).toList());
        if (!open.isEmpty()) {
            throw new IOException("simulated sockets are still open: " + open);
        }
    }
}
