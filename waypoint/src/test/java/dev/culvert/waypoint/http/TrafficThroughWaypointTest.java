package dev.culvert.waypoint.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.TextFormat;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.culvert.protos.waypoint.ServiceConfig;
import dev.culvert.waypoint.http.Harbour.Request;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// What routes do to requests beside forwarding them, and what limits and failing endpoints do to them.
class TrafficThroughWaypointTest {
    private Harbour harbour;
    private HttpServer http;
    private final List<String> seen = new CopyOnWriteArrayList<>();
    private final List<Integer> clients = new CopyOnWriteArrayList<>();
    private volatile CompletableFuture<Void> gate = CompletableFuture.completedFuture(null);
    private volatile int status = 200;

    @BeforeEach
    void start() throws Exception {
        harbour = new Harbour();
        http = HttpServer.create(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0), 256);
        http.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        http.createContext("/", this::serve);
        http.start();
        harbour.endpoints(http.getAddress().getPort());
        configure("", "");
    }

    private void serve(HttpExchange exchange) throws IOException {
        try (exchange) {
            var body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
            seen.add(exchange.getRequestHeaders().getFirst("Host") + " " + exchange.getRequestMethod() + " "
                    + exchange.getRequestURI() + (body.isEmpty() ? "" : " " + body));
            clients.add(exchange.getRemoteAddress().getPort());
            gate.join();
            exchange.getResponseHeaders().set("x-path", exchange.getRequestURI().toString());
            exchange.sendResponseHeaders(status, -1);
        }
    }

    @AfterEach
    void stop() {
        gate.complete(null);
        http.stop(0);
        harbour.close();
    }

    private static String backend(String traffic) {
        return "backends {weight: 1 namespace: 'quay' hostname: '" + Harbour.BERTH.hostname() + "' port: 80 " + traffic
                + "} ";
    }

    /// @param route what stands in the route beside its action
    /// @param forward what stands in its action beside the backend
    private void configure(String route, String forward) throws Exception {
        configure(route, forward, "");
    }

    private void configure(String route, String forward, String traffic) throws Exception {
        harbour.configure(TextFormat.parse(
                "ports {number: 80 protocol: HTTP1 routes {name: 'r' " + route + " forward {" + backend(traffic)
                        + forward + "}}}",
                ServiceConfig.class)
                .toBuilder());
    }

    private Answer get(String path) throws Exception {
        return harbour.call(false, Request.get(path));
    }

    private static String header(Answer answer, String name) {
        return String.valueOf(Objects.requireNonNull(answer.headers).get(name));
    }

    // ---- faults ----

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "abort_status: 418 abort_share: 1000000 | 418",
                "abort_status: 418 abort_share: 0 | 200",
                "abort_grpc_status: 14 abort_share: 1000000 | 200",
            })
    void someRequestsAreAbortedWithoutATry(String fault, int wanted) throws Exception {
        configure("fault {" + fault + "}", "");
        var answer = get("/a");
        assertThat(answer.status).isEqualTo(wanted);
        var aborted = fault.contains("1000000");
        assertThat(answer.text()).isEqualTo(aborted ? "fault filter abort" : "");
        assertThat(seen).hasSize(aborted ? 0 : 1);
    }

    @Test
    void gRPCIsAbortedWithItsOwnStatus() throws Exception {
        configure("fault {abort_grpc_status: 8 abort_share: 1000000}", "");
        var answer = harbour.call(true, new Request("POST", "/a/b", Map.of("content-type", "application/grpc"), "x"));
        assertThat(header(answer, "grpc-status")).isEqualTo("8");
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aDelayedRequestArrivesWhole(boolean http2) throws Exception {
        configure("fault {delay {nanos: 300000000} delay_share: 1000000}", "");
        var before = System.nanoTime();
        var answer = harbour.call(http2, new Request("POST", "/a", Map.of(), "cargo"));
        assertThat(answer.status).isEqualTo(200);
        assertThat(System.nanoTime() - before).isGreaterThan(300_000_000);
        assertThat(seen).containsExactly("berth POST /a cargo");
    }

    // ---- mirrors ----

    @Test
    void aCopyGoesToTheMirrorAndItsAnswerNowhere() throws Exception {
        configure(
                "mirrors {share: 1000000 backend {" + "namespace: 'quay' hostname: '" + Harbour.BERTH.hostname()
                        + "' port: 80}}",
                "");
        assertThat(harbour.call(false, new Request("POST", "/a", Map.of(), "cargo")).status)
                .isEqualTo(200);
        awaitSeen(2);
        assertThat(seen).containsExactlyInAnyOrder("berth POST /a cargo", "berth-shadow POST /a cargo");
    }

    private void awaitSeen(int count) throws InterruptedException {
        var deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
        while (seen.size() < count && System.nanoTime() < deadline) {
            TimeUnit.MILLISECONDS.sleep(10);
        }
    }

    @Test
    void aDeadMirrorChangesNoAnswer() throws Exception {
        configure("mirrors {share: 1000000 backend {namespace: 'quay' hostname: 'gone' port: 80}}", "");
        for (var i = 0; i < 5; i++) {
            assertThat(get("/a").status).isEqualTo(200);
        }
        assertThat(seen).hasSize(5);
    }

    // ---- CORS ----

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "https://a.test | 200 | https://a.test | 0",
                "https://b.test | 200 | null | 1",
            })
    void preflightsOfAllowedOriginsAreAnsweredHere(String origin, int wanted, String allowed, int reached)
            throws Exception {
        configure(
                "cors {origins {exact: 'https://a.test'} methods: 'GET' methods: 'PUT' headers: '*' max_age {seconds: 60}"
                        + " credentials: true}",
                "");
        var answer = harbour.call(
                false,
                new Request(
                        "OPTIONS",
                        "/a",
                        Map.of(
                                "origin", origin,
                                "access-control-request-method", "PUT",
                                "access-control-request-headers", "x-a"),
                        ""));
        assertThat(answer.status).isEqualTo(wanted);
        assertThat(header(answer, "access-control-allow-origin")).isEqualTo(allowed);
        if (reached == 0) {
            assertThat(header(answer, "access-control-allow-methods")).isEqualTo("GET,PUT");
            assertThat(header(answer, "access-control-allow-headers")).isEqualTo("x-a");
            assertThat(header(answer, "access-control-max-age")).isEqualTo("60");
            assertThat(header(answer, "access-control-allow-credentials")).isEqualTo("true");
        }
        assertThat(seen).hasSize(reached);
    }

    @Test
    void answersSayWhoMayReadThem() throws Exception {
        configure("cors {origins {regex: 'https://.*'} expose_headers: 'x-path'}", "");
        var answer = harbour.call(false, new Request("GET", "/a", Map.of("origin", "https://a.test"), ""));
        assertThat(header(answer, "access-control-allow-origin")).isEqualTo("https://a.test");
        assertThat(header(answer, "access-control-expose-headers")).isEqualTo("x-path");
        var foreign = harbour.call(false, new Request("GET", "/a", Map.of("origin", "http://a.test"), ""));
        assertThat(foreign.status).isEqualTo(200);
        assertThat(header(foreign, "access-control-allow-origin")).isEqualTo("null");
    }

    // ---- rewrites ----

    @Test
    void anExpressionRewritesThePath() throws Exception {
        configure("", "rewrite {regex {pattern: '/v([0-9]+)/(\\\\w+)' substitution: '/\\\\2/of/\\\\1'}}");
        assertThat(header(get("/v7/slots/x?q=1"), "x-path")).isEqualTo("/slots/of/7/x?q=1");
    }

    // ---- limits ----

    private List<Answer> burst(int count) throws Exception {
        var calls = new ArrayList<CompletableFuture<Answer>>();
        for (var i = 0; i < count; i++) {
            var path = "/" + i;
            calls.add(CompletableFuture.supplyAsync(
                    () -> {
                        try {
                            return get(path);
                        } catch (Exception e) {
                            throw new IllegalStateException(e);
                        }
                    },
                    Executors.newVirtualThreadPerTaskExecutor()));
        }
        awaitSettled();
        gate.complete(null);
        var answers = new ArrayList<Answer>();
        for (var call : calls) {
            answers.add(call.get(20, TimeUnit.SECONDS));
        }
        return answers;
    }

    private void awaitSettled() throws InterruptedException {
        var last = -1;
        while (last != seen.size() || last == 0) {
            last = seen.size();
            TimeUnit.MILLISECONDS.sleep(300);
        }
    }

    @Test
    void notMoreConnectionsThanAllowedAndTheRestWaits() throws Exception {
        configure("", "", "traffic {pool {max_connections: 2}}");
        gate = new CompletableFuture<>();
        var answers = burst(6);
        assertThat(answers).allMatch(answer -> answer.status == 200);
        assertThat(clients.stream().distinct().count()).isLessThanOrEqualTo(2);
    }

    @Test
    void whatWaitsTooMuchIsRefusedAsOverflow() throws Exception {
        configure("", "", "traffic {pool {max_connections: 1 max_pending: 1}}");
        gate = new CompletableFuture<>();
        var answers = burst(6);
        var refused = answers.stream().filter(answer -> answer.status == 503).toList();
        assertThat(refused).hasSizeBetween(4, 5);
        assertThat(header(refused.getFirst(), "x-envoy-overloaded")).isEqualTo("true");
        assertThat(refused.getFirst().text()).endsWith("reset reason: overflow");
    }

    @Test
    void notMoreRequestsThanAllowedAtOnce() throws Exception {
        configure("", "", "traffic {pool {max_requests: 2}}");
        gate = new CompletableFuture<>();
        assertThat(burst(5).stream().filter(answer -> answer.status == 200)).hasSize(2);
        assertThat(get("/later").status).isEqualTo(200);
    }

    @Test
    void aConnectionEndsAfterSoManyRequests() throws Exception {
        configure("", "", "traffic {pool {max_requests_per_connection: 3}}");
        for (var i = 0; i < 7; i++) {
            assertThat(get("/" + i).status).isEqualTo(200);
        }
        assertThat(clients.stream().distinct()).hasSize(3);
    }

    @Test
    void anUpgradeIsSpokenToHttp1Clients() throws Exception {
        try (var server = new Http2Server()) {
            harbour.endpoints(server.port());
            configure("", "", "traffic {pool {version: HTTP2}}");
            assertThat(get("/only").status).isEqualTo(200);
        }
    }

    // ---- failing endpoints ----

    @Test
    void anEndpointThatFailsIsLeftAloneForAWhile() throws Exception {
        var served = new AtomicInteger();
        var bad = HttpServer.create(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0), 64);
        bad.createContext("/", exchange -> {
            served.incrementAndGet();
            exchange.sendResponseHeaders(500, -1);
            exchange.close();
        });
        bad.start();
        try {
            harbour.endpoints(http.getAddress().getPort(), bad.getAddress().getPort());
            configure(
                    "",
                    "",
                    "traffic {load_balancer {kind: ROUND_ROBIN} outlier {consecutive_5xx: 2 base_ejection {seconds: 60}"
                            + " interval {seconds: 1} max_ejection_percent: 100}}");
            for (var i = 0; i < 20; i++) {
                get("/" + i);
            }
            assertThat(served).hasValue(2);
            assertThat(seen).hasSize(18);
        } finally {
            bad.stop(0);
        }
    }

    @Test
    void whenAllAreEjectedTheAnswerComesAtOnce() throws Exception {
        status = 500;
        configure(
                "",
                "",
                "traffic {outlier {consecutive_5xx: 1 base_ejection {seconds: 60} interval {seconds: 1}"
                        + " max_ejection_percent: 100}}");
        assertThat(get("/a").status).isEqualTo(500);
        var answer = get("/b");
        assertThat(answer.status).isEqualTo(503);
        assertThat(answer.text()).isEqualTo("no healthy upstream");
    }

    @Test
    void theAnswerOfACookiesEndpointNamesTheCookie() throws Exception {
        configure(
                "",
                "",
                "traffic {load_balancer {kind: RING_HASH hash {cookie {name: 'crew' path: '/' ttl {seconds: 60}}}}}");
        var cookie = header(get("/a"), "set-cookie");
        assertThat(cookie).startsWith("crew=\"").contains("; Max-Age=60; Path=/; HttpOnly");
        var again = harbour.call(
                false, new Request("GET", "/a", Map.of("cookie", cookie.substring(0, cookie.indexOf(';'))), ""));
        assertThat(header(again, "set-cookie")).isEqualTo("null");
    }

    @Test
    void aConnectThatTakesTooLongFails() throws Exception {
        try (var full = new ServerSocket(0, 1, InetAddress.ofLiteral("127.0.0.1"))) {
            var fillers = new ArrayList<Socket>();
            for (var i = 0; i < 3; i++) {
                var filler = new Socket();
                fillers.add(filler);
                try {
                    filler.connect(full.getLocalSocketAddress(), 200);
                } catch (IOException backlogIsFull) {
                    break;
                }
            }
            harbour.endpoints(full.getLocalPort());
            configure("", "", "traffic {pool {connect_timeout {nanos: 300000000}}}");
            var before = System.nanoTime();
            var answer = get("/a");
            assertThat(answer.status).isEqualTo(503);
            assertThat(answer.text()).contains("connection timeout");
            assertThat(System.nanoTime() - before).isLessThan(4_000_000_000L);
            for (var filler : fillers) {
                filler.close();
            }
        }
    }

    @Test
    void aSecondFailureSaysThatItWasTriedAgain() throws Exception {
        try (var probe = new ServerSocket(0)) {
            harbour.endpoints(probe.getLocalPort());
        }
        configure("", "retry {attempts: 1 conditions: 'connect-failure' backoff {nanos: 1000000}}");
        assertThat(get("/a").text()).contains("retried and the latest reset reason: remote connection failure");
    }
}
