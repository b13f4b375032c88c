package dev.culvert.waypoint.http;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import com.google.protobuf.TextFormat;
import com.sun.net.httpserver.HttpServer;
import dev.culvert.daemon.log.AccessFormat;
import dev.culvert.daemon.log.LogSetup;
import dev.culvert.protos.otlp.ExportTraceServiceRequest;
import dev.culvert.protos.otlp.Span;
import dev.culvert.protos.waypoint.Protocol;
import dev.culvert.protos.waypoint.Telemetry;
import dev.culvert.waypoint.trace.Collectors;
import dev.culvert.waypoint.trace.TraceSettings;
import dev.culvert.waypoint.trace.Tracing;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/// What is told of requests through a whole waypoint is what the controller says at that moment.
class TelemetryTest {
    private static final Logger READY = (Logger) LoggerFactory.getLogger(LogSetup.READY_LINES);

    private final ListAppender<ILoggingEvent> lines = new ListAppender<>();
    private final List<ExportTraceServiceRequest> exported = new CopyOnWriteArrayList<>();
    private final List<Map<String, List<String>>> seen = new CopyOnWriteArrayList<>();
    private Harbour harbour;
    private Collectors collectors;
    private HttpServer http;

    @BeforeEach
    void start() throws Exception {
        lines.start();
        READY.addAppender(lines);
        http = HttpServer.create(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0), 64);
        http.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        http.createContext("/", exchange -> {
            try (exchange) {
                seen.add(Map.copyOf(exchange.getRequestHeaders()));
                exchange.getResponseHeaders().set("x-berth", "nine");
                exchange.sendResponseHeaders(exchange.getRequestURI().getPath().equals("/no") ? 404 : 200, -1);
            }
        });
        http.createContext("/spans", exchange -> {
            try (exchange) {
                exported.add(ExportTraceServiceRequest.parseFrom(exchange.getRequestBody()));
                exchange.sendResponseHeaders(200, -1);
            }
        });
        http.start();
        var settings = new TraceSettings(Optional.empty(), 0, Duration.ofSeconds(10), Map.of("service.name", "w"));
        var calls = new OwnCalls(() -> harbour.serving, () -> harbour.workers.getFirst());
        collectors = new Collectors(settings, calls, new io.micrometer.core.instrument.simple.SimpleMeterRegistry());
        harbour = new Harbour(
                AccessFormat.TEXT, new Tracing(0, null, collectors::of, name -> name.equals("TIDE") ? "high" : null));
        harbour.endpoints(http.getAddress().getPort());
        tell("access_logs {own {}}");
    }

    @AfterEach
    void stop() {
        READY.detachAppender(lines);
        http.stop(0);
        harbour.close();
        collectors.close();
    }

    private void tell(String telemetry) throws Exception {
        harbour.configure(
                Harbour.config(Protocol.HTTP1, "").setTelemetry(TextFormat.parse(telemetry, Telemetry.class)));
    }

    /// @return the lines of this call
    private List<String> call(String path, Map<String, String> headers) throws Exception {
        lines.list.clear();
        harbour.call(false, new Harbour.Request("GET", path, headers, ""));
        harbour.workers.getFirst().loop().submit(() -> {}).get();
        return lines.list.stream().map(ILoggingEvent::getFormattedMessage).toList();
    }

    @Test
    void aFormatAndItsChangeCountFromTheNextRequestOn() throws Exception {
        assertThat(call("/a", Map.of())).singleElement().asString().startsWith("[20");
        tell("access_logs {text: '%REQ(:METHOD)% %REQ(:PATH)% %RESPONSE_CODE% %RESP(X-BERTH)%"
                + " %DOWNSTREAM_PEER_URI_SAN% %REQ(X-FORWARDED-CLIENT-CERT)%'}");
        assertThat(call("/a?x=1", Map.of("x-forwarded-client-cert", "forged")))
                .containsExactly("GET /a?x=1 200 nine spiffe://cluster.local/ns/quay/sa/portal"
                        + " By=spiffe://cluster.local/ns/quay/sa/w;URI=spiffe://cluster.local/ns/quay/sa/portal");
        tell("access_logs {json: '{\"code\": \"%RESPONSE_CODE%\", \"who\": \"%REQ(X-WHO)%\"}'}");
        assertThat(call("/a", Map.of())).containsExactly("{\"code\":200,\"who\":null}");
        tell("spans {}");
        assertThat(call("/a", Map.of())).isEmpty();
        tell("access_logs {text: '%PROTOCOL%'} access_logs {own {} filter: 'response.code == 404'}");
        assertThat(call("/a", Map.of())).containsExactly("HTTP/1.1");
        assertThat(call("/no", Map.of())).hasSize(2);
    }

    @Test
    void aFilterDecidesAndOneThatIsNoneHidesNothing() throws Exception {
        tell("access_logs {text: '%RESPONSE_CODE%' filter: 'response.code >= 400'}");
        assertThat(call("/a", Map.of())).isEmpty();
        assertThat(call("/no", Map.of())).containsExactly("404");
        tell("access_logs {text: '%RESPONSE_CODE%' filter: \"request.headers['x-tide'] == 'high'\"}");
        assertThat(call("/a", Map.of())).isEmpty();
        assertThat(call("/a", Map.of("x-tide", "high"))).containsExactly("200");
        tell("access_logs {text: '%RESPONSE_CODE%' filter: \"response.code == '404'\"}");
        assertThat(call("/a", Map.of())).containsExactly("200");
        tell("access_logs {text: '%RESPONSE_CODE%' filter: 'response.cod'}");
        assertThat(call("/a", Map.of())).containsExactly("200");
    }

    private List<Span> spans() {
        return exported.stream()
                .flatMap(one -> one.getResourceSpansList().stream())
                .flatMap(one -> one.getScopeSpansList().stream())
                .flatMap(one -> one.getSpansList().stream())
                .toList();
    }

    private static Map<String, String> tags(Span span) {
        return span.getAttributesList().stream()
                .collect(java.util.stream.Collectors.toMap(
                        one -> one.getKey(), one -> one.getValue().getStringValue()));
    }

    @Test
    void spansGoToWhomUsersNameWithTheirTags() throws Exception {
        var collector = "collector {url: 'http://127.0.0.1:" + http.getAddress().getPort() + "/spans'} ";
        tell("spans {share: 0 " + collector + "}");
        call("/quiet", Map.of());
        tell("spans {disabled: true share: 1000000 " + collector + "}");
        call("/off", Map.of("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"));
        tell("spans {share: 1000000 " + collector + "tags {name: 'pier' literal: 'nine'}"
                + " tags {name: 'who' header {name: 'x-who' otherwise: 'nobody'}}"
                + " tags {name: 'crew' header {name: 'x-crew'}}"
                + " tags {name: 'tide' environment {name: 'TIDE'}}"
                + " tags {name: 'wind' environment {name: 'WIND' otherwise: 'calm'}}}");
        call("/told", Map.of("x-crew", "seven"));
        collectors.close();
        assertThat(spans()).hasSize(2);
        var server = spans().getFirst();
        assertThat(tags(server))
                .containsEntry("pier", "nine")
                .containsEntry("who", "nobody")
                .containsEntry("crew", "seven")
                .containsEntry("tide", "high")
                .containsEntry("wind", "calm")
                .containsEntry("http.status_code", "200");
        assertThat(tags(server).get("http.url")).endsWith("/told");
        // Headers of a trace that nobody is told of pass as they are, and those of a new one are written.
        assertThat(seen.get(1).get("Traceparent"))
                .containsExactly("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
        assertThat(seen.get(2).get("Traceparent")).singleElement().asString().endsWith("-01");
    }

    @Test
    void aCollectorThatIsNoneHoldsNothingUp() throws Exception {
        tell("access_logs {text: '%RESPONSE_CODE%'} spans {share: 1000000 collector {url: 'http://a b/'}}");
        assertThat(call("/a", Map.of())).containsExactly("200");
        tell("access_logs {text: '%RESPONSE_CODE%'} spans {share: 1000000 collector {url: 'nowhere'}}");
        assertThat(call("/a", Map.of())).containsExactly("200");
    }

    /// A pattern that is none, and a format that is none, are left out.
    @Test
    void whatCannotBeUnderstoodDoesNotKeepRoutesAndPoliciesOut() throws Exception {
        tell("access_logs {text: '100%' filter: \"request.path.matches('(')\"}"
                + " metrics {labels {name: 'a' value: \"request.path.matches('(')\"}}");
        assertThat(call("/a", Map.of())).singleElement().asString().contains("] \"GET /a HTTP/1.1\" 200 ");
        assertThat(harbour.registry
                        .get("istio_requests")
                        .tags("a", "unknown")
                        .counter()
                        .count())
                .isEqualTo(1);
    }

    @Test
    void labelsOfMetricsAreThoseThatUsersAskFor() throws Exception {
        tell("metrics {metrics: REQUEST_COUNT labels {name: 'pier' value: \"'nine'\"}"
                + " labels {name: 'path' value: 'request.url_path'}} metrics {metrics: RESPONSE_SIZE disabled: true}");
        call("/a?x=1", Map.of());
        var count = harbour.registry.get("istio_requests").tags("pier", "nine", "path", "/a", "reporter", "waypoint");
        assertThat(count.counter().count()).isEqualTo(1);
        assertThat(harbour.registry.find("istio_response_bytes").meter()).isNull();
        assertThat(harbour.registry.get("istio_request_bytes").summary().count())
                .isEqualTo(1);
    }
}
