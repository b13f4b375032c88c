package dev.culvert.proxy.xds;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import dev.culvert.daemon.metrics.OpenMetrics;
import dev.culvert.protos.discovery.DeltaDiscoveryResponse;
import dev.culvert.protos.discovery.Resource;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.StringWriter;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class XdsMetricsTest {
    @Test
    void samplesAreIstios() throws Exception {
        var registry = new SimpleMeterRegistry();
        var metrics = new XdsMetrics(registry);
        metrics.message(DeltaDiscoveryResponse.newBuilder()
                .setTypeUrl(MeshResources.ADDRESS)
                .addResources(Resource.newBuilder()
                        .setResource(Any.newBuilder().setValue(ByteString.copyFromUtf8("twelve bytes"))))
                .build());
        for (var reason : XdsMetrics.Reason.values()) {
            metrics.ended(reason);
        }
        var out = new StringWriter();
        OpenMetrics.write(XdsMetrics.FAMILIES, registry, out);

        assertThat(out.toString().lines())
                .contains(
                        "# TYPE istio_xds_connection_terminations counter",
                        "istio_xds_connection_terminations_total{reason=\"ConnectionError\"} 1",
                        "istio_xds_connection_terminations_total{reason=\"Error\"} 1",
                        "istio_xds_connection_terminations_total{reason=\"Reconnect\"} 1",
                        "istio_xds_connection_terminations_total{reason=\"Complete\"} 1",
                        "istio_xds_message_total{url=\"type.googleapis.com/istio.workload.Address\"} 1",
                        "# UNIT istio_xds_message_bytes bytes",
                        "istio_xds_message_bytes_total{url=\"type.googleapis.com/istio.workload.Address\"} 12");
    }

    @Test
    void nodeMetadataMayBeAnyJson() {
        var node = new XdsClient.NodeId(
                        "ztunnel~1.1.1.1~a.b~b.svc.cluster.local",
                        Map.of(
                                "NAME",
                                "a",
                                "LABELS",
                                Map.of("n", 1, "list", Arrays.asList(true, null), "none", List.of())))
                .toProto();
        assertThat(node.getMetadata().getFieldsOrThrow("NAME").getStringValue()).isEqualTo("a");
        var labels = node.getMetadata().getFieldsOrThrow("LABELS").getStructValue();
        assertThat(labels.getFieldsOrThrow("n").getNumberValue()).isEqualTo(1);
        assertThat(labels.getFieldsOrThrow("list").getListValue().getValues(0).getBoolValue())
                .isTrue();
        assertThat(labels.getFieldsOrThrow("list").getListValue().getValues(1).hasNullValue())
                .isTrue();
        assertThat(labels.getFieldsOrThrow("none").getListValue().getValuesCount())
                .isZero();
    }
}
