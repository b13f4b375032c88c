package dev.culvert.waypoint.http;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import com.google.protobuf.TextFormat;
import com.sun.net.httpserver.HttpServer;
import dev.culvert.daemon.log.AccessFormat;
import dev.culvert.daemon.log.LogSetup;
import dev.culvert.protos.waypoint.ServiceConfig;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.slf4j.LoggerFactory;

/// What Istio's access log says of requests through a whole waypoint, and the headers of traces that pass it.
class AccessLogTest {
    private static final Logger READY = (Logger) LoggerFactory.getLogger(LogSetup.READY_LINES);
    private static final Map<String, String> TRACE = Map.of(
            "traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "tracestate", "a=b",
            "b3", "80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-1",
            "x-b3-traceid", "463ac35c9f6413ad48485a3953bb6124",
            "x-b3-spanid", "a2fb4a1d1a96d312",
            "x-b3-sampled", "1",
            "baggage", "k=v",
            "x-request-id", "7f2d");

    private final ListAppender<ILoggingEvent> lines = new ListAppender<>();
    private final List<Map<String, List<String>>> seen = new CopyOnWriteArrayList<>();
    private Harbour harbour;
    private HttpServer http;

    @BeforeEach
    void start() throws Exception {
        lines.start();
        READY.addAppender(lines);
        harbour = new Harbour(AccessFormat.TEXT);
        http = HttpServer.create(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0), 64);
        http.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        http.createContext("/", exchange -> {
            try (exchange) {
                seen.add(Map.copyOf(exchange.getRequestHeaders()));
                exchange.sendResponseHeaders(200, -1);
            }
        });
        http.start();
        harbour.endpoints(http.getAddress().getPort());
        var backend = "backends {weight: 1 namespace: 'quay' hostname: '" + Harbour.BERTH.hostname() + "' port: ";
        harbour.configure(TextFormat.parse(
                "ports {number: 80 protocol: HTTP1"
                        + " routes {name: 'gone' matches {path {exact: '/gone'}} forward {" + backend + "81}}}"
                        + " routes {name: 'away' matches {path {exact: '/away'}} redirect {status: 302 full: '/'}}"
                        + " routes {name: 'r' matches {path {prefix: '/a'}} forward {" + backend + "80}}}}"
                        + " policies {name: 'p' namespace: 'quay' action: DENY rules {to {attributes {kind: METHOD"
                        + " values {exact: 'PUT'}}}}}",
                ServiceConfig.class)
                .toBuilder());
    }

    @AfterEach
    void stop() {
        READY.detachAppender(lines);
        http.stop(0);
        harbour.close();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "GET;/a?x=1;200 - via_upstream - \"-\" 0 0;inbound-vip|80|http|berth.quay.svc.cluster.local;r",
                "PUT;/a;403 - rbac_access_denied_matched_policy;- -;-",
                "GET;/b;404 NR route_not_found - \"-\" 0 0;- -;-",
                "GET;/away;302 - direct_response - \"-\" 0 0;- -;away",
                "GET;/gone;503 UH no_healthy_upstream - \"-\" 0 19;- -;gone",
            })
    void aLineSaysWhatBecameOfARequest(String method, String path, String outcome, String cluster, String route)
            throws Exception {
        harbour.call(false, new Harbour.Request(method, path, TRACE, ""));
        assertThat(lines.list).hasSize(1);
        assertThat(lines.list.getFirst().getFormattedMessage())
                .startsWith("[20")
                .contains("Z] \"" + method + " " + path + " HTTP/1.1\" " + outcome)
                .contains("\" " + cluster + " ")
                .contains("\"127.0.0.1\" \"-\" \"7f2d\" \"berth\"")
                .contains(" 127.0.0.9:80 127.0.0.1:")
                .endsWith(" - " + route);
    }

    @ParameterizedTest
    @CsvSource({"false", "true"})
    void headersOfTracesPassAsTheyAre(boolean http2) throws Exception {
        harbour.call(http2, new Harbour.Request("GET", "/a", TRACE, ""));
        var headers = seen.getFirst();
        TRACE.forEach((name, value) -> assertThat(headers.entrySet()).as(name).anySatisfy(header -> {
            assertThat(header.getKey()).isEqualToIgnoringCase(name);
            assertThat(header.getValue()).containsExactly(value);
        }));
        harbour.call(http2, new Harbour.Request("GET", "/a", Map.of(), ""));
        assertThat(seen.get(1).get("X-request-id"))
                .singleElement()
                .asString()
                .matches("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}");
    }
}
