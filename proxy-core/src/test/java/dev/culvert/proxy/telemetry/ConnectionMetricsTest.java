package dev.culvert.proxy.telemetry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.culvert.daemon.metrics.OpenMetrics;
import dev.culvert.mesh.model.state.Change;
import dev.culvert.mesh.model.state.MeshSnapshot;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.io.StringWriter;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

class ConnectionMetricsTest {
    private static final String LABELS = "reporter=\"source\",source_workload=\"cart-6d9f-x2l\","
            + "source_canonical_service=\"cart\",source_canonical_revision=\"v1\",source_workload_namespace=\"shop\","
            + "source_principal=\"spiffe://cluster.local/ns/shop/sa/cart\",source_app=\"cart\",source_version=\"v1\","
            + "source_cluster=\"Kubernetes\",destination_service=\"prices.shop.svc.cluster.local\","
            + "destination_service_namespace=\"shop\",destination_service_name=\"prices\","
            + "destination_workload=\"prices-7c4b-9qk\",destination_canonical_service=\"prices\","
            + "destination_canonical_revision=\"v1\",destination_workload_namespace=\"shop\","
            + "destination_principal=\"spiffe://cluster.local/ns/shop/sa/prices\",destination_app=\"prices\","
            + "destination_version=\"v1\",destination_cluster=\"Kubernetes\",request_protocol=\"tcp\","
            + "response_flags=\"%s\",connection_security_policy=\"mutual_tls\",source_region=\"r1\","
            + "source_zone=\"r1-a\",destination_region=\"r1\",destination_zone=\"r1-b\"";

    private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
    private Instant now = Instant.EPOCH;
    private final ConnectionMetrics metrics = new ConnectionMetrics(registry, () -> now);
    private final Traffic traffic = Shop.traffic(Traffic.Reporter.SOURCE, Shop.CART, true);

    @Test
    void samplesAreIstiosToTheLetter() throws Exception {
        metrics.socketOpened(Traffic.Reporter.SOURCE);
        var connection = metrics.opened(traffic);
        connection.bytes(312, 0);
        connection.closed("CONNECT");
        metrics.socketClosed(Traffic.Reporter.SOURCE);

        var good = "{" + LABELS.formatted("-") + "} ";
        var bad = "{" + LABELS.formatted("CONNECT") + "} ";
        assertThat(samples())
                .isEqualTo("istio_tcp_connections_opened_total" + good + "1\n"
                        + "istio_tcp_connections_closed_total" + bad + "1\n"
                        + "istio_tcp_connections_failed_total" + bad + "1\n"
                        + "istio_tcp_received_bytes_total" + good + "312\n"
                        + "istio_tcp_sent_bytes_total" + good + "0\n"
                        + "istio_tcp_sockets_open{reporter=\"source\"} 0\n"
                        + "culvert_metric_label_overflow_total 0\n");
    }

    @Test
    void nothingIsShownBeforeItHappened() throws Exception {
        assertThat(samples()).isEqualTo("culvert_metric_label_overflow_total 0\n");
    }

    @Test
    void theDeclaredLabelsAreTheOnesInUse() {
        assertThat(TrafficLabels.of(traffic, "-").stream().map(Tag::getKey))
                .containsExactlyInAnyOrderElementsOf(ConnectionFamilies.TRAFFIC);
    }

    @Test
    void labelSetsOfGonePodsGoAfterTheirLastConnection() throws Exception {
        var connection = metrics.opened(traffic);
        laterWith(MeshSnapshot.EMPTY);
        laterWith(MeshSnapshot.EMPTY);
        connection.bytes(312, 0);
        assertThat(samples()).contains("} 312\n");
        connection.closed("-");
        laterWith(MeshSnapshot.EMPTY);
        assertThat(samples()).isEqualTo("culvert_metric_label_overflow_total 0\n");
        assertThat(registry.getMeters()).hasSize(1);
    }

    @Test
    void labelSetsOfPresentPodsStayAndSoDoesTheirCount() throws Exception {
        var mesh = MeshSnapshot.EMPTY.with(
                List.of(new Change.PutWorkload(Shop.CART), new Change.PutWorkload(Shop.PRICES)));
        for (var turn = 0; turn < 3; turn++) {
            metrics.opened(traffic).closed("-");
            laterWith(mesh);
        }
        assertThat(samples()).contains("istio_tcp_connections_closed_total{" + LABELS.formatted("-") + "} 3\n");
    }

    private void laterWith(MeshSnapshot mesh) {
        now = now.plus(Duration.ofMinutes(6));
        metrics.forgetGone(mesh);
    }

    private String samples() throws IOException {
        var out = new StringWriter();
        OpenMetrics.write(ConnectionFamilies.ALL, registry, out);
        return out.toString().replaceAll("(?m)^#.*\n", "");
    }
}
