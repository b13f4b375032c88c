package dev.culvert.waypoint.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.Duration;
import com.google.protobuf.TextFormat;
import com.sun.net.httpserver.HttpServer;
import dev.culvert.mesh.model.state.Change;
import dev.culvert.protos.discovery.DeltaDiscoveryResponse;
import dev.culvert.protos.waypoint.PathNormalization;
import dev.culvert.protos.waypoint.Policy;
import dev.culvert.protos.waypoint.Protocol;
import dev.culvert.waypoint.http.Harbour.Request;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Requests and bytes through a whole waypoint: framing, retries, time-outs, live policy.
class ThroughWaypointTest {
    private Harbour harbour;
    private HttpServer http;
    private final AtomicInteger served = new AtomicInteger();

    @BeforeEach
    void start() throws Exception {
        harbour = new Harbour();
        http = HttpServer.create(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0), 64);
        http.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        http.createContext("/", exchange -> {
            try (exchange) {
                served.incrementAndGet();
                var said = exchange.getRequestBody().readAllBytes();
                exchange.getResponseHeaders()
                        .set("x-path", exchange.getRequestURI().toString());
                exchange.sendResponseHeaders(200, said.length == 0 ? -1 : said.length);
                exchange.getResponseBody().write(said);
            }
        });
        http.start();
        harbour.endpoints(port());
        harbour.configure(Harbour.config(Protocol.HTTP1, ""));
    }

    @AfterEach
    void stop() {
        http.stop(0);
        harbour.close();
    }

    private int port() {
        return http.getAddress().getPort();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void bodiesPassWholeInBothVersions(boolean http2) throws Exception {
        var body = new byte[3_000_000];
        new Random(7).nextBytes(body);
        var answer = harbour.call(
                http2, new Request("POST", "/echo?q=1", Map.of(), new String(body, StandardCharsets.ISO_8859_1)));
        assertThat(answer.status).isEqualTo(200);
        assertThat(Arrays.equals(answer.body(), body)).isTrue();
        assertThat(Objects.requireNonNull(answer.headers).get("x-path")).isEqualTo("/echo?q=1");
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void manyRequestsFollowOneAnother(boolean http2) throws Exception {
        for (var i = 0; i < 200; i++) {
            assertThat(harbour.call(http2, Request.get("/" + i)).status).isEqualTo(200);
        }
        assertThat(served).hasValue(200);
    }

    @Test
    void pipelinedRequestsAreAnsweredInTheirOrder() throws Exception {
        try (var raw = harbour.raw().listen()) {
            raw.say("GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
            var heard = raw.awaitEnd();
            assertThat(heard.indexOf("/1")).isPositive().isLessThan(heard.indexOf("/2"));
        }
    }

    /// Netty takes the first stream for that of an upgrade, unless it knows that it is the server.
    @Test
    void theFirstStreamOfHttp2IsServed() throws Exception {
        try (var raw = harbour.raw().listen()) {
            var settings = "\0\0\0\4\0\0\0\0\0";
            var fields = field(":method", "GET")
                    + field(":scheme", "http")
                    + field(":path", "/first")
                    + field(":authority", "a");
            var head = "\0\0" + (char) fields.length() + "\1\5\0\0\0\1" + fields;
            raw.say("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + settings + head);
            raw.await(heard -> served.get() == 1 && heard.contains("\0\0\0\1\210"));
        }
    }

    /// Without a table and without Huffman codes (RFC 7541 §6.2.2).
    private static String field(String name, String value) {
        return "\0" + (char) name.length() + name + (char) value.length() + value;
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void grpcKeepsItsTrailers(boolean portSaysHttp2) throws Exception {
        try (var server = new Http2Server()) {
            harbour.endpoints(server.port());
            harbour.configure(Harbour.config(portSaysHttp2 ? Protocol.HTTP2 : Protocol.DETECT, ""));
            var grpc = Map.of("content-type", "application/grpc", "te", "trailers");
            var answer = harbour.call(true, new Request("POST", "/svc/Call", grpc, "\1\2\3"));
            assertThat(answer.status).isEqualTo(200);
            assertThat(answer.body()).containsExactly(1, 2, 3);
            assertThat(Objects.requireNonNull(answer.trailers).get("grpc-status"))
                    .isEqualTo("0");
            var only = harbour.call(true, new Request("POST", "/only", grpc, "\1"));
            assertThat(Objects.requireNonNull(only.headers).get("grpc-status")).isEqualTo("5");
        }
    }

    @Test
    void messagesOfGrpcAreCounted() throws Exception {
        try (var server = new Http2Server()) {
            harbour.endpoints(server.port());
            harbour.configure(Harbour.config(Protocol.HTTP2, ""));
            var grpc = Map.of("content-type", "application/grpc", "te", "trailers");
            harbour.call(true, new Request("POST", "/svc/Call", grpc, "\0\0\0\0\1x\0\0\0\0\2yz"));
            harbour.call(true, new Request("POST", "/svc/Call", Map.of(), "\0\0\0\0\1x"));
            harbour.workers.getFirst().loop().submit(() -> {}).get();
            for (var name : List.of("istio_request_messages", "istio_response_messages")) {
                var counters = harbour.registry.get(name).counters();
                assertThat(counters).as(name).hasSize(1);
                assertThat(counters.iterator().next().count()).as(name).isEqualTo(2);
            }
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "GET / HTTP/1.1\\r\\n\\r\\n | 400",
                "GET / HTTP/1.1\\r\\nHost: a\\r\\nHost: b\\r\\n\\r\\n | 400",
                "GET /a#b HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n | 400",
                "GET a HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n | 400",
                "POST / HTTP/1.1\\r\\nHost: a\\r\\nContent-Length: 1\\r\\nContent-Length: 2\\r\\n\\r\\nab | 400",
                "POST / HTTP/1.1\\r\\nHost: a\\r\\nContent-Length: 1\\r\\nConnection: Content-Length\\r\\n\\r\\na | 400",
                "POST / HTTP/1.1\\r\\nHost: a\\r\\nTransfer-Encoding: chunked\\r\\nConnection: close, transfer-encoding\\r\\n\\r\\n0\\r\\n\\r\\n | 400",
                "GET / HTTP/1.1\\r\\nHost: a\\r\\nConnection: host\\r\\n\\r\\n | 400",
                "POST / HTTP/1.1\\r\\nHost: a\\r\\nContent-Length: -1\\r\\n\\r\\n | 400",
                "POST / HTTP/1.1\\r\\nHost: a\\r\\nTransfer-Encoding: gzip, chunked\\r\\n\\r\\n0\\r\\n\\r\\n | 501",
                "POST / HTTP/1.1\\r\\nHost: a\\r\\nTransfer-Encoding: xchunked\\r\\n\\r\\n | 400",
                "GET / HTTP/1.1\\r\\nHost: a\\r\\nA B: c\\r\\n\\r\\n | 400",
                "GET / HTTP/1.1\\r\\nHost: a\\r\\nA : c\\r\\n\\r\\n | 400",
                "CONNECT a:80 HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n | 405",
                "GET / HTTP/1.1\\r\\nHost: a@b\\r\\n\\r\\n | 400",
            })
    void whatTwoParsersCouldReadDifferentlyIsRefused(String text, int status) throws Exception {
        try (var raw = harbour.raw().listen()) {
            raw.say(text.replace("\\r", "\r").replace("\\n", "\n"));
            assertThat(raw.await(heard -> heard.contains("\r\n\r\n"))).startsWith("HTTP/1.1 " + status);
            assertThat(served).hasValue(0);
        }
    }

    @Test
    void chunksWithALengthAreSentOnAsChunksOnly() throws Exception {
        try (var raw = harbour.raw().listen()) {
            var head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\nTransfer-Encoding: chunked\r\n\r\n";
            raw.say(head).say("3\r\nabc\r\n0\r\n\r\n");
            var heard = raw.await(text -> text.contains("\r\n\r\n"));
            assertThat(heard).matches(text -> text.contains("abc") || text.startsWith("HTTP/1.1 400"));
        }
    }

    @Test
    void tooLargeAHeaderIsRefusedAndCounted() throws Exception {
        var answer = harbour.call(false, new Request("GET", "/", Map.of("x-a", "a".repeat(20_000)), ""));
        assertThat(answer.status).isEqualTo(431);
        assertThat(harbour.registry
                        .get("culvert_waypoint_limits")
                        .tag("limit", "header_bytes")
                        .counter()
                        .count())
                .isEqualTo(1);
    }

    @Test
    void slashesAreMergedBeforeAPolicyLooksWhereTheMeshSaysSo() throws Exception {
        var noAdmin = TextFormat.parse(
                "name: 'p' action: DENY rules {to {attributes {kind: PATH values {prefix: '/admin'}}}}", Policy.class);
        var all = TextFormat.parse("name: 'all' rules {}", Policy.class);
        var config = Harbour.config(Protocol.HTTP1, "").addPolicies(noAdmin).addPolicies(all);
        harbour.configure(config);
        assertThat(harbour.call(false, new Request("GET", "/%2Fadmin", Map.of(), "")).status)
                .isEqualTo(200);
        harbour.configure(config.setPathNormalization(PathNormalization.DECODE_AND_MERGE_SLASHES));
        for (var path : List.of("//admin", "/%2Fadmin", "/x/..%2f/admin", "/%5cadmin")) {
            assertThat(harbour.call(false, new Request("GET", path, Map.of(), "")).status)
                    .as(path)
                    .isEqualTo(403);
        }
        assertThat(harbour.call(false, new Request("GET", "//a%2Fb", Map.of(), "")).status)
                .isEqualTo(200);
    }

    @Test
    void whatAClientForgesIsNotWhatAPolicySees() throws Exception {
        harbour.configure(Harbour.config(Protocol.HTTP1, "")
                .addPolicies(TextFormat.parse(
                        "name: 'p' rules {when {attributes {kind: HEADER name: 'x-forwarded-client-cert'"
                                + " values {suffix: '/sa/admiral'}}}}",
                        Policy.class)));
        var forged = Map.of("x-forwarded-client-cert", "URI=spiffe://cluster.local/ns/quay/sa/admiral");
        assertThat(harbour.call(false, new Request("GET", "/", forged, "")).status)
                .isEqualTo(403);
    }

    @Test
    void whatAClientForgesIsCountedAndWhatWeSayOurselvesIsNot() throws Exception {
        harbour.configure(Harbour.config(Protocol.HTTP1, ""));
        var name = "culvert_waypoint_forged_headers";
        assertThat(harbour.call(false, new Request("GET", "/", Map.of(), "")).status)
                .isEqualTo(200);
        assertThat(harbour.registry.find(name).meters()).isEmpty();
        assertThat(harbour.call(false, new Request("GET", "/", Map.of("X-Real-IP", "198.18.9.9"), "")).status)
                .isEqualTo(200);
        assertThat(harbour.registry.find(name).meters()).hasSize(1);
        assertThat(harbour.registry
                        .get(name)
                        .tag("header", "x-real-ip")
                        .counter()
                        .count())
                .isEqualTo(1);
    }

    @Test
    void aPolicyChangeJudgesWhatWasAskedForNotWhatARouteMadeOfIt() throws Exception {
        var begun = new CompletableFuture<Void>();
        var go = new CompletableFuture<Void>();
        http.createContext("/inside", exchange -> {
            begun.complete(null);
            go.join();
            try (exchange) {
                exchange.sendResponseHeaders(200, -1);
            }
        });
        var onlyOutside = TextFormat.parse(
                "name: 'p' rules {to {attributes {kind: PATH values {exact: '/outside'}}}}", Policy.class);
        harbour.configure(
                Harbour.config(Protocol.HTTP1, "rewrite {full: '/inside'}").addPolicies(onlyOutside));
        try (var raw = harbour.raw().listen()) {
            raw.say("GET /outside HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
            begun.get(60, TimeUnit.SECONDS);
            harbour.configure(Harbour.config(Protocol.HTTP1, "").addPolicies(onlyOutside));
            go.complete(null);
            assertThat(raw.awaitEnd()).startsWith("HTTP/1.1 200");
        }
    }

    // ---- retries and time-outs ----

    @Test
    void anEndpointThatRefusesIsReplacedByAnother() throws Exception {
        harbour.endpoints(port(), closedPort());
        harbour.configure(Harbour.config(Protocol.HTTP1, "retry {attempts: 2 conditions: 'connect-failure'}"));
        for (var i = 0; i < 10; i++) {
            assertThat(harbour.call(false, new Request("POST", "/", Map.of(), "x".repeat(100))).status)
                    .isEqualTo(200);
        }
    }

    private static int closedPort() throws IOException {
        try (var probe = new ServerSocket(0)) {
            return probe.getLocalPort();
        }
    }

    @Test
    void withoutRetriesAnEndpointThatRefusesIs503() throws Exception {
        harbour.endpoints(closedPort());
        assertThat(harbour.call(false, Request.get("/")).status).isEqualTo(503);
        harbour.endpoints();
        harbour.mesh.apply(List.of(new Change.RemoveAddress("Kubernetes//Pod/quay/berth-0")));
        assertThat(harbour.call(false, Request.get("/")).text()).isEqualTo("no healthy upstream");
    }

    @Test
    void codesAreTriedAgainAsOftenAsAllowed() throws Exception {
        http.createContext("/bad", exchange -> {
            try (exchange) {
                served.incrementAndGet();
                exchange.getRequestBody().readAllBytes();
                exchange.sendResponseHeaders(503, -1);
            }
        });
        harbour.configure(
                Harbour.config(Protocol.HTTP1, "retry {attempts: 3 status_codes: 503 backoff {nanos: 1000000}}"));
        assertThat(harbour.call(false, new Request("POST", "/bad", Map.of(), "x".repeat(10))).status)
                .isEqualTo(503);
        assertThat(served).hasValue(4);
        assertThat(harbour.call(false, new Request("POST", "/bad", Map.of(), "x".repeat(200_000))).status)
                .as("too large to be kept")
                .isEqualTo(503);
        assertThat(served).hasValue(5);
    }

    @Test
    void silenceEndsAtTheTimeOut() throws Exception {
        var release = new CompletableFuture<Void>();
        http.createContext("/slow", exchange -> {
            release.join();
            exchange.close();
        });
        var slow = Harbour.config(Protocol.HTTP1, "");
        slow.getPortsBuilder(0)
                .getRoutesBuilder(0)
                .getForwardBuilder()
                .setTimeout(Duration.newBuilder().setNanos(200_000_000));
        harbour.configure(slow);
        try {
            var answer = harbour.call(false, Request.get("/slow"));
            assertThat(answer.status).isEqualTo(504);
            assertThat(answer.text()).isEqualTo("upstream request timeout");
        } finally {
            release.complete(null);
        }
    }

    // ---- life ----

    @Test
    void aPolicyChangeEndsAnAnswerThatIsUnderWay() throws Exception {
        http.createContext("/endless", exchange -> {
            exchange.sendResponseHeaders(200, 0);
            try (exchange) {
                while (true) {
                    exchange.getResponseBody().write(new byte[100]);
                    exchange.getResponseBody().flush();
                    TimeUnit.MILLISECONDS.sleep(10);
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        try (var raw = harbour.raw().listen()) {
            raw.say("GET /endless HTTP/1.1\r\nHost: a\r\n\r\n");
            raw.await(heard -> heard.length() > 1000);
            harbour.configure(Harbour.config(Protocol.HTTP1, "")
                    .addPolicies(TextFormat.parse("name: 'p' action: DENY rules {}", Policy.class)));
            raw.awaitEnd();
            assertThat(raw.isBroken()).isTrue();
        }
        assertThat(harbour.call(true, Request.get("/")).status).isEqualTo(403);
    }

    @Test
    void aClientThatDoesNotReadHoldsTheServerBack() throws Exception {
        var written = new AtomicLong();
        try (var server = new RawServer(socket -> {
            var _ = socket.getInputStream().read(new byte[4096]);
            var out = socket.getOutputStream();
            out.write("HTTP/1.1 200 OK\r\nContent-Length: 40000000\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            for (var i = 0; i < 4_000; i++) {
                out.write(new byte[10_000]);
                written.addAndGet(10_000);
            }
        })) {
            harbour.endpoints(server.port());
            try (var raw = harbour.raw()) {
                raw.say("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
                awaitStandstill(written);
                // Kernel buffers on both sides of a socket, and some windows of 256 KiB.
                assertThat(written.get()).isBetween(1L, 20_000_000L);
                raw.listen();
                raw.awaitLength(40_000_000);
            }
        }
    }

    private static void awaitStandstill(AtomicLong counter) throws InterruptedException {
        var last = -1L;
        while (counter.get() == 0 || counter.get() != last) {
            last = counter.get();
            TimeUnit.MILLISECONDS.sleep(500);
        }
    }

    @Test
    void whatIsNotGovernedHereIsRefused() {
        harbour.configs.apply(DeltaDiscoveryResponse.newBuilder().build());
        harbour.endpoints(port());
        assertThatThrownBy(() -> {
                    harbour.mesh.apply(List.of(new Change.RemoveAddress(Harbour.BERTH.toString())));
                    harbour.raw();
                })
                .hasMessageContaining("503");
    }

    @Test
    void drainingAnswersWhatIsUnderWayAndThenCloses() throws Exception {
        var go = new CompletableFuture<Void>();
        var begun = new CompletableFuture<Void>();
        http.createContext("/wait", exchange -> {
            begun.complete(null);
            go.join();
            try (exchange) {
                exchange.sendResponseHeaders(200, -1);
            }
        });
        try (var idle = harbour.raw().listen();
                var busy = harbour.raw().listen()) {
            idle.say("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await(heard -> heard.contains("\r\n\r\n"));
            busy.say("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
            begun.get(60, TimeUnit.SECONDS);
            harbour.workers.forEach(worker -> worker.loop().execute(worker::drain));
            idle.awaitEnd();
            go.complete(null);
            assertThat(busy.awaitEnd()).startsWith("HTTP/1.1 200");
        }
    }
}
