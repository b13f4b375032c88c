package dev.culvert.e2e;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.culvert.linux.netns.NetworkNamespace;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicLong;

/// A server of HTTP/1.1 in a pod that answers who it is and what it saw, and a client for one request.
final class Http implements AutoCloseable {
    private final HttpServer server;
    private final String pod;
    private final AtomicLong served = new AtomicLong();

    /// @param body as it came, after the head
    record Answer(int status, String head, String body) {
        /// What the server saw of a header, or "".
        String saw(String header) {
            for (var line : body.split("\n", -1)) {
                if (line.toLowerCase(Locale.ROOT).startsWith("header " + header + ": ")) {
                    return line.substring(("header " + header + ": ").length());
                }
            }
            return "";
        }

        /// Which pod answered.
        String pod() {
            return body.lines().findFirst().orElse("");
        }
    }

    private Http(HttpServer server, String pod) {
        this.server = server;
        this.pod = pod;
    }

    /// @param pod `namespace/name`
    static Http serve(String pod) throws IOException {
        return serve("pod-" + pod.replace('/', '-'), 8080, pod.substring(pod.indexOf('/') + 1));
    }

    /// Where no pod is: beside the controller.
    static Http serveOutside(int port) throws IOException {
        return serve("control-plane", port, "outside");
    }

    private static Http serve(String namespace, int port, String name) throws IOException {
        try (var netns = NetworkNamespace.open(Path.of("/run/netns", namespace))) {
            var server =
                    netns.<HttpServer, IOException>call(() -> HttpServer.create(new InetSocketAddress(port), 1024));
            var http = new Http(server, name);
            server.createContext("/", http::answer);
            server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
            server.start();
            return http;
        }
    }

    private void answer(HttpExchange exchange) throws IOException {
        try (exchange) {
            served.incrementAndGet();
            var text =
                    new StringBuilder(pod + "\n" + exchange.getRequestMethod() + " " + exchange.getRequestURI() + "\n");
            exchange.getRequestHeaders()
                    .forEach((name, values) -> values.forEach(value -> text.append("header ")
                            .append(name)
                            .append(": ")
                            .append(value)
                            .append('\n')));
            text.append("body ")
                    .append(exchange.getRequestBody().readAllBytes().length)
                    .append('\n');
            var bytes = text.toString().getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(200, bytes.length);
            exchange.getResponseBody().write(bytes);
        }
    }

    long served() {
        return served.get();
    }

    static Answer call(TestPod from, InetSocketAddress to, String method, String path) throws IOException {
        return call(from, to, method, path, Map.of());
    }

    /// One request on a connection of its own.
    /// @throws IOException without an answer
    static Answer call(TestPod from, InetSocketAddress to, String method, String path, Map<String, String> headers)
            throws IOException {
        var all = new LinkedHashMap<>(headers);
        all.putIfAbsent("Host", "berth:8080");
        all.putIfAbsent("Connection", "close");
        var text = new StringBuilder(method + " " + path + " HTTP/1.1\r\n");
        all.forEach(
                (name, value) -> text.append(name).append(": ").append(value).append("\r\n"));
        try (var conversation = from.connect(to)) {
            conversation.out().write(text.append("\r\n").toString().getBytes(StandardCharsets.US_ASCII));
            var heard = new ByteArrayOutputStream();
            conversation.in().transferTo(heard);
            return parse(heard.toString(StandardCharsets.UTF_8));
        }
    }

    private static Answer parse(String text) throws IOException {
        var end = text.indexOf("\r\n\r\n");
        if (end < 0 || !text.startsWith("HTTP/1.")) {
            throw new IOException("no answer: " + text);
        }
        return new Answer(Integer.parseInt(text.substring(9, 12)), text.substring(0, end), text.substring(end + 4));
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
