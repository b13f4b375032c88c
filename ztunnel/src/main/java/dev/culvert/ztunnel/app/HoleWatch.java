package dev.culvert.ztunnel.app;

import dev.culvert.proxy.mesh.MeshState;
import java.io.IOException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Looks at the holes whenever something changed, and every ten seconds. A platform thread, because it enters pods.
final class HoleWatch implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger("holes");
    private static final int PERIOD_SECONDS = 10;

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
                if (wanted.tryAcquire(PERIOD_SECONDS, TimeUnit.SECONDS)) {
                    wanted.drainPermits();
                }
                look();
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
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
