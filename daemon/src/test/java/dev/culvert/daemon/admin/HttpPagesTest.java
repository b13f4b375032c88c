package dev.culvert.daemon.admin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class HttpPagesTest {
    private final Readiness readiness = new Readiness();
    private final Readiness.Task proxy = readiness.task("proxy");
    private final Readiness.Task state = readiness.task("state manager");
    private final PrometheusMeterRegistry metrics = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    private final HttpClient client = HttpClient.newHttpClient();
    private HttpPages pages;

    @BeforeEach
    void start() throws IOException {
        pages = HttpPages.builder()
                .get("/healthz/ready", readiness.page())
                .any("/metrics", new MetricsPage(metrics))
                .any("/echo", request -> Response.json(request.parameter("q").orElse("none")))
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

        var plain = get("/metrics");
        assertThat(plain.body())
                .contains("istio_tcp_connections_opened_total{reporter=\"source\"} 3.0")
                .contains("# TYPE istio_tcp_connections_opened counter")
                .endsWith("# EOF\n");
        assertThat(plain.headers().firstValue("content-type")).contains("text/plain; charset=utf-8");
    }

    @Test
    void pathsAndMethodsAreExact() throws Exception {
        assertThat(get("/healthz/ready/").statusCode()).isEqualTo(404);
        assertThat(get("/").statusCode()).isEqualTo(404);
        assertThat(send("POST", "/healthz/ready").statusCode()).isEqualTo(405);
        assertThat(send("PUT", "/echo?q=a%20b").body()).isEqualTo("a b");
        assertThat(send("HEAD", "/healthz/ready").statusCode()).isEqualTo(500);
    }

    @Test
    void whatAPageRefusesIsABadRequest() throws Exception {
        assertThat(send("POST", "/bad").statusCode()).isEqualTo(400);
        assertThat(send("POST", "/bad").body()).isEqualTo("level?\n");
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
    void anAddressInUseIsNamed() {
        assertThatThrownBy(() -> HttpPages.builder().start(pages.addresses()))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("cannot listen on /127.0.0.1:");
    }

    private HttpResponse<String> get(String path) throws Exception {
        return send("GET", path);
    }

    private HttpResponse<String> send(String method, String path) throws Exception {
        var uri = URI.create("http://127.0.0.1:" + pages.addresses().getFirst().getPort() + path);
        var request = HttpRequest.newBuilder(uri)
                .method(method, HttpRequest.BodyPublishers.noBody())
                .build();
        return client.send(request, HttpResponse.BodyHandlers.ofString());
    }
}
