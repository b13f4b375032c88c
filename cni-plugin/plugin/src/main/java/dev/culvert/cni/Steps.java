package dev.culvert.cni;

import java.time.Duration;

/// What the plugin is about, and until when: the work says it, the main thread holds it to it.
final class Steps {
    private volatile Step current = new Step("", System.nanoTime(), Duration.ZERO);

    /// @param what as in "while ..."
    record Step(String what, long endsNanos, Duration patience) {
        Duration left() {
            return Duration.ofNanos(endsNanos - System.nanoTime());
        }
    }

    void begin(String what, Duration wait) {
        current = new Step(what, System.nanoTime() + wait.toNanos(), wait);
    }

    Step current() {
        return current;
    }
}
