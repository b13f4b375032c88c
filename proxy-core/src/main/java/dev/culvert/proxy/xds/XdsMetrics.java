package dev.culvert.proxy.xds;

import dev.culvert.daemon.metrics.MetricFamily;
import dev.culvert.protos.discovery.DeltaDiscoveryResponse;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.List;

/// Istio's metrics of the xDS client. Thread-safe.
public final class XdsMetrics {
    private static final MetricFamily TERMINATIONS = MetricFamily.counter(
            "istio_xds_connection_terminations_total",
            "Streams to the control plane that ended, by reason: ConnectionError, Error, Reconnect or Complete",
            "reason");
    private static final MetricFamily MESSAGES =
            MetricFamily.counter("istio_xds_message_total", "Responses of the control plane, by type", "url");
    private static final MetricFamily BYTES = MetricFamily.counter(
                    "istio_xds_message_bytes_total", "Bytes of resources from the control plane, by type", "url")
            .withUnit("bytes");

    public static final List<MetricFamily> FAMILIES = List.of(TERMINATIONS, MESSAGES, BYTES);

    /// Why a stream ended.
    enum Reason {
        CONNECTION_ERROR("ConnectionError"),
        ERROR("Error"),
        RECONNECT("Reconnect"),
        COMPLETE("Complete");

        private final String label;

        Reason(String label) {
            this.label = label;
        }
    }

    private final MeterRegistry registry;

    public XdsMetrics(MeterRegistry registry) {
        this.registry = registry;
    }

    void ended(Reason reason) {
        registry.counter(TERMINATIONS.base(), "reason", reason.label).increment();
    }

    void message(DeltaDiscoveryResponse response) {
        var bytes = response.getResourcesList().stream()
                .mapToLong(resource -> resource.getResource().getValue().size())
                .sum();
        registry.counter(MESSAGES.base(), "url", response.getTypeUrl()).increment();
        registry.counter(BYTES.base(), "url", response.getTypeUrl()).increment((double) bytes);
    }
}
