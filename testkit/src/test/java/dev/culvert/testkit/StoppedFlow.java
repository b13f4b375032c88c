package dev.culvert.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/// One direction of a connection whose reader has stopped.
final class StoppedFlow {
    private static final Payload DATA = new Payload(4711, 64 << 20);

    private final Connection sender;
    private final Connection reader;
    private final AtomicLong written = new AtomicLong();
    private final CompletableFuture<Void> sending;

    /// Sends more than anybody holds, on a thread of its own.
    static StoppedFlow begin(Connection sender, Connection reader, Executor threads) {
        return new StoppedFlow(sender, reader, threads);
    }

    private StoppedFlow(Connection sender, Connection reader, Executor threads) {
        this.sender = sender;
        this.reader = reader;
        this.sending = CompletableFuture.runAsync(this::send, threads);
    }

    private void send() {
        DATA.sendTo(sender, written);
        sender.halfClose();
    }

    /// Nothing was written for half a second.
    StoppedFlow awaitBlocked() {
        var last = new long[] {-1, 0};
        Await.until("the sender is blocked", () -> {
            var now = written.get();
            if (now != last[0]) {
                last[0] = now;
                last[1] = System.nanoTime();
            }
            return now > 0 && System.nanoTime() - last[1] > TimeUnit.MILLISECONDS.toNanos(500);
        });
        return this;
    }

    /// Little is held: in the kernel's buffers on NETNS, in our own and in four windows of 256 KiB in the simulation.
    void assertStillBlocked(BackendKind on) {
        var most =
                switch (on) {
                    case IN_PROCESS -> 3 << 20;
                    case NETNS -> 24 << 20;
                };
        assertThat(written.get()).as("bytes that are held").isLessThan(most);
        assertThat(sending).isNotDone();
    }

    /// The reader goes on, and gets every byte.
    void resume() throws Exception {
        DATA.expectFrom(reader);
        assertThat(reader.readToEnd()).isEmpty();
        sending.get(60, TimeUnit.SECONDS);
    }
}
