package dev.culvert.waypoint.balance;

import java.util.concurrent.atomic.AtomicInteger;

/// What is remembered of one endpoint of a cluster while it is one. Thread-safe.
public final class Host {
    private static final long MAX_NANOS = 300_000_000_000L;

    private final String uid;
    private final long sinceNanos;
    private final AtomicInteger active = new AtomicInteger();
    private final AtomicInteger errors = new AtomicInteger();
    private final AtomicInteger gatewayErrors = new AtomicInteger();
    private final AtomicInteger localErrors = new AtomicInteger();
    /// Written by who holds the cluster's lock.
    private volatile boolean ejected;

    private volatile long untilNanos;
    private int ejections;

    Host(String uid, long nowNanos) {
        this.uid = uid;
        this.sinceNanos = nowNanos;
    }

    String uid() {
        return uid;
    }

    int active() {
        return active.get();
    }

    void begin() {
        active.incrementAndGet();
    }

    void end() {
        active.decrementAndGet();
    }

    long ageNanos(long nowNanos) {
        return nowNanos - sinceNanos;
    }

    boolean isEjected(long nowNanos) {
        return ejected && untilNanos - nowNanos > 0;
    }

    long ejectedForNanos(long nowNanos) {
        return isEjected(nowNanos) ? untilNanos - nowNanos : 0;
    }

    void succeeded(boolean local) {
        reset(local ? localErrors : errors);
        if (!local) {
            reset(gatewayErrors);
        }
    }

    private static void reset(AtomicInteger counter) {
        if (counter.get() != 0) {
            counter.set(0);
        }
    }

    int error() {
        return errors.incrementAndGet();
    }

    int gatewayError() {
        return gatewayErrors.incrementAndGet();
    }

    int localError() {
        return localErrors.incrementAndGet();
    }

    void noGatewayError() {
        reset(gatewayErrors);
    }

    void forgive() {
        ejected = false;
        ejections = 0;
        errors.set(0);
        gatewayErrors.set(0);
        localErrors.set(0);
    }

    /// Longer each time; each interval in good health takes one time off again.
    void eject(Traffic.Outlier how, long nowNanos) {
        var well = ejected ? Math.max(0, (nowNanos - untilNanos) / how.intervalNanos()) : 0;
        ejections = (int) Math.max(0, ejections - well) + 1;
        var bound = Math.max(MAX_NANOS, how.baseNanos());
        var time = how.baseNanos() > bound / ejections ? bound : how.baseNanos() * ejections;
        untilNanos = nowNanos + time;
        ejected = true;
        errors.set(0);
        gatewayErrors.set(0);
        localErrors.set(0);
    }
}
