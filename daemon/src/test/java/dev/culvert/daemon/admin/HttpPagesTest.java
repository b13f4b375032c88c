package dev.culvert.daemon.admin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.culvert.daemon.metrics.MetricFamily;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class HttpPagesTest {
    private static final List<MetricFamily> FAMILIES =
            List.of(MetricFamily.counter("istio_tcp_connections_opened_total", "TCP connections opened", "reporter"));

    private final Readiness readiness = new Readiness();
    private final Readiness.Task proxy = readiness.task("proxy");
    private final Readiness.Task state = readiness.task("state manager");
    private final SimpleMeterRegistry metrics = new SimpleMeterRegistry();
    private final HttpClient client = HttpClient.newHttpClient();
    private HttpPages pages;

    @BeforeEach
    void start() throws IOException {
        pages = HttpPages.builder()
                .get("/healthz/ready", readiness.page())
                .any("/metrics", new MetricsPage(FAMILIES, metrics))
                .any("/echo", request -> Response.json(request.parameter("q").orElse("none")))
                .post("/stop", _ -> {
                    // As a program whose main thread does it: it has all the time that it needs to be first.
                    Thread.ofPlatform().start(pages::close).join(Duration.ofMillis(200));
                    return Response.text(200, "bye");
                })
                .post("/body", 8, request -> Response.text(200, request.body()))
                .post("/bad", _ -> {
                    throw new IllegalArgumentException("level?");
                })
                .start(List.of(
                        new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0),
                        new InetSocketAddress(InetAddress.ofLiteral("::1"), 0)));
    }

    @AfterEach
    void stop() {
        client.close();
        pages.close();
    }

    @Test
    void readinessNamesWhatIsPendingInOrder() throws Exception {
        assertThat(get("/healthz/ready").body()).isEqualTo("not ready, pending: proxy, state manager\n");
        assertThat(get("/healthz/ready").statusCode()).isEqualTo(500);

        state.ready();
        proxy.ready();
        assertThat(get("/healthz/ready").body()).isEqualTo("ready\n");
        assertThat(get("/healthz/ready").statusCode()).isEqualTo(200);

        proxy.notReady();
        assertThat(readiness.isReady()).isFalse();
    }

    @Test
    void metricsAreOpenMetricsText() throws Exception {
        metrics.counter("istio_tcp_connections_opened_total", "reporter", "source")
                .increment(3);

        var text = """
                # HELP istio_tcp_connections_opened TCP connections opened.
                # TYPE istio_tcp_connections_opened counter
                istio_tcp_connections_opened_total{reporter="source"} 3
                # EOF
                """;
        var plain = get("/metrics");
        assertThat(plain.body()).isEqualTo(text);
        assertThat(plain.headers().firstValue("content-type")).contains("text/plain; charset=utf-8");
        var asked = raw(
                "GET /metrics HTTP/1.1",
                "Host: a",
                "Connection: close",
                "Accept: application/openmetrics-text; version=1.0.0",
                "");
        assertThat(asked).contains("\r\nContent-type: application/openmetrics-text;charset=utf-8;version=1.0.0\r\n");
    }

    @Test
    void metricsAreCompressedForWhoTakesIt() throws Exception {
        metrics.counter("istio_tcp_connections_opened", "reporter", "source").increment();
        assertThat(encoding("gzip")).contains("gzip");
        assertThat(encoding("br, gzip;q=0.5")).contains("gzip");
        assertThat(encoding("gzip;q=0")).isEmpty();
        assertThat(encoding("identity")).isEmpty();
    }

    private Optional<String> encoding(String accepted) throws Exception {
        var uri = URI.create("http://127.0.0.1:" + pages.addresses().getFirst().getPort() + "/metrics");
        var request =
                HttpRequest.newBuilder(uri).header("Accept-Encoding", accepted).build();
        var answer = client.send(request, HttpResponse.BodyHandlers.ofByteArray());
        var coding = answer.headers().firstValue("content-encoding");
        try (var body = coding.isPresent()
                ? new GZIPInputStream(new ByteArrayInputStream(answer.body()))
                : new ByteArrayInputStream(answer.body())) {
            assertThat(new String(body.readAllBytes(), StandardCharsets.UTF_8)).endsWith("# EOF\n");
        }
        return coding;
    }

    @Test
    void aHeaderThatDoesNotComeOrIsTooLongEndsTheConnection() throws Exception {
        var before = System.nanoTime();
        assertThat(raw("GET /metrics HTTP/1.1")).isEmpty();
        assertThat(Duration.ofNanos(System.nanoTime() - before)).isLessThan(Duration.ofSeconds(8));
        assertThat(raw("GET /metrics HTTP/1.1", "Host: a", "X: " + "x".repeat(9000), ""))
                .doesNotContain("200 OK");
    }

    /// What comes back until the server closes.
    private String raw(String... lines) throws IOException {
        try (var socket = new Socket(
                InetAddress.ofLiteral("127.0.0.1"), pages.addresses().getFirst().getPort())) {
            socket.setSoTimeout(10_000);
            var request = String.join("\r\n", lines) + "\r\n";
            socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
        } catch (SocketException reset) {
            return "";
        }
    }

    @Test
    void pathsAndMethodsAreExact() throws Exception {
        assertThat(get("/healthz/ready/").statusCode()).isEqualTo(404);
        assertThat(get("/").statusCode()).isEqualTo(404);
        assertThat(send("POST", "/healthz/ready").statusCode()).isEqualTo(405);
        assertThat(send("PUT", "/echo?q=a%20b").body()).isEqualTo("a b");
        assertThat(send("HEAD", "/healthz/ready").statusCode()).isEqualTo(405);
    }

    @Test
    void whatAPageRefusesIsABadRequest() throws Exception {
        assertThat(send("POST", "/bad").statusCode()).isEqualTo(400);
        assertThat(send("POST", "/bad").body()).isEqualTo("level?\n");
    }

    @Test
    void aBodyIsReadByThePageThatTakesOneAndNoFurther() throws Exception {
        assertThat(sendBody("/body", "12345678").body()).isEqualTo("12345678");
        assertThat(sendBody("/body", "123456789").statusCode()).isEqualTo(413);
        assertThat(sendBody("/echo?q=a", "123456789").body()).isEqualTo("a");
    }

    @Test
    void bothFamiliesAnswer() throws Exception {
        var six = pages.addresses().get(1);
        var uri = URI.create("http://[::1]:" + six.getPort() + "/echo?q=six");
        assertThat(client.send(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.ofString())
                        .body())
                .isEqualTo("six");
    }

    @Test
    void theRequestThatStopsItIsAnswered() throws Exception {
        assertThat(send("POST", "/stop").body()).isEqualTo("bye");
    }

    @Test
    void anAddressInUseIsNamed() {
        assertThatThrownBy(() -> HttpPages.builder().start(pages.addresses()))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("cannot listen on /127.0.0.1:");
    }

    private HttpResponse<String> get(String path) throws Exception {
        return send("GET", path);
    }

    private HttpResponse<String> send(String method, String path) throws Exception {
        return send(method, path, HttpRequest.BodyPublishers.noBody());
    }

    private HttpResponse<String> sendBody(String path, String body) throws Exception {
        return send("POST", path, HttpRequest.BodyPublishers.ofString(body));
    }

    private HttpResponse<String> send(String method, String path, HttpRequest.BodyPublisher body) throws Exception {
        var uri = URI.create("http://127.0.0.1:" + pages.addresses().getFirst().getPort() + path);
        var request = HttpRequest.newBuilder(uri).method(method, body).build();
        return client.send(request, HttpResponse.BodyHandlers.ofString());
    }
}
