package dev.culvert.waypoint.http;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import dev.culvert.daemon.log.AccessFormat;
import dev.culvert.protos.otlp.ExportTraceServiceRequest;
import dev.culvert.protos.otlp.Span;
import dev.culvert.protos.otlp.SpanKind;
import dev.culvert.protos.otlp.StatusCode;
import dev.culvert.protos.waypoint.Protocol;
import dev.culvert.waypoint.trace.SpanExporter;
import dev.culvert.waypoint.trace.TraceSettings;
import dev.culvert.waypoint.trace.Tracing;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Spans of requests through a whole waypoint, at a collector that is a real HTTP server.
class TracesTest {
    private static final String TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
    private static final String SPAN = "00f067aa0ba902b7";

    private final MeterRegistry registry = new SimpleMeterRegistry();
    private final List<Map<String, List<String>>> seen = new CopyOnWriteArrayList<>();
    private final List<ExportTraceServiceRequest> exported = new CopyOnWriteArrayList<>();
    private final AtomicInteger failing = new AtomicInteger();
    private volatile int collectorStatus = 200;
    private HttpServer http;
    private HttpServer collector;
    private OwnCalls calls;
    private @Nullable Harbour begun;

    @BeforeEach
    void start() throws Exception {
        http = server(exchange -> {
            seen.add(Map.copyOf(exchange.getRequestHeaders()));
            return failing.getAndDecrement() > 0 ? 503 : 200;
        });
        collector = server(exchange -> {
            assertThat(exchange.getRequestURI()).hasToString("/base/v1/traces");
            assertThat(exchange.getRequestHeaders().getFirst("content-type")).isEqualTo("application/x-protobuf");
            if (collectorStatus == 200) {
                exported.add(ExportTraceServiceRequest.parseFrom(exchange.getRequestBody()));
            }
            return collectorStatus;
        });
        calls = new OwnCalls(() -> harbour().serving, () -> harbour().workers.getFirst());
    }

    private interface Status {
        int of(com.sun.net.httpserver.HttpExchange exchange) throws IOException;
    }

