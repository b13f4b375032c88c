package dev.culvert.cli.install;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.yaml.snakeyaml.Yaml;
import picocli.CommandLine;

/// `culvert waypoint` against an API server that knows Gateways and Namespaces.
class WaypointCommandTest {
    private static final String GATEWAYS = "/apis/gateway.networking.k8s.io/v1/";
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    Path directory;

    private final Map<String, ObjectNode> objects = new ConcurrentSkipListMap<>();
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();
    private HttpServer server;

    @BeforeEach
    void start() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0), 16);
        server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        server.createContext("/", this::answer);
        server.start();
        Files.writeString(
                directory.resolve("config"), """
                apiVersion: v1
                kind: Config
                clusters: [{name: c, cluster: {server: "http://127.0.0.1:%d"}}]
                contexts: [{name: c, context: {cluster: c, user: u}}]
                users: [{name: u, user: {}}]
                current-context: c
                """.formatted(server.getAddress().getPort()));
        namespace("shop", "{\"istio.io/dataplane-mode\": \"ambient\"}");
    }

    @AfterEach
    void stop() {
        server.stop(0);
    }

    private void namespace(String name, String labels) throws IOException {
        objects.put("/api/v1/namespaces/" + name, (ObjectNode)
                JSON.readTree("{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{\"name\":\"" + name
                        + "\",\"labels\":" + labels + "}}"));
    }

    private ObjectNode object(String path) {
        return Objects.requireNonNull(objects.get(path), path);
    }

    /// GET of one or all, PATCH as apply, DELETE.
    private void answer(HttpExchange exchange) throws IOException {
        try (exchange) {
            var path = exchange.getRequestURI().getPath();
            var body = exchange.getRequestBody().readAllBytes();
            var found = objects.get(path);
            switch (exchange.getRequestMethod()) {
                case "PATCH" -> {
                    var sent = (ObjectNode) JSON.valueToTree(new Yaml().load(new String(body, StandardCharsets.UTF_8)));
                    if (found != null && found.path("kind").asText().equals("Namespace")) {
                        ((ObjectNode) found.path("metadata").path("labels"))
                                .setAll((ObjectNode) sent.path("metadata").path("labels"));
                    } else {
                        objects.put(path, sent);
                    }
                    send(exchange, 200, object(path));
                }
                case "DELETE" -> {
                    objects.remove(path);
                    send(
                            exchange,
                            200,
                            JSON.createObjectNode().put("kind", "Status").put("apiVersion", "v1"));
                }
                default -> {
                    if (path.endsWith("/gateways")) {
                        send(exchange, 200, list(path));
                    } else {
                        send(
                                exchange,
                                found == null ? 404 : 200,
                                found == null
                                        ? JSON.createObjectNode()
                                                .put("kind", "Status")
                                                .put("apiVersion", "v1")
                                        : found);
                    }
                }
            }
        }
    }

    private JsonNode list(String path) {
        var all = JSON.createObjectNode();
        all.put("apiVersion", "gateway.networking.k8s.io/v1")
                .put("kind", "GatewayList")
                .putObject("metadata");
        var items = all.putArray("items");
        objects.forEach((key, object) -> {
            if (key.startsWith(path) || (path.equals(GATEWAYS + "gateways") && key.contains("/gateways/"))) {
                items.add(object);
            }
        });
        return all;
    }

    private static void send(HttpExchange exchange, int status, JsonNode body) throws IOException {
        var bytes = JSON.writeValueAsBytes(body);
        exchange.getResponseHeaders().set("content-type", "application/json");
        exchange.sendResponseHeaders(status, bytes.length);
        exchange.getResponseBody().write(bytes);
    }

    private int waypoint(String... arguments) {
        out.getBuffer().setLength(0);
        err.getBuffer().setLength(0);
        var line = new CommandLine(new WaypointCommand());
        line.setExecutionExceptionHandler((failure, command, _) -> {
            command.getErr().println(failure.getMessage());
            return 1;
        });
        line.setOut(new PrintWriter(out)).setErr(new PrintWriter(err));
        var all = new ArrayList<>(List.of(arguments));
        all.add("--kubeconfig");
        all.add(directory.resolve("config").toString());
        return line.execute(all.toArray(String[]::new));
    }

    /// What the controller would say.
    private void programmed(String name, boolean yes) throws IOException {
        var there = object(GATEWAYS + "namespaces/shop/gateways/" + name);
        there.set(
                "status",
                JSON.readTree("{\"conditions\":[{\"type\":\"Programmed\",\"status\":\"" + (yes ? "True" : "False")
                        + "\",\"reason\":\"Programmed\",\"message\":\"assigned to wp:15008\"}]}"));
    }

    @Test
    void generatePrintsIstiosObject() {
        assertThat(waypoint("generate", "-n", "shop", "--name", "wp", "--for", "all"))
                .isZero();
        assertThat(out.toString()).isEqualTo("""
                        apiVersion: gateway.networking.k8s.io/v1
                        kind: Gateway
                        metadata:
                          name: wp
                          namespace: shop
                          labels:
                            istio.io/waypoint-for: all
                        spec:
                          gatewayClassName: istio-waypoint
                          listeners:
                          - name: mesh
                            port: 15008
                            protocol: HBONE
                        """);
        assertThat(waypoint("generate")).isZero();
        assertThat(out.toString()).contains("name: waypoint\n").doesNotContain("namespace", "labels");
    }

    @Test
    void whatIsWrongIsSaidAndNothingIsMade() {
        assertThat(waypoint("apply", "--for", "pods")).isEqualTo(2);
        assertThat(err.toString()).contains("service, workload, all, none");
        assertThat(waypoint("apply", "--name", "none")).isEqualTo(2);
        assertThat(waypoint("delete")).isEqualTo(2);
        assertThat(waypoint("delete", "--all", "wp")).isEqualTo(2);
        assertThat(waypoint("status", "wp")).isEqualTo(2);
        assertThat(waypoint("apply", "-n", "gone", "--enroll-namespace")).isEqualTo(1);
        assertThat(err.toString()).contains("there is no namespace gone");
        assertThat(objects).hasSize(1);
    }

    @Test
    void aWaypointFromApplyToDelete() throws IOException {
        assertThat(waypoint("list", "-n", "shop")).isZero();
        assertThat(out.toString()).isEqualTo("No waypoints found.\n");
        assertThat(waypoint("apply", "-n", "shop", "--name", "wp", "--enroll-namespace"))
                .isZero();
        assertThat(out.toString()).isEqualTo("""
                        ✅ waypoint shop/wp applied
                        ✅ namespace shop labeled with "istio.io/use-waypoint: wp"
                        """);
        assertThat(object("/api/v1/namespaces/shop")
                        .path("metadata")
                        .path("labels")
                        .toString())
                .isEqualTo("{\"istio.io/dataplane-mode\":\"ambient\",\"istio.io/use-waypoint\":\"wp\"}");
        assertThat(waypoint("status", "-n", "shop", "--waypoint-timeout", "0")).isEqualTo(1);
        assertThat(err.toString()).contains("waypoint shop/wp is not ready");
        programmed("wp", true);
        assertThat(waypoint("status", "-n", "shop")).isZero();
        assertThat(out.toString()).isEqualTo("""
                        NAME  STATUS  TYPE        REASON      MESSAGE
                        wp    True    Programmed  Programmed  assigned to wp:15008
                        """);
        assertThat(waypoint("list", "-A")).isZero();
        assertThat(out.toString()).isEqualTo("""
                        NAMESPACE  NAME  REVISION  TRAFFIC TYPE       PROGRAMMED
                        shop       wp    default   service (default)  True
                        """);
        assertThat(waypoint("delete", "-n", "shop", "wp", "other")).isZero();
        assertThat(out.toString()).isEqualTo("waypoint shop/wp deleted\nwaypoint shop/other not found\n");
        assertThat(objects).hasSize(1);
    }

    @Test
    void aNamespaceThatHasOneIsLeftAloneUnlessToldOtherwise() throws IOException {
        namespace("shop", "{\"istio.io/use-waypoint\": \"old\"}");
        assertThat(waypoint("apply", "-n", "shop", "--enroll-namespace")).isZero();
        assertThat(err.toString()).contains("Nothing was changed", "already");
        assertThat(objects).hasSize(1);
        assertThat(waypoint("apply", "-n", "shop", "--enroll-namespace", "--overwrite"))
                .isZero();
        assertThat(err.toString()).contains("is not in the mesh");
        assertThat(objects).hasSize(2);
    }
}
