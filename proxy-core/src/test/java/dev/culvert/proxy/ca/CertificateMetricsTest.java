package dev.culvert.proxy.ca;

import static org.assertj.core.api.Assertions.assertThat;

import dev.culvert.hbone.tls.WorkloadCertificate;
import dev.culvert.mesh.model.identity.SpiffeId;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(240)
class CertificateMetricsTest {
    private static final SpiffeId ID = new SpiffeId("cluster.local", "shop", "cart");

    /// Moves when it is told to.
    private static final class SetClock extends Clock {
        private volatile Instant now = Instant.now();

        @Override
        public Instant instant() {
            return now;
        }

        @Override
        public ZoneId getZone() {
            return ZoneOffset.UTC;
        }

        @Override
        public Clock withZone(ZoneId zone) {
            throw new UnsupportedOperationException();
        }
    }

    /// A real authority that can be away.
    private static final class Source implements CertificateSource {
        private final TestAuthority authority;
        private volatile boolean away;

        Source() throws IOException {
            authority = new TestAuthority();
        }

        @Override
        public WorkloadCertificate fetch(SpiffeId identity) throws IOException {
            if (away) {
                throw new IOException("the CA is away");
            }
            return authority.fetch(identity);
        }
    }

    private final SetClock clock = new SetClock();
    private final Source source = new Source();
    private final SimpleMeterRegistry registry = new SimpleMeterRegistry();

    CertificateMetricsTest() throws IOException {}

    private double failures(String kept) {
        return registry.get("culvert_certificate_failures_total")
                .tag("kept", kept)
                .functionCounter()
                .count();
    }

    private void awaitFailure(String kept) throws InterruptedException {
        while (failures(kept) == 0) {
            TimeUnit.MILLISECONDS.sleep(10);
        }
    }

    /// The authority's certificates live for an hour, so half an hour later one is due.
    @Test
    void aValidCertificateIsKeptWhileRenewalFailsAndTheFailureIsCounted() throws Exception {
        try (var store = new CertificateStore(source, null, clock)) {
            CertificateMetrics.register(registry, store);
            clock.now = clock.now.plus(Duration.ofMinutes(40));
            source.away = false;
            var first = store.tls(ID).get(20, TimeUnit.SECONDS);
            source.away = true; // the next fetch is due at once
            awaitFailure("true");
            assertThat(store.tls(ID).get().certificate().identity())
                    .isEqualTo(first.certificate().identity());
            assertThat(store.statuses())
                    .singleElement()
                    .matches(status -> status.state().equals("Available"));
            assertThat(registry.get("culvert_certificate_expiry_timestamp_seconds")
                            .gauge()
                            .value())
                    .isEqualTo((double)
                            store.tls(ID).get().certificate().notAfter().getEpochSecond());
            assertThat(failures("false")).isZero();
        }
    }

    @Test
    void withoutAValidCertificateConnectionsAreRefusedAtOnceUntilThereIsOne() throws Exception {
        source.away = true;
        try (var store = new CertificateStore(source, null, clock)) {
            CertificateMetrics.register(registry, store);
            assertThat(store.tls(ID)).failsWithin(Duration.ofSeconds(20));
            awaitFailure("false");
            assertThat(store.tls(ID)).isCompletedExceptionally();
            assertThat(store.statuses())
                    .singleElement()
                    .matches(status -> status.state().equals("Unavailable: the CA is away"));
            source.away = false;
            while (store.tls(ID).isCompletedExceptionally()) {
                TimeUnit.MILLISECONDS.sleep(10);
            }
            assertThat(store.tls(ID).get(20, TimeUnit.SECONDS).certificate().identity())
                    .isEqualTo(ID);
        }
    }
}
