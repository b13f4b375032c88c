package dev.culvert.daemon.log;

import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.UnsynchronizedAppenderBase;
import ch.qos.logback.core.encoder.Encoder;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/// Lines behind a bounded queue, written by a thread of their own, many with one call. Whoever logs never waits, since
/// he may be an event loop and the reader of the log may have stopped: a line that finds the queue full is lost, and
/// the next line written says how many were. Thread-safe.
final class QueuedLines extends UnsynchronizedAppenderBase<ILoggingEvent> {
    private static final int QUEUE_LINES = 10_000;
    private static final int BATCH_LINES = 1_000;

    /// How long a first line waits for others.
    private static final Duration GATHER = Duration.ofMillis(5);

    private static final Duration CLOSE = Duration.ofSeconds(5);

    private final ArrayBlockingQueue<ILoggingEvent> queue = new ArrayBlockingQueue<>(QUEUE_LINES);
    private final AtomicLong lost = new AtomicLong();
    private final Encoder<ILoggingEvent> encoder;
    private final OutputStream out;
    private final Thread writer;
    private volatile boolean closing;

    QueuedLines(Encoder<ILoggingEvent> encoder, OutputStream out) {
        this.encoder = encoder;
        this.out = out;
        this.writer = Thread.ofPlatform().name("log").daemon().unstarted(this::write);
    }

    @Override
    public void start() {
        super.start();
        writer.start();
    }

    @Override
    protected void append(ILoggingEvent event) {
        event.prepareForDeferredProcessing();
        if (!queue.offer(event)) {
            lost.incrementAndGet();
        }
    }

    /// Writes what waits, for at most five seconds.
    @Override
    public void stop() {
        if (!isStarted()) {
            return;
        }
        super.stop();
        closing = true;
        try {
            writer.join(CLOSE);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        writer.interrupt();
    }

    private void write() {
        var batch = new ArrayList<ILoggingEvent>();
        try {
            while (!closing || !queue.isEmpty()) {
                var first = queue.poll(100, TimeUnit.MILLISECONDS);
                if (first != null) {
                    if (!closing) {
                        Thread.sleep(GATHER);
                    }
                    batch.add(first);
                    queue.drainTo(batch, BATCH_LINES - 1);
                    write(batch);
                    batch.clear();
                }
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private void write(Iterable<ILoggingEvent> batch) {
        var bytes = new ByteArrayOutputStream(4096);
        batch.forEach(event -> bytes.writeBytes(encoder.encode(event)));
        try {
            bytes.writeTo(out);
            var gone = lost.getAndSet(0);
            if (gone > 0) {
                out.write((gone + " log lines were lost: the log is not read fast enough\n")
                        .getBytes(StandardCharsets.UTF_8));
            }
            out.flush();
        } catch (IOException e) {
            addError("the log cannot be written", e);
        }
    }
}
