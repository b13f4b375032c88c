package dev.culvert.ztunnel.dns;

import dev.culvert.daemon.metrics.MetricFamily;
import dev.culvert.mesh.model.workload.Workload;
import dev.culvert.ztunnel.dns.message.Query;
import dev.culvert.ztunnel.dns.message.RecordType;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import java.time.Duration;
import java.util.List;
import java.util.Locale;

/// Istio's metrics of the DNS proxy, and ours of its limits. Thread-safe.
public final class DnsMetrics {
    private static final String[] LABELS = {
        "request_query_type", "request_protocol", "source_canonical_service", "source_canonical_revision"
    };
    private static final MetricFamily REQUESTS =
            MetricFamily.counter("istio_dns_requests_total", "DNS questions of pods", LABELS);
    private static final MetricFamily FORWARDED = MetricFamily.counter(
            "istio_dns_upstream_requests_total", "DNS questions passed on to the name servers", LABELS);
    private static final MetricFamily FAILURES = MetricFamily.counter(
            "istio_dns_upstream_failures_total", "DNS questions that no name server answered well", LABELS);
    private static final MetricFamily SECONDS = new MetricFamily(
            "istio_dns_upstream_request_duration_seconds",
            MetricFamily.Type.HISTOGRAM,
            List.of(LABELS),
            "Time until a name server answered",
            "seconds",
            false);
    private static final MetricFamily LIMITED = MetricFamily.counter(
            "culvert_dns_limited_total",
            "DNS questions or connections refused by a limit: process, pod or connections",
            "limit");
    private static final MetricFamily MALFORMED =
            MetricFamily.counter("culvert_dns_malformed_total", "DNS messages of pods that are no question to answer");
    private static final MetricFamily IGNORED = MetricFamily.counter(
            "culvert_dns_upstream_ignored_total", "Messages of name servers that answer another question");

    public static final List<MetricFamily> FAMILIES =
            List.of(REQUESTS, FORWARDED, FAILURES, SECONDS, LIMITED, MALFORMED, IGNORED);

    private static final double[] BOUNDS = {0.0005, 0.001, 0.01, 0.1, 1, 5};

    private final MeterRegistry registry;

    public DnsMetrics(MeterRegistry registry) {
        this.registry = registry;
        registry.counter(MALFORMED.base());
        registry.counter(IGNORED.base());
    }

    private static Tags tags(Query query, Transport transport, Workload client) {
        return Tags.of(
                LABELS[0], RecordType.text(query.type()).toLowerCase(Locale.ROOT),
                LABELS[1], transport.label(),
                LABELS[2], orUnknown(client.names().canonicalName()),
                LABELS[3], orUnknown(client.names().canonicalRevision()));
    }

    private static String orUnknown(String value) {
        return value.isEmpty() ? "unknown" : value;
    }

    void asked(Query query, Transport transport, Workload client) {
        registry.counter(REQUESTS.base(), tags(query, transport, client)).increment();
    }

    void forwarded(Query query, Transport transport, Workload client) {
        registry.counter(FORWARDED.base(), tags(query, transport, client)).increment();
    }

    void failed(Query query, Transport transport, Workload client) {
        registry.counter(FAILURES.base(), tags(query, transport, client)).increment();
    }

    void took(Query query, Transport transport, Workload client, Duration time) {
        DistributionSummary.builder(SECONDS.base())
                .serviceLevelObjectives(BOUNDS)
                .tags(tags(query, transport, client))
                .register(registry)
                .record(time.toNanos() / 1e9);
    }

    void limited(String limit) {
        registry.counter(LIMITED.base(), "limit", limit).increment();
    }

    void malformed() {
        registry.counter(MALFORMED.base()).increment();
    }

    void ignored() {
        registry.counter(IGNORED.base()).increment();
    }
}
