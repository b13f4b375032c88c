package dev.culvert.testkit.sim;

import io.netty.util.concurrent.Ticker;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/// Real time that can be pushed ahead. Thread-safe.
final class SimClock implements Ticker {
    private final long begin = System.nanoTime();
    private final AtomicLong aheadNanos = new AtomicLong();

    /// From 0, as Netty wants it.
    @Override
    public long nanoTime() {
        return System.nanoTime() - begin + aheadNanos.get();
    }

    @Override
    public long initialNanoTime() {
        return 0;
    }

    @Override
    public void sleep(long delay, TimeUnit unit) {
        throw new UnsupportedOperationException("nobody may sleep in a simulation");
    }

    void advance(Duration time) {
        aheadNanos.addAndGet(time.toNanos());
    }
}
