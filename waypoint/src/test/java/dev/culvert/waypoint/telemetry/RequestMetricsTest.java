package dev.culvert.waypoint.telemetry;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import com.google.protobuf.TextFormat;
import dev.culvert.mesh.model.identity.SpiffeId;
import dev.culvert.mesh.model.state.Change;
import dev.culvert.mesh.model.wire.AddressReader;
import dev.culvert.mesh.model.workload.Service;
import dev.culvert.mesh.model.workload.Workload;
import dev.culvert.protos.waypoint.Telemetry;
import dev.culvert.protos.workload.Address;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.Arrays;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/// The labels that dashboards join by, to the letter (l7-telemetry §2 and §3).
class RequestMetricsTest {
    private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
    private final RequestMetrics metrics = new RequestMetrics(registry);

    private static dev.culvert.protos.workload.Workload.Builder pod(String name) {
        return dev.culvert.protos.workload.Workload.newBuilder()
                .setUid("Kubernetes//Pod/quay/" + name + "-1")
                .setName(name + "-1")
                .setNamespace("quay")
                .setServiceAccount(name)
                .setWorkloadName(name)
                .setCanonicalName(name + "-app")
                .setClusterId("Kubernetes")
                .addAddresses(ByteString.copyFrom(new byte[] {10, 1, 0, 1}));
    }

    private static Workload workload(dev.culvert.protos.workload.Workload.Builder built) {
        return ((Change.PutWorkload) AddressReader.read(
                        Address.newBuilder().setWorkload(built).build()))
                .workload();
    }

    private static Service service() {
        return ((Change.PutService) AddressReader.read(Address.newBuilder()
                        .setService(dev.culvert.protos.workload.Service.newBuilder()
                                .setName("berth")
                                .setNamespace("quay")
                                .setHostname("berth.quay.svc.cluster.local"))
                        .build()))
                .service();
    }

    private String labels(String meter) {
        return registry.get(meter).meter().getId().getTags().stream()
                .map(RequestMetricsTest::text)
                .sorted()
                .collect(Collectors.joining("\n"));
    }

    private static String text(Tag tag) {
        return tag.getKey() + "=" + tag.getValue();
    }

    private static RequestMetrics.Key key(Workload client, Workload to, String protocol, int status) {
        return new RequestMetrics.Key(
                client,
                new SpiffeId("cluster.local", "quay", "portal"),
                to,
                service(),
                protocol,
                status,
                "",
                "-",
                MetricRules.Values.NONE);
    }

    @Test
    void aRequestHasIstiosTwentyFiveLabels() {
        var client = workload(pod("portal"));
        var server = workload(pod("berth").setCanonicalRevision("v2"));
        metrics.ended(key(client, server, "http", 200), Duration.ofMillis(3), 10, 20);
        assertThat(labels("istio_requests")).isEqualTo("""
                connection_security_policy=mutual_tls
                destination_app=berth-app
                destination_canonical_revision=v2
                destination_canonical_service=berth-app
                destination_cluster=Kubernetes
                destination_principal=spiffe://cluster.local/ns/quay/sa/berth
                destination_service=berth.quay.svc.cluster.local
                destination_service_name=berth
                destination_service_namespace=quay
                destination_version=v2
                destination_workload=berth
                destination_workload_namespace=quay
                grpc_response_status=
                reporter=waypoint
                request_protocol=http
                response_code=200
                response_flags=-
                source_app=portal-app
                source_canonical_revision=latest
                source_canonical_service=portal-app
                source_cluster=Kubernetes
                source_principal=spiffe://cluster.local/ns/quay/sa/portal
                source_version=unknown
                source_workload=portal
                source_workload_namespace=quay""");
    }

    @Test
    void whatNobodyKnowsIsUnknown() {
        metrics.ended(
                new RequestMetrics.Key(
                        null,
                        new SpiffeId("cluster.local", "quay", "portal"),
                        null,
                        null,
                        "http",
                        0,
                        "",
                        "DC",
                        MetricRules.Values.NONE),
                Duration.ZERO,
                0,
                0);
        assertThat(labels("istio_requests"))
                .contains(
                        "destination_canonical_revision=unknown",
                        "destination_principal=unknown",
                        "destination_service=unknown",
                        "destination_workload=unknown",
                        "response_code=0",
                        "response_flags=DC",
                        "source_canonical_revision=unknown",
                        "source_workload=unknown",
                        "source_workload_namespace=quay");
    }

