package dev.culvert.e2e.kube.cluster;

import java.time.Duration;
import java.util.concurrent.TimeUnit;

/// Waits for what must come true within a deadline, by looking again and again.
final class Await {
    private static final Duration DEADLINE = Duration.ofMinutes(2);
    private static final Duration PAUSE = Duration.ofMillis(100);

    private Await() {}

    /// What is waited for; an exception or a failed assertion is one more reason to look again.
    @FunctionalInterface
    interface Condition {
        boolean holds() throws Exception;
    }

    static void until(String what, Condition condition) throws InterruptedException {
        var deadline = System.nanoTime() + DEADLINE.toNanos();
        while (true) {
            Throwable last = null;
            try {
                if (condition.holds()) {
                    return;
                }
            } catch (InterruptedException e) {
                throw e;
            } catch (Exception | AssertionError e) {
                last = e;
            }
            if (deadline - System.nanoTime() < 0) {
                throw new AssertionError("not within " + DEADLINE.toSeconds() + " s: " + what, last);
            }
            TimeUnit.MILLISECONDS.sleep(PAUSE.toMillis());
        }
    }
}
