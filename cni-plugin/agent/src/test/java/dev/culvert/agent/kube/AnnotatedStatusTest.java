package dev.culvert.agent.kube;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.culvert.agent.pods.PodView;
import dev.culvert.agent.pods.RedirectionStatus.State;
import dev.culvert.kube.client.KubernetesClients;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Against an API server of a few lines.
class AnnotatedStatusTest {
    @TempDir
    Path directory;

    private final BlockingQueue<String> requests = new LinkedBlockingQueue<>();
    private volatile int answer = 200;
    private HttpServer server;
    private KubernetesClient client;
    private AnnotatedStatus status;

    @BeforeEach
    void start() throws Exception {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", this::handle);
        server.start();
        var kubeconfig = directory.resolve("kubeconfig");
        Files.writeString(kubeconfig, """
                apiVersion: v1
                kind: Config
                current-context: c
                clusters: [{name: c, cluster: {server: "http://127.0.0.1:%d"}}]
                contexts: [{name: c, context: {cluster: c, user: u}}]
                users: [{name: u, user: {token: t}}]
                """.formatted(server.getAddress().getPort()));
        client = KubernetesClients.open(kubeconfig, Map.of());
        status = new AnnotatedStatus(client);
    }

    @AfterEach
    void stop() {
        client.close();
        server.stop(0);
    }

    private void handle(HttpExchange exchange) throws IOException {
        try (exchange) {
            var body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
            requests.add(exchange.getRequestMethod() + " " + exchange.getRequestURI() + " "
                    + exchange.getRequestHeaders().getFirst("Content-Type") + " " + body);
            var text = answer == 200
                    ? "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"web\"}}"
                    : "{\"apiVersion\":\"v1\",\"kind\":\"Status\",\"code\":" + answer + ",\"message\":\"no\"}";
            exchange.getResponseHeaders().set("Content-Type", "application/json");
            exchange.sendResponseHeaders(answer, text.length());
            exchange.getResponseBody().write(text.getBytes(StandardCharsets.UTF_8));
        }
    }

    private static PodView pod(Map<String, String> annotations) {
        return new PodView(
                new PodView.Name("u-1", "shop", "web"),
                "web",
                Map.of(),
                annotations,
                new PodView.Surroundings(Optional.empty(), List.of()),
                PodView.Declared.NOTHING,
                List.of(),
                false,
                false,
                Optional.empty());
    }

    private String request() throws InterruptedException {
        var request = requests.poll(1, TimeUnit.MINUTES);
        return request == null ? "nothing was asked" : request;
    }

    @Test
    void stateIsAMergePatchOfTheStatusWithThePodsUid() throws Exception {
        status.write(pod(Map.of()), State.ENABLED);

        assertThat(request())
                .startsWith("PATCH /api/v1/namespaces/shop/pods/web/status")
                .contains("application/merge-patch+json")
                .contains("\"uid\":\"u-1\"")
                .contains("\"ambient.istio.io/redirection\":\"enabled\"");
        assertThat(status.read(pod(Map.of()))).as("before the watch shows it").contains(State.ENABLED);
        status.write(pod(Map.of()), State.ENABLED);
        assertThat(requests).as("nothing new to say").isEmpty();
    }

    @Test
    void formerAgentsWordIsHeard() throws Exception {
        var pod = pod(Map.of("ambient.istio.io/redirection", "enabled"));

        assertThat(status.read(pod)).contains(State.ENABLED);
        status.write(pod, State.ENABLED);
        assertThat(requests).isEmpty();
        status.remove(pod);
        assertThat(request()).contains("\"ambient.istio.io/redirection\":null");
        assertThat(status.read(pod)).as("before the watch shows it").isEmpty();
    }

    @Test
    void serverThatRefusesIsAnErrorAndNothingCountsAsWritten() throws Exception {
        answer = 503;

        assertThatThrownBy(() -> status.write(pod(Map.of()), State.ENABLED)).isInstanceOf(IOException.class);
        assertThat(status.read(pod(Map.of()))).isEmpty();
    }

    @Test
    void podThatIsGoneNeedsNoRemoval() throws Exception {
        answer = 404;

        status.remove(pod(Map.of("ambient.istio.io/redirection", "pending")));
        assertThat(request()).startsWith("PATCH");
    }
}