    @Test
    void histogramsHaveIstiosBuckets() {
        metrics.ended(key(workload(pod("portal")), workload(pod("berth")), "grpc", 200), Duration.ofMillis(3), 10, 20);
        for (var name :
                new String[] {"istio_request_duration_milliseconds", "istio_request_bytes", "istio_response_bytes"}) {
            var buckets = registry.get(name).summary().takeSnapshot().histogramCounts();
            assertThat(Arrays.stream(buckets)
                            .mapToDouble(bucket -> bucket.bucket())
                            .toArray())
                    .as(name)
                    .containsExactly(
                            0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000, 60000, 300000, 600000,
                            1800000, 3600000);
        }
    }

    @Test
    void aConnectionIsCountedWhileItIsOpenAndHasNoStatus() {
        var key = key(workload(pod("portal")), workload(pod("berth")), "tcp", 0);
        var connection = metrics.opened(key);
        connection.moved(100, 7);
        connection.moved(150, 7);
        assertThat(registry.get("istio_tcp_connections_opened").counter().count())
                .isEqualTo(1);
        assertThat(registry.get("istio_tcp_received_bytes").counter().count()).isEqualTo(150);
        assertThat(registry.get("istio_tcp_sent_bytes").counter().count()).isEqualTo(7);
        assertThat(registry.get("istio_tcp_connections_closed").counter().count())
                .isZero();
        metrics.closed(key);
        assertThat(registry.get("istio_tcp_connections_closed").counter().count())
                .isEqualTo(1);
        assertThat(labels("istio_tcp_sent_bytes"))
                .contains("request_protocol=tcp")
                .doesNotContain("response_code", "grpc_response_status");
    }

    private static MetricRules rules(String text) throws Exception {
        return MetricRules.of(TextFormat.parse(text, Telemetry.class).getMetricsList());
    }

    private static RequestMetrics.Key with(MetricRules rules) {
        return new RequestMetrics.Key(
                workload(pod("portal")),
                new SpiffeId("cluster.local", "quay", "portal"),
                workload(pod("berth")),
                service(),
                "http",
                200,
                "",
                "-",
                rules.of(Entries::answered));
    }

    @Test
    void labelsAreAddedChangedAndTakenAwayAsUsersSay() throws Exception {
        var key = with(rules("""
                metrics {metrics: REQUEST_COUNT labels {name: 'pier' value: "'nine'"} labels {name: 'source_app' value: 'request.method'}}
                metrics {labels {name: 'response_flags'} labels {name: 'none' value: "request.headers['x-none']"}}
                metrics {metrics: REQUEST_COUNT labels {name: 'pier' value: "request.headers['x-tide']"}}
                metrics {metrics: REQUEST_SIZE disabled: true}
                """));
        metrics.ended(key, Duration.ofMillis(3), 10, 20);
        assertThat(labels("istio_requests"))
                .contains("pier=high water", "source_app=GET", "none=unknown", "response_code=200")
                .doesNotContain("response_flags", "nine", "source_app=portal-app");
        assertThat(labels("istio_request_duration_milliseconds"))
                .contains("source_app=portal-app", "none=unknown")
                .doesNotContain("pier", "response_flags");
        assertThat(registry.find("istio_request_bytes").meter()).isNull();
        assertThat(registry.get("istio_response_bytes").summary().count()).isEqualTo(1);
    }

    @Test
    void metricsAreOffAndOnAgainAndAreTheSameWhereTheirLabelsAre() throws Exception {
        metrics.ended(with(rules("metrics {disabled: true}")), Duration.ZERO, 0, 0);
        assertThat(registry.getMeters())
                .allMatch(meter -> !meter.getId().getName().startsWith("istio_"));
        var some = rules(
                "metrics {disabled: true} metrics {metrics: REQUEST_COUNT disabled: false labels {name: 'a' value: '1'}}");
        metrics.ended(with(some), Duration.ZERO, 0, 0);
        metrics.ended(
                with(rules("metrics {metrics: REQUEST_COUNT labels {name: 'a' value: \"'1'\"}}")), Duration.ZERO, 0, 0);
        assertThat(registry.get("istio_requests").counter().count()).isEqualTo(2);
        assertThat(some)
                .isEqualTo(
                        rules(
                                "metrics {disabled: true} metrics {metrics: REQUEST_COUNT disabled: false labels {name: 'a' value: '1'}}"));
    }
}
