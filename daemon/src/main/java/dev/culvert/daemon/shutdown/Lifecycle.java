package dev.culvert.daemon.shutdown;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The parts of a running process, closed once and in the reverse of the order in which they were added. Safe for any
/// thread.
///
/// ```java
/// try (var life = new Lifecycle()) {
///     life.add("admin", pages.start(addresses));
///     life.stopOnSignals();
///     life.await();
/// }
/// ```
public final class Lifecycle implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Lifecycle.class);
    private static final int EXIT_ON_SECOND_SIGNAL = 130;

    private record Part(String name, AutoCloseable closeable) {}

    private final Deque<Part> parts = new ArrayDeque<>();
    private final CompletableFuture<String> stopped = new CompletableFuture<>();
    private final AtomicBoolean closed = new AtomicBoolean();

    /// A part added after the end began is closed at once.
    ///
    /// @return the part
    public <T extends AutoCloseable> T add(String name, T part) {
        synchronized (parts) {
            if (!closed.get()) {
                parts.push(new Part(name, part));
                return part;
            }
        }
        closePart(new Part(name, part));
        return part;
    }

    /// SIGTERM and SIGINT make [#await] return; a second SIGINT ends the process at once.
    public void stopOnSignals() {
        Signals.on("TERM", () -> stop("SIGTERM"));
        Signals.on("INT", () -> {
            if (!stop("SIGINT")) {
                Runtime.getRuntime().halt(EXIT_ON_SECOND_SIGNAL);
            }
        });
    }

    /// Makes [#await] return.
    ///
    /// @return whether this was the first call
    public boolean stop(String reason) {
        return stopped.complete(reason);
    }

    /// Blocks until [#stop], a signal, or [#close].
    ///
    /// @return the reason
    public String await() {
        return stopped.join();
    }

    @Override
    public void close() {
        stop("closed");
        synchronized (parts) {
            closed.set(true);
        }
        for (var part = next(); part != null; part = next()) {
            closePart(part);
        }
    }

    private @Nullable Part next() {
        synchronized (parts) {
            return parts.poll();
        }
    }

    private static void closePart(Part part) {
        try {
            log.atDebug().addKeyValue("part", part.name()).log("closing");
            part.closeable().close();
        } catch (Exception failed) {
            log.atWarn().addKeyValue("part", part.name()).setCause(failed).log("did not close cleanly");
        }
    }
}
