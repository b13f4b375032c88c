package dev.culvert.ztunnel.app;

import dev.culvert.proxy.mesh.MeshState;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Looks at the holes whenever something changed, and every ten seconds. To look costs time for each pod, and much
/// changes when many pods come: between two looks it rests so long that looking takes a twentieth of a core at
/// most. A platform thread, because it enters pods.
final class HoleWatch implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger("holes");
    private static final Duration PERIOD = Duration.ofSeconds(10);
    private static final int RESTS = 19;

    private final Holes holes;
    private final MeshState mesh;
    private final Semaphore wanted = new Semaphore(0);
    private final Thread thread;

    HoleWatch(Holes holes, MeshState mesh) {
        this.holes = holes;
        this.mesh = mesh;
        thread = Thread.ofPlatform().daemon().name("holes").start(this::run);
    }

    void lookSoon() {
        wanted.release();
    }

    private void run() {
        try {
            while (!Thread.currentThread().isInterrupted()) {
                if (wanted.tryAcquire(PERIOD.toSeconds(), TimeUnit.SECONDS)) {
                    wanted.drainPermits();
                }
                var began = System.nanoTime();
                look();
                Thread.sleep(rest(Duration.ofNanos(System.nanoTime() - began)));
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    /// @param took the last look
    static Duration rest(Duration took) {
        var rest = took.multipliedBy(RESTS);
        return rest.compareTo(PERIOD) < 0 ? rest : PERIOD;
    }

    private void look() {
        try {
            holes.enforce(mesh.current());
        } catch (IOException | RuntimeException e) {
            LOG.warn("connections that are open since before enrolment could not be looked at: {}", e.getMessage());
        }
    }

    @Override
    public void close() {
        thread.interrupt();
    }
}
