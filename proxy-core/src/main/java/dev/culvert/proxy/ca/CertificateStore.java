package dev.culvert.proxy.ca;

import dev.culvert.daemon.retry.Backoff;
import dev.culvert.hbone.failure.FailureReason;
import dev.culvert.hbone.failure.ProxyException;
import dev.culvert.hbone.tls.HboneTls;
import dev.culvert.hbone.tls.Revocation;
import dev.culvert.hbone.tls.TlsPolicy;
import dev.culvert.hbone.tls.WorkloadCertificate;
import dev.culvert.mesh.model.identity.SpiffeId;
import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The certificates of this node's identities: one fetch an identity, renewed at half life, kept while renewal fails.
/// Thread-safe; an entry is guarded by itself.
public final class CertificateStore implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger("ca");
    private static final int CONCURRENT_FETCHES = 8;
    private static final Pauses PAUSES =
            new Pauses(Duration.ofSeconds(1), Duration.ofSeconds(150), Duration.ofSeconds(5));

    private final CertificateSource source;
    private final @Nullable KeysOnTmpfs keys;
    private final Clock clock;
    private final Pauses pauses;
    private final TlsPolicy policy;
    private final Revocation revocation;
    private final Map<SpiffeId, Entry> entries = new ConcurrentHashMap<>();
    private final LongAdder failuresKept = new LongAdder();
    private final LongAdder failuresWithout = new LongAdder();
    private final Semaphore fetches = new Semaphore(CONCURRENT_FETCHES);
    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().daemon().name("ca-timer").factory());

    /// Between fetches that fail.
    /// @param first doubled each time, up to `longest`
    /// @param asked the longest while connections ask for a certificate that there is not
    record Pauses(Duration first, Duration longest, Duration asked) {}

    public CertificateStore(CertificateSource source, @Nullable KeysOnTmpfs keys, Clock clock) {
        this(source, keys, clock, TlsPolicy.DEFAULT, new Revocation());
    }

    CertificateStore(CertificateSource source, Clock clock, Pauses pauses) {
        this(source, null, clock, TlsPolicy.DEFAULT, new Revocation(), pauses);
    }

    public CertificateStore(
            CertificateSource source,
            @Nullable KeysOnTmpfs keys,
            Clock clock,
            TlsPolicy policy,
            Revocation revocation) {
        this(source, keys, clock, policy, revocation, PAUSES);
    }

    private CertificateStore(
            CertificateSource source,
            @Nullable KeysOnTmpfs keys,
            Clock clock,
            TlsPolicy policy,
            Revocation revocation,
            Pauses pauses) {
        this.pauses = pauses;
        this.revocation = revocation;
        this.source = source;
        this.policy = policy;
        this.keys = keys;
        this.clock = clock;
    }

    /// Takes up what an earlier process of this boot left.
    public void restore() {
        if (keys != null) {
            for (var certificate : keys.load()) {
                var entry = new Entry(certificate.identity());
                if (entries.putIfAbsent(certificate.identity(), entry) == null) {
                    entry.took(certificate);
                }
            }
        }
    }

    /// The identity's TLS; waits for the first certificate, fails at once while there is none to be had.
    public CompletableFuture<HboneTls> tls(SpiffeId identity) {
        return entries.computeIfAbsent(identity, this::begin).tls();
    }

    /// Fetches ahead of the first connection.
    public void prefetch(SpiffeId identity) {
        entries.computeIfAbsent(identity, this::begin);
    }

    private Entry begin(SpiffeId identity) {
        var entry = new Entry(identity);
        entry.fetchSoon();
        return entry;
    }

    /// The last workload of the identity has left the node.
    public void forget(SpiffeId identity) {
        var entry = entries.remove(identity);
        if (entry != null) {
            entry.close();
            if (keys != null) {
                keys.remove(identity);
            }
        }
    }

    /// @param state `Initializing`, `Available` or `Unavailable: <reason>`
    public record Status(
            SpiffeId identity, String state, @Nullable WorkloadCertificate certificate) {}

    public List<Status> statuses() {
        var statuses = new ArrayList<Status>();
        entries.values().forEach(entry -> statuses.add(entry.status()));
        return statuses;
    }

    /// Fetches that failed so far.
    /// @param kept those while there was a valid certificate, or those without
    long failures(boolean kept) {
        return (kept ? failuresKept : failuresWithout).sum();
    }

    /// When the first certificate held ends, in seconds since 1970; 0 without any.
    long firstExpiry() {
        return statuses().stream()
                .map(Status::certificate)
                .filter(Objects::nonNull)
                .mapToLong(certificate -> certificate.notAfter().getEpochSecond())
                .min()
                .orElse(0);
    }

    @Override
    public void close() {
        timer.shutdownNow();
        entries.values().forEach(Entry::close);
        entries.clear();
    }

    private final class Entry {
        private final SpiffeId identity;
        private CompletableFuture<HboneTls> first = new CompletableFuture<>();
        private @Nullable HboneTls held;
        private @Nullable String failure;
        private final Backoff backoff = new Backoff(pauses.first, pauses.longest);
        private @Nullable ScheduledFuture<?> due;
        private boolean closed;

        Entry(SpiffeId identity) {
            this.identity = identity;
        }

        synchronized CompletableFuture<HboneTls> tls() {
            if (held != null && !isExpired(held)) {
                return CompletableFuture.completedFuture(held);
            }
            if (failure != null) {
                hurry();
                return CompletableFuture.failedFuture(ProxyException.of(
                        FailureReason.NO_CERTIFICATE, "no certificate for " + identity + ": " + failure));
            }
            if (held != null) { // it has expired before its renewal was due: the machine has slept
                var old = held;
                held = null;
                first = new CompletableFuture<>();
                later(old::release, Duration.ofMinutes(1));
                fetchSoon();
            }
            return first;
        }

        /// What is asked for now does not wait for the end of a long pause.
        private void hurry() {
            if (due != null && due.getDelay(TimeUnit.MILLISECONDS) > pauses.asked.toMillis() * 6 / 5) {
                next(withJitter(pauses.asked));
            }
        }

        private boolean isExpired(HboneTls tls) {
            return clock.instant().isAfter(tls.certificate().notAfter());
        }

        void fetchSoon() {
            Thread.ofVirtual().name("ca-fetch").start(this::fetch);
        }

        private void fetch() {
            try {
                fetches.acquire();
                try {
                    took(source.fetch(identity));
                } finally {
                    fetches.release();
                }
            } catch (IOException | RuntimeException | LinkageError e) {
                failed(e instanceof IOException ? String.valueOf(e.getMessage()) : e.toString());
            } catch (InterruptedException _) {
                Thread.currentThread().interrupt();
            }
        }

        synchronized void took(WorkloadCertificate certificate) {
            if (closed) {
                return;
            }
            try {
                var next = new HboneTls(certificate, policy, revocation);
                var old = held;
                held = next;
                failure = null;
                backoff.reset();
                // an authority may live in the past
                next(max(Duration.between(clock.instant(), renewalOf(certificate)), pauses.first));
                first.complete(next); // who waits for it sees all of it
                if (old != null) {
                    later(old::release, Duration.ofMinutes(1));
                }
            } catch (IOException e) {
                failed("the certificate cannot be used: " + e.getMessage());
                return;
            }
            if (keys != null) {
                keys.save(certificate);
            }
            LOG.info("certificate of {} taken, valid until {}", identity, certificate.notAfter());
        }

        private synchronized void failed(String why) {
            if (closed) {
                return; // nobody waits for it: a retry would go on for ever
            }
            var valid = held != null && held.certificate().isValidAt(clock.instant());
            (valid ? failuresKept : failuresWithout).increment();
            LOG.warn(
                    "no new certificate for {}: {}; {}",
                    identity,
                    why,
                    valid
                            ? "the old one is kept, it is still valid"
                            : "its connections are refused until there is one");
            if (!valid) {
                failure = why;
                first.completeExceptionally(
                        ProxyException.of(FailureReason.NO_CERTIFICATE, "no certificate for " + identity + ": " + why));
                first = new CompletableFuture<>();
            }
            next(withJitter(backoff.next()));
        }

        private static Duration withJitter(Duration pause) {
            return Duration.ofMillis((long)
                    (pause.toMillis() * (0.8 + 0.4 * ThreadLocalRandom.current().nextDouble())));
        }

        /// One fetch is due at a time.
        private void next(Duration delay) {
            if (due != null) {
                due.cancel(false);
            }
            due = later(this::fetchSoon, delay);
        }

        private @Nullable ScheduledFuture<?> later(Runnable task, Duration delay) {
            return timer.isShutdown()
                    ? null
                    : timer.schedule(task, Math.max(0, delay.toMillis()), TimeUnit.MILLISECONDS);
        }

        synchronized Status status() {
            var state = held != null && !isExpired(held)
                    ? "Available"
                    : failure != null ? "Unavailable: " + failure : "Initializing";
            return new Status(identity, state, held == null ? null : held.certificate());
        }

        synchronized void close() {
            closed = true;
            if (due != null) {
                due.cancel(false);
            }
            first.completeExceptionally(
                    ProxyException.of(FailureReason.NO_CERTIFICATE, identity + " has left this node"));
        }
    }

    private static Instant renewalOf(WorkloadCertificate certificate) {
        var life = Duration.between(certificate.notBefore(), certificate.notAfter());
        return certificate.notBefore().plus(life.dividedBy(2));
    }

    private static Duration max(Duration a, Duration b) {
        return a.compareTo(b) > 0 ? a : b;
    }
}
