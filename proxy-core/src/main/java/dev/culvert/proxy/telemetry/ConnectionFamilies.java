package dev.culvert.proxy.telemetry;

import dev.culvert.daemon.metrics.MetricFamily;
import java.util.List;

/// What [ConnectionMetrics] counts, as the outside sees it.
public final class ConnectionFamilies {
    /// Istio's label set of the TCP metrics, in its order.
    static final List<String> TRAFFIC = List.of(
            "reporter",
            "source_workload",
            "source_canonical_service",
            "source_canonical_revision",
            "source_workload_namespace",
            "source_principal",
            "source_app",
            "source_version",
            "source_cluster",
            "destination_service",
            "destination_service_namespace",
            "destination_service_name",
            "destination_workload",
            "destination_canonical_service",
            "destination_canonical_revision",
            "destination_workload_namespace",
            "destination_principal",
            "destination_app",
            "destination_version",
            "destination_cluster",
            "request_protocol",
            "response_flags",
            "connection_security_policy",
            "source_region",
            "source_zone",
            "destination_region",
            "destination_zone");

    static final List<String> ON_DEMAND_DNS = List.of(
            "source_workload",
            "source_canonical_service",
            "source_canonical_revision",
            "source_workload_namespace",
            "source_principal",
            "source_app",
            "source_version",
            "source_cluster",
            "hostname");

    public static final List<MetricFamily> ALL = List.of(
            traffic("istio_tcp_connections_opened_total", "TCP connections opened"),
            traffic("istio_tcp_connections_closed_total", "TCP connections closed"),
            traffic("istio_tcp_connections_failed_total", "TCP connections closed with a response flag"),
            traffic("istio_tcp_received_bytes_total", "Bytes from client to server")
                    .withZeros(),
            traffic("istio_tcp_sent_bytes_total", "Bytes from server to client").withZeros(),
            MetricFamily.gauge("istio_tcp_sockets_open", "Accepted sockets that are open now", "reporter"),
            MetricFamily.counter(
                    "istio_on_demand_dns_total",
                    "Names of workloads without an address that were looked up",
                    ON_DEMAND_DNS.toArray(String[]::new)),
            MetricFamily.counter(
                    "culvert_metric_label_overflow_total",
                    "Events not counted by label because there are too many label sets"));

    private ConnectionFamilies() {}

    private static MetricFamily traffic(String name, String help) {
        return MetricFamily.counter(name, help, TRAFFIC.toArray(String[]::new));
    }
}