    private static HttpServer server(Status status) throws IOException {
        var server = HttpServer.create(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0), 64);
        server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        server.createContext("/", exchange -> {
            try (exchange) {
                exchange.sendResponseHeaders(status.of(exchange), -1);
            }
        });
        server.start();
        return server;
    }

    private Harbour harbour() {
        return requireNonNull(begun);
    }

    private SpanExporter begin(double share, String endpoint) throws Exception {
        var uri = URI.create(endpoint);
        var settings =
                new TraceSettings(Optional.of(uri), share, Duration.ofSeconds(10), Map.of("service.name", "w.quay"));
        var exporter = new SpanExporter(uri, settings, calls, registry);
        begun = new Harbour(AccessFormat.OFF, new Tracing(share, exporter));
        harbour().endpoints(http.getAddress().getPort());
        harbour().configure(Harbour.config(Protocol.HTTP1, "retry {attempts: 2 conditions: 'gateway-error'}"));
        return exporter;
    }

    private String outside() {
        return "http://127.0.0.1:" + collector.getAddress().getPort() + "/base";
    }

    @AfterEach
    void stop() {
        harbour().close();
        http.stop(0);
        collector.stop(0);
    }

    /// The loop has done with the requests, and what they made has been sent.
    private void finish(SpanExporter exporter) throws Exception {
        harbour().workers.getFirst().loop().submit(() -> {}).get();
        exporter.close();
    }

    private List<Span> spans() {
        return exported.stream()
                .flatMap(one -> one.getResourceSpansList().stream())
                .flatMap(one -> one.getScopeSpansList().stream())
                .flatMap(one -> one.getSpansList().stream())
                .toList();
    }

    private static String hex(com.google.protobuf.ByteString bytes) {
        return HexFormat.of().formatHex(bytes.toByteArray());
    }

    private static String tag(Span span, String key) {
        return span.getAttributesList().stream()
                .filter(one -> one.getKey().equals(key))
                .map(one -> one.getValue().getStringValue())
                .findFirst()
                .orElse("");
    }

    private static Harbour.Request with(Map<String, String> headers) {
        return new Harbour.Request("GET", "/a?x=1", headers, "");
    }

    @Test
    void aTriedAgainRequestIsAServerSpanWithTwoClientSpans() throws Exception {
        try (var exporter = begin(0, outside())) {
            failing.set(1);
            var answer = harbour()
                    .call(false, with(Map.of("traceparent", "00-" + TRACE + "-" + SPAN + "-01", "tracestate", "a=1")));
            assertThat(answer.status).isEqualTo(200);
            finish(exporter);
        }
        var spans = spans();
        assertThat(spans).hasSize(3).allSatisfy(span -> {
            assertThat(hex(span.getTraceId())).isEqualTo(TRACE);
            assertThat(span.getName()).isEqualTo(Harbour.BERTH.hostname() + ":80/*");
            assertThat(span.getTraceState()).isEqualTo("a=1");
            assertThat(span.getEndTimeUnixNano()).isGreaterThan(span.getStartTimeUnixNano());
        });
        var server = spans.getFirst();
        assertThat(server.getKind()).isEqualTo(SpanKind.SPAN_KIND_SERVER);
        assertThat(hex(server.getParentSpanId())).isEqualTo(SPAN);
        assertThat(tag(server, "http.status_code")).isEqualTo("200");
        assertThat(tag(server, "http.method")).isEqualTo("GET");
        assertThat(tag(server, "http.url")).endsWith("/a?x=1");
        assertThat(tag(server, "upstream_cluster")).contains(Harbour.BERTH.hostname());
        assertThat(spans.subList(1, 3)).allSatisfy(client -> {
            assertThat(client.getKind()).isEqualTo(SpanKind.SPAN_KIND_CLIENT);
            assertThat(client.getParentSpanId()).isEqualTo(server.getSpanId());
            assertThat(tag(client, "upstream_address"))
                    .isEqualTo("127.0.0.1:" + http.getAddress().getPort());
        });
        // Each try was told of its own span.
        assertThat(seen).hasSize(2);
        for (var i = 0; i < 2; i++) {
            assertThat(seen.get(i).get("Traceparent"))
                    .containsExactly("00-" + TRACE + "-" + hex(spans.get(i + 1).getSpanId()) + "-01");
            assertThat(seen.get(i).get("Tracestate")).containsExactly("a=1");
        }
        assertThat(exported.getFirst()
                        .getResourceSpans(0)
                        .getResource()
                        .getAttributes(0)
                        .getValue()
                        .getStringValue())
                .isEqualTo("w.quay");
        assertThat(registry.counter("culvert_waypoint_spans_sent_total").count())
                .isEqualTo(3);
    }

    @Test
    void whatNobodyWantsTracedIsToldOnAndNotSent() throws Exception {
        try (var exporter = begin(1, outside())) {
            harbour()
                    .call(
                            false,
                            with(Map.of(
                                    "x-b3-traceid",
                                    TRACE,
                                    "x-b3-spanid",
                                    SPAN,
                                    "x-b3-sampled",
                                    "0",
                                    "x-b3-parentspanid",
                                    SPAN)));
            finish(exporter);
        }
        assertThat(spans()).isEmpty();
        var told = seen.getFirst();
        assertThat(told.get("X-b3-traceid")).containsExactly(TRACE);
        assertThat(told.get("X-b3-sampled")).containsExactly("0");
        assertThat(told.get("X-b3-spanid")).doesNotContain(SPAN);
        assertThat(told).doesNotContainKeys("Traceparent", "B3");
    }

    @Test
    void aTraceBeginsHereWhereNoneCame() throws Exception {
        try (var exporter = begin(1, outside())) {
            harbour().call(false, with(Map.of()));
            finish(exporter);
        }
        var spans = spans();
        assertThat(spans).hasSize(2);
        assertThat(spans.getFirst().getParentSpanId().isEmpty()).isTrue();
        assertThat(seen.getFirst().get("Traceparent"))
                .containsExactly("00-" + hex(spans.getFirst().getTraceId()) + "-"
                        + hex(spans.getLast().getSpanId()) + "-01");
    }

    @Test
    void whatFailsIsMarked() throws Exception {
        try (var exporter = begin(1, outside())) {
            failing.set(10);
            assertThat(harbour().call(false, with(Map.of())).status).isEqualTo(503);
            finish(exporter);
        }
        var server = spans().getFirst();
        assertThat(server.getStatus().getCode()).isEqualTo(StatusCode.STATUS_CODE_ERROR);
        assertThat(tag(server, "error")).isEqualTo("true");
        assertThat(tag(server, "response_flags")).isEqualTo("URX");
    }

    /// The collector may be a Service of the mesh: here it is the one that the waypoint itself serves.
    @Test
    void spansGoByTheMeshToACollectorInIt() throws Exception {
        try (var exporter = begin(1, "http://" + Harbour.BERTH.hostname() + ":80/base")) {
            harbour().endpoints(collector.getAddress().getPort());
            collectorStatus = 404; // of the request itself, which has no path of a collector
            harbour()
                    .call(
                            false,
                            new Harbour.Request(
                                    "GET", "/base/v1/traces", Map.of("content-type", "application/x-protobuf"), ""));
            collectorStatus = 200;
            finish(exporter);
        }
        assertThat(registry.counter("culvert_waypoint_spans_sent_total").count())
                .isEqualTo(2);
    }

    @Test
    void whatTheCollectorDoesNotTakeIsCountedAndTheRequestsGoOn() throws Exception {
        collectorStatus = 500;
        try (var exporter = begin(1, outside())) {
            assertThat(harbour().call(false, with(Map.of())).status).isEqualTo(200);
            finish(exporter);
        }
        assertThat(registry.counter("culvert_waypoint_spans_lost_total").count())
                .isEqualTo(2);
        assertThat(registry.counter("culvert_waypoint_spans_sent_total").count())
                .isZero();
    }
}
