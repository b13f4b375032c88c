package dev.culvert.proxy.ca;

import static org.assertj.core.api.Assertions.assertThat;

import dev.culvert.hbone.failure.FailureReason;
import dev.culvert.hbone.failure.ProxyException;
import dev.culvert.hbone.tls.HboneTls;
import dev.culvert.hbone.tls.WorkloadCertificate;
import dev.culvert.mesh.model.identity.SpiffeId;
import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// One fetch an identity, renewal at half life, what holds while there is no certificate. The authority signs for
/// an hour, beside the minute that has passed already.
@Timeout(240)
class CertificateStoreTest {
    private static final SpiffeId CART = new SpiffeId("cluster.local", "shop", "cart");
    private static final Duration HALF = Duration.ofSeconds((61 * 60) / 2 - 60);

    /// The system's, moved.
    private static final class MovedClock extends Clock {
        private volatile Duration by = Duration.ZERO;

        @Override
        public Instant instant() {
            return Instant.now().plus(by);
        }

        @Override
        public ZoneId getZone() {
            return ZoneOffset.UTC;
        }

        @Override
        public Clock withZone(ZoneId zone) {
            return this;
        }
    }

    private final MovedClock clock = new MovedClock();
    private final TestAuthority authority = new TestAuthority();
    private final List<SpiffeId> asked = new CopyOnWriteArrayList<>();
    private final AtomicInteger running = new AtomicInteger();
    private final AtomicInteger mostRunning = new AtomicInteger();
    private volatile boolean refusing;
    private volatile Semaphore gate = new Semaphore(10_000);
    private final CertificateStore store = new CertificateStore(this::sign, null, clock);

    CertificateStoreTest() throws IOException {}

    private WorkloadCertificate sign(SpiffeId identity) throws IOException {
        asked.add(identity);
        mostRunning.accumulateAndGet(running.incrementAndGet(), Math::max);
        try {
            gate.acquireUninterruptibly();
            if (refusing) {
                throw new IOException("UNAUTHENTICATED: request impersonation authentication failure");
            }
            return authority.fetch(identity);
        } finally {
            running.decrementAndGet();
        }
    }

    @AfterEach
    void close() {
        gate.release(1000);
        store.close();
    }

    private static void await(BooleanSupplier condition) throws InterruptedException {
        while (!condition.getAsBoolean()) {
            TimeUnit.MILLISECONDS.sleep(5);
        }
    }

    private String state() {
        return store.statuses().getFirst().state();
    }

    private static WorkloadCertificate of(CompletableFuture<HboneTls> tls) throws Exception {
        return tls.get(60, TimeUnit.SECONDS).certificate();
    }

    private static FailureReason reason(CompletableFuture<HboneTls> tls) throws Exception {
        return tls.handle((_, failure) -> ProxyException.of(failure).reason()).get(60, TimeUnit.SECONDS);
    }

    @Test
    void whoAsksDoesNotWaitForTheEndOfALongPause() throws Exception {
        var pauses = new CertificateStore.Pauses(Duration.ofHours(1), Duration.ofHours(1), Duration.ofMillis(10));
        try (var patient = new CertificateStore(this::sign, clock, pauses)) {
            refusing = true;
            assertThat(reason(patient.tls(CART))).isEqualTo(FailureReason.NO_CERTIFICATE);
            refusing = false;
            await(() ->
                    patient.tls(CART).handle((_, failure) -> failure == null).join());
            assertThat(asked).hasSize(2);
        }
    }

    @Test
    void whoComesEarlyWaitsAndAllShareOneFetch() throws Exception {
        gate = new Semaphore(0);
        var waiting = IntStream.range(0, 50).mapToObj(_ -> store.tls(CART)).toList();
        await(() -> asked.size() == 1);
        assertThat(state()).isEqualTo("Initializing");
        assertThat(waiting).noneMatch(CompletableFuture::isDone);
        gate.release();
        for (var one : waiting) {
            assertThat(of(one).identity()).isEqualTo(CART);
        }
        assertThat(asked).hasSize(1);
        assertThat(state()).isEqualTo("Available");
    }

    @Test
    void eightAreAskedForAtATime() throws Exception {
        gate = new Semaphore(0);
        IntStream.range(0, 20).forEach(i -> store.prefetch(new SpiffeId("cluster.local", "shop", "sa" + i)));
        await(() -> asked.size() == 8);
        gate.release(20);
        await(() -> asked.size() == 20 && running.get() == 0);
        assertThat(mostRunning).hasValue(8);
    }

    @Test
    void itIsRenewedAtHalfLife() throws Exception {
        clock.by = HALF.minusSeconds(2);
        var first = of(store.tls(CART));
        assertThat(asked).hasSize(1);
        clock.by = Duration.ZERO; // what comes next is due in half an hour
        await(() -> !of(store, CART).equals(first));
        assertThat(asked).hasSize(2);
    }

    private static WorkloadCertificate of(CertificateStore store, SpiffeId identity) {
        return store.tls(identity).join().certificate();
    }

    @Test
    void withoutACertificateConnectionsFailAtOnceUntilARetryBringsOne() throws Exception {
        refusing = true;
        assertThat(reason(store.tls(CART))).isEqualTo(FailureReason.NO_CERTIFICATE);
        assertThat(state()).isEqualTo("Unavailable: UNAUTHENTICATED: request impersonation authentication failure");
        assertThat(store.tls(CART)).isCompletedExceptionally();
        refusing = false;
        await(() -> state().equals("Available"));
        assertThat(of(store.tls(CART)).identity()).isEqualTo(CART);
    }

    @Test
    void theOldOneIsKeptWhileItIsValidAndNoLonger() throws Exception {
        clock.by = HALF.minusMillis(300);
        var first = of(store.tls(CART));
        refusing = true;
        await(() -> asked.size() >= 2 && running.get() == 0);
        assertThat(state()).isEqualTo("Available");
        assertThat(of(store.tls(CART))).isEqualTo(first);
        clock.by = Duration.ofHours(2);
        await(() -> state().startsWith("Unavailable: "));
        assertThat(reason(store.tls(CART))).isEqualTo(FailureReason.NO_CERTIFICATE);
    }

    /// The machine has slept past the end of a certificate, and its timers with it.
    @Test
    void anExpiredOneIsNotHandedOut() throws Exception {
        var first = of(store.tls(CART));
        clock.by = Duration.ofHours(2);
        assertThat(state()).isEqualTo("Initializing");
        gate = new Semaphore(0);
        var next = store.tls(CART);
        assertThat(next).isNotDone();
        clock.by = Duration.ZERO;
        gate.release();
        assertThat(of(next)).isNotEqualTo(first);
    }

    @Test
    void aForgottenIdentityIsNotAskedForAnyMore() throws Exception {
        refusing = true;
        gate = new Semaphore(0);
        var waiting = store.tls(CART);
        await(() -> asked.size() == 1);
        store.forget(CART);
        assertThat(reason(waiting)).isEqualTo(FailureReason.NO_CERTIFICATE);
        gate.release();
        await(() -> running.get() == 0);
        var other = new SpiffeId("cluster.local", "shop", "other");
        refusing = false;
        gate.release(10);
        of(store.tls(other));
        var retry = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(1500); // the first backoff is 1.2 s at most
        await(() -> System.nanoTime() > retry);
        assertThat(asked).containsExactly(CART, other);
        assertThat(store.statuses()).hasSize(1);
    }
}
