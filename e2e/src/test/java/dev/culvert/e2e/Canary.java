package dev.culvert.e2e;

import java.io.IOException;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/// Says one word over and over, each time on a new connection, to each of some addresses, until closed. Has a
/// platform thread.
final class Canary implements AutoCloseable {
    private final String word = "canary-" + UUID.randomUUID();
    private final AtomicLong heard = new AtomicLong();
    private final AtomicLong failed = new AtomicLong();
    private final Thread thread;
    private volatile boolean closed;

    /// @param server the pod that echoes; both families are used in turn
    Canary(TestPod client, TestPod server) {
        thread = Thread.ofPlatform().name("canary").start(() -> sing(client, server));
    }

    private void sing(TestPod client, TestPod server) {
        while (!closed) {
            for (var address : List.of(server.v4(), server.v6())) {
                try {
                    client.say(address, word);
                    heard.incrementAndGet();
                } catch (IOException e) {
                    failed.incrementAndGet();
                }
            }
            rest();
        }
    }

    private static void rest() {
        try {
            TimeUnit.MILLISECONDS.sleep(3);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    String word() {
        return word;
    }

    long failed() {
        return failed.get();
    }

    /// Until so many more round trips have succeeded.
    void awaitMore(String when, int count) {
        var before = heard.get();
        Await.until(count + " round trips " + when, () -> heard.get() >= before + count);
    }

    /// No more is said; then a capture can drain.
    void stop() {
        closed = true;
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        stop();
    }
}
