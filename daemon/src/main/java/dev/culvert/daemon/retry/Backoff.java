package dev.culvert.daemon.retry;

import java.time.Duration;

/// How long to wait before the next try: doubles from a first wait up to a longest one. Not thread-safe.
public final class Backoff {
    private final Duration first;
    private final Duration longest;
    private Duration next;

    public Backoff(Duration first, Duration longest) {
        this.first = first;
        this.longest = longest;
        this.next = first;
    }

    /// The wait after one more failure.
    public Duration next() {
        var now = next;
        var doubled = now.multipliedBy(2);
        next = doubled.compareTo(longest) > 0 ? longest : doubled;
        return now;
    }

    /// It has worked.
    public void reset() {
        next = first;
    }
}
