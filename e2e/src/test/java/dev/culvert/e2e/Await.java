package dev.culvert.e2e;

import java.time.Duration;
import java.util.concurrent.TimeUnit;

/// Waits for what must come true within a deadline, by looking again and again.
final class Await {
    private static final Duration DEADLINE = Duration.ofMinutes(2);
    private static final Duration PAUSE = Duration.ofMillis(25);

    private Await() {}

    /// What is waited for; an exception or a failed assertion is one more reason to look again.
    @FunctionalInterface
    interface Condition {
        boolean holds() throws Exception;
    }

    static void until(String what, Condition condition) {
        until(what, DEADLINE, condition);
    }

    static void until(String what, Duration within, Condition condition) {
        var deadline = System.nanoTime() + within.toNanos();
        while (true) {
            Throwable last = null;
            try {
                if (condition.holds()) {
                    return;
                }
            } catch (InterruptedException e) {
                throw new AssertionError("interrupted while waiting: " + what, e);
            } catch (Exception | AssertionError e) {
                last = e;
            }
            if (deadline - System.nanoTime() < 0) {
                throw new AssertionError("not within " + within.toSeconds() + " s: " + what, last);
            }
            pause();
        }
    }

    private static void pause() {
        try {
            TimeUnit.MILLISECONDS.sleep(PAUSE.toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError("interrupted", e);
        }
    }
}
