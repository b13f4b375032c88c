package dev.culvert.waypoint.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.TextFormat;
import com.sun.net.httpserver.HttpServer;
import dev.culvert.protos.waypoint.ServiceConfig;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Who comes back with the cookie of a session reaches the same endpoint.
class SessionTest {
    private static final String COOKIE =
            "traffic {load_balancer {kind: RING_HASH hash {cookie {name: 's' path: '/'" + " ttl {}}}}}";

    private final List<HttpServer> servers = new ArrayList<>();
    private Harbour harbour;

    @BeforeEach
    void start() throws Exception {
        harbour = new Harbour();
        for (var i = 0; i < 4; i++) {
            var name = "berth-" + i;
            var http = HttpServer.create(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0), 64);
            http.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
            http.createContext("/", exchange -> {
                try (exchange) {
                    exchange.getResponseHeaders().set("x-pod", name);
                    exchange.sendResponseHeaders(200, -1);
                }
            });
            http.start();
            servers.add(http);
        }
        harbour.endpoints(servers.stream()
                .mapToInt(server -> server.getAddress().getPort())
                .toArray());
        harbour.configure(TextFormat.parse(
                "ports {number: 80 protocol: HTTP1"
                        + " routes {name: 's' matches {path {prefix: '/s'}} forward {sticky: true "
                        + half("calm", 0) + half("swell", 2) + "}}"
                        + " routes {name: 'r' forward {" + backend("") + "}}}",
                ServiceConfig.class)
                .toBuilder());
    }

    @AfterEach
    void stop() {
        servers.forEach(server -> server.stop(0));
        harbour.close();
    }

    private static String backend(String more) {
        return "backends {weight: 1 namespace: 'quay' hostname: '" + Harbour.BERTH.hostname() + "' port: 80 " + more
                + "}";
    }

    private static String half(String name, int first) {
        var pod = "workloads: 'Kubernetes//Pod/quay/berth-";
        return backend(COOKIE + " subset {name: '" + name + "' " + pod + first + "' " + pod + (first + 1) + "'}");
    }

    private Answer get(String path, String cookie) throws Exception {
        var headers = cookie.isEmpty() ? Map.<String, String>of() : Map.of("cookie", cookie);
        return harbour.call(false, new Harbour.Request("GET", path, headers, ""));
    }

    private static String header(Answer answer, String name) {
        return String.valueOf(Objects.requireNonNull(answer.headers).get(name));
    }

    @Test
    void aSessionStaysWithItsBackendAndItsEndpointWhateverTheWeights() throws Exception {
        var reached = new HashSet<String>();
        for (var session = 0; session < 24; session++) {
            var first = get("/s", "");
            var cookie = header(first, "set-cookie");
            assertThat(cookie).startsWith("s=\"").endsWith("; Path=/; HttpOnly");
            for (var i = 0; i < 5; i++) {
                var again = get("/s", cookie.substring(0, cookie.indexOf(';')));
                assertThat(header(again, "x-pod")).isEqualTo(header(first, "x-pod"));
                assertThat(header(again, "set-cookie")).isEqualTo("null");
            }
            reached.add(header(first, "x-pod"));
        }
        assertThat(reached).as("sessions are spread").hasSizeGreaterThanOrEqualTo(3);
    }

    @Test
    void aRouteWithoutSessionsGivesNoCookie() throws Exception {
        var answer = get("/r", "s=\"1\"");
        assertThat(header(answer, "set-cookie")).isEqualTo("null");
    }

    @Test
    void aSessionByHeaderStaysWithItsEndpoint() throws Exception {
        harbour.configure(TextFormat.parse(
                "ports {number: 80 protocol: HTTP1 routes {name: 'h' forward {sticky: true "
                        + backend("traffic {load_balancer {kind: RING_HASH hash {session_header: 'x-crew'}}}") + "}}}",
                ServiceConfig.class)
                .toBuilder());
        var reached = new HashSet<String>();
        for (var session = 0; session < 24; session++) {
            var first = get("/h", "");
            var crew = header(first, "x-crew");
            assertThat(crew).matches("[0-9a-f]{1,16}");
            for (var i = 0; i < 5; i++) {
                var again = harbour.call(false, new Harbour.Request("GET", "/h", Map.of("X-Crew", crew), ""));
                assertThat(header(again, "x-pod")).isEqualTo(header(first, "x-pod"));
                assertThat(header(again, "x-crew")).isEqualTo("null");
            }
            reached.add(header(first, "x-pod"));
        }
        assertThat(reached).as("sessions are spread").hasSizeGreaterThanOrEqualTo(3);
    }
}
