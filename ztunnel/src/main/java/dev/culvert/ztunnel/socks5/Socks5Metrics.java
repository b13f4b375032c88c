package dev.culvert.ztunnel.socks5;

import dev.culvert.daemon.metrics.MetricFamily;
import io.micrometer.core.instrument.MeterRegistry;

/// Counts what SOCKS5 refuses. Thread-safe.
public final class Socks5Metrics {
    public static final MetricFamily REFUSED = MetricFamily.counter(
            "culvert_socks5_refused_total",
            "SOCKS5 requests refused, by reply code (RFC 1928 §6) or reason: method, version, timeout or limit",
            "reply");

    private final MeterRegistry registry;

    public Socks5Metrics(MeterRegistry registry) {
        this.registry = registry;
    }

    void refused(String reply) {
        registry.counter(REFUSED.base(), "reply", reply).increment();
    }
}
