package dev.culvert.agent.app;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.culvert.agent.event.EventServer;
import dev.culvert.agent.install.PluginInstaller;
import dev.culvert.agent.zds.ZdsServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/// The agent's health and metrics pages. The agent is ready as soon as ztunnels can connect (none need
/// to be) and its plugin is installed, if it is to be.
final class AgentPages implements AutoCloseable {
    private final ZdsServer zds;
    private final CniOptions.Running runtime;
    private final List<HttpServer> servers = new ArrayList<>();

    AgentPages(ZdsServer zds, CniOptions.Running runtime) {
        this.zds = zds;
        this.runtime = runtime;
    }

    /// @param healthPort 0 for none
    /// @param monitoringPort 0 for none
    void open(int healthPort, int monitoringPort) throws IOException {
        if (healthPort != 0) {
            var server = HttpServer.create(new InetSocketAddress(healthPort), 0);
            page(server, "/healthz", () -> "ok\n");
            server.createContext("/readyz", exchange -> {
                var ready = runtime.installer().map(PluginInstaller::installed).orElse(true);
                answer(
                        exchange,
                        ready ? 200 : 503,
                        ready ? "ready\n" : "the CNI plugin is not installed; see the log\n");
            });
            start(server);
        }
        if (monitoringPort != 0) {
            var server = HttpServer.create(new InetSocketAddress(monitoringPort), 0);
            page(server, "/metrics", this::metrics);
            start(server);
        }
    }

    private String metrics() {
        return "# HELP ztunnel_connected Number of connections to ztunnel.\n# TYPE ztunnel_connected gauge\nztunnel_connected "
                + zds.connections()
                + "\n"
                + runtime.server().map(AgentPages::requests).orElse("")
                + "# EOF\n";
    }

    private static String requests(EventServer server) {
        var text = new StringBuilder(
                "# HELP istio_cni_plugin_requests Requests of the CNI plugin.\n# TYPE istio_cni_plugin_requests counter\n");
        server.answered()
                .forEach((status, count) -> text.append(
                        "istio_cni_plugin_requests_total{response_code=\"%d\"} %d\n".formatted(status, count)));
        return text.toString();
    }

    private static void page(HttpServer server, String path, Supplier<String> text) {
        server.createContext(path, exchange -> answer(exchange, 200, text.get()));
    }

    private static void answer(HttpExchange exchange, int status, String text) throws IOException {
        try (exchange) {
            var bytes = text.getBytes(StandardCharsets.UTF_8);
            exchange.getResponseHeaders().set("Content-Type", "text/plain; charset=utf-8");
            exchange.sendResponseHeaders(status, bytes.length);
            exchange.getResponseBody().write(bytes);
        }
    }

    private void start(HttpServer server) {
        server.start();
        servers.add(server);
    }

    @Override
    public void close() {
        servers.forEach(server -> server.stop(0));
    }
}
