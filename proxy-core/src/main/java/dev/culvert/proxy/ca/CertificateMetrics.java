package dev.culvert.proxy.ca;

import dev.culvert.daemon.metrics.MetricFamily;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import java.util.List;

/// What the certificates of a [CertificateStore] look like from outside: the alarm when renewal fails.
public final class CertificateMetrics {
    private static final MetricFamily FAILURES = MetricFamily.counter(
            "culvert_certificate_failures_total",
            "Fetches of a certificate that failed, by whether a valid one was there to be kept: true or false",
            "kept");
    private static final MetricFamily EXPIRY = MetricFamily.gauge(
            "culvert_certificate_expiry_timestamp_seconds",
            "When the first of the certificates held ends, in seconds since 1970; 0 without any");

    public static final List<MetricFamily> FAMILIES = List.of(FAILURES, EXPIRY);

    private CertificateMetrics() {}

    /// @param store must be referenced from elsewhere for as long as the metrics are read
    public static void register(MeterRegistry registry, CertificateStore store) {
        for (var kept : List.of(true, false)) {
            registry.more()
                    .counter(
                            FAILURES.name(),
                            Tags.of("kept", kept.toString()),
                            store,
                            certificates -> certificates.failures(kept));
        }
        registry.gauge(EXPIRY.name(), store, CertificateStore::firstExpiry);
    }
}
