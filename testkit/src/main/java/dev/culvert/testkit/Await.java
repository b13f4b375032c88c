package dev.culvert.testkit;

import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/// Waits for what must come true, by looking again and again; in real time.
public final class Await {
    private static final Duration DEADLINE = Duration.ofMinutes(1);
    private static final long PAUSE_NANOS = Duration.ofMillis(2).toNanos();

    private Await() {}

    public static void until(String what, BooleanSupplier holds) {
        until(() -> what, holds);
    }

    /// @param what asked only when time is up
    public static void until(Supplier<String> what, BooleanSupplier holds) {
        var deadline = System.nanoTime() + DEADLINE.toNanos();
        while (!holds.getAsBoolean()) {
            if (System.nanoTime() - deadline > 0) {
                throw new AssertionError("not within " + DEADLINE.toSeconds() + " s: " + what.get());
            }
            LockSupport.parkNanos(PAUSE_NANOS);
        }
    }
}
