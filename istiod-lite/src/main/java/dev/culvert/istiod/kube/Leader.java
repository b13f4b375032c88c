package dev.culvert.istiod.kube;

import dev.culvert.istiod.ambient.Revisions;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.extended.leaderelection.LeaderCallbacks;
import io.fabric8.kubernetes.client.extended.leaderelection.LeaderElectionConfigBuilder;
import io.fabric8.kubernetes.client.extended.leaderelection.resourcelock.LeaseLock;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Writes to the API server while this replica holds the Lease of its revision: all others only serve. One virtual
/// thread stands for election, one writes; a writer that fails is tried again with growing pauses.
public final class Leader<T> implements AutoCloseable {
    private static final String LEASE = "istiod-culvert";
    private static final Logger LOG = LoggerFactory.getLogger("leader");
    private static final Duration LIFE = Duration.ofSeconds(30);
    private static final Duration RENEW_WITHIN = Duration.ofSeconds(15);
    private static final Duration RETRY = Duration.ofSeconds(5);
    private static final Duration RECHECK = Duration.ofMinutes(5);
    private static final Duration FIRST_PAUSE = Duration.ofSeconds(1);
    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(30);

    private final KubernetesClient client;
    private final String namespace;
    private final String lease;
    private final String identity;
    private final Supplier<T> state;
    private final List<Writer<T>> writers;
    private final Semaphore wakes = new Semaphore(0);
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private final AtomicBoolean started = new AtomicBoolean();
    private volatile boolean leading;
    private volatile boolean closed;

    /// Makes a part of the cluster as the state wants it. Called again and again; does nothing where nothing is to do.
    public interface Writer<T> {
        /// @throws RuntimeException if it has to be tried again
        void write(T state);

        /// This replica writes from now on: others may have written since it did last.
        default void begin() {}
    }

    /// Who stands, and for what.
    ///
    /// @param identity of this replica: its pod's name
    public record Candidate(String namespace, String revision, String identity) {}

    /// @param state what is to be, now
    public Leader(KubernetesClient client, Candidate candidate, Supplier<T> state, List<Writer<T>> writers) {
        this.client = client;
        this.namespace = candidate.namespace;
        this.lease = lease(candidate.revision);
        this.identity = candidate.identity;
        this.state = state;
        this.writers = List.copyOf(writers);
    }

    /// The name of the Lease.
    public static String lease(String revision) {
        return revision.equals(Revisions.DEFAULT) ? LEASE : LEASE + "-" + revision;
    }

    /// Stands for election from the first call on.
    public void startOnce() {
        if (started.compareAndSet(false, true)) {
            threads.execute(this::stand);
            threads.execute(this::write);
        }
    }

    public boolean isLeading() {
        return leading;
    }

    /// The state, or what was written, has changed.
    public void wake() {
        wakes.release();
    }

    private void stand() {
        while (!closed) {
            var elected = client.leaderElector()
                    .withConfig(new LeaderElectionConfigBuilder()
                            .withName(lease)
                            .withLock(new LeaseLock(namespace, lease, identity))
                            .withLeaseDuration(LIFE)
                            .withRenewDeadline(RENEW_WITHIN)
                            .withRetryPeriod(RETRY)
                            .withReleaseOnCancel(true)
                            .withLeaderCallbacks(
                                    new LeaderCallbacks(this::begin, this::end, who -> LOG.info("{} writes", who)))
                            .build())
                    .build()
                    .start();
            try {
                elected.get();
            } catch (InterruptedException stopped) {
                elected.cancel(true);
                Thread.currentThread().interrupt();
                return;
            } catch (ExecutionException failed) {
                LOG.warn("the election failed, and begins anew: {}", String.valueOf(failed.getCause()));
            }
            end();
        }
    }

    private void begin() {
        leading = true;
        wake();
    }

    private void end() {
        leading = false;
    }

    private void write() {
        var pause = Duration.ZERO;
        var wrote = false;
        try {
            while (!closed) {
                var wait = pause.isZero() ? RECHECK : pause;
                var _ = wakes.tryAcquire(wait.toMillis(), TimeUnit.MILLISECONDS);
                wakes.drainPermits();
                var writes = leading;
                if (writes && !wrote) {
                    writers.forEach(Writer::begin);
                }
                pause = writes && !writeAll() ? next(pause) : Duration.ZERO;
                wrote = writes;
            }
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
        }
    }

    private static Duration next(Duration pause) {
        var longer = pause.isZero() ? FIRST_PAUSE : pause.multipliedBy(2);
        return longer.compareTo(LONGEST_PAUSE) < 0 ? longer : LONGEST_PAUSE;
    }

    private boolean writeAll() {
        var done = true;
        for (var writer : writers) {
            try {
                writer.write(state.get());
            } catch (RuntimeException failed) {
                done = false;
                LOG.warn("{} is tried again: {}", writer.getClass().getSimpleName(), failed.getMessage());
                LOG.debug("why", failed);
            }
        }
        return done;
    }

    /// Gives the Lease back, so that another replica need not wait for its end.
    @Override
    public void close() {
        closed = true;
        threads.shutdownNow();
        try {
            var _ = threads.awaitTermination(2, TimeUnit.SECONDS);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
