package dev.culvert.daemon.admin;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.zip.GZIPOutputStream;
import javax.net.ssl.SSLContext;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A small HTTP/1.1 server: exact paths, one virtual thread a request. An unknown path is 404, a known one asked with
/// another method 405. A request has 2 s to arrive and its header 8 KiB; these limits are of the whole process, for
/// the JDK's server knows no others. Of requests with a body eight are answered at once, others wait. Safe for any
/// thread.
public final class HttpPages implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(HttpPages.class);
    private static final String ANY = "*";
    private static final long GRACE_SECONDS = 1;
    private static final int MAX_BODIES = 8;
    private static final Map<String, String> LIMITS = Map.of(
            "sun.net.httpserver.maxReqTime", "2",
            "sun.net.httpserver.maxReqHeaderSize", "8192",
            "sun.net.httpserver.maxIdleConnections", "64",
            "jdk.httpserver.maxConnections", "512");

    private final List<HttpServer> servers = new ArrayList<>();
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private final Map<String, Map<String, Entry>> pages;
    private final Semaphore bodies = new Semaphore(MAX_BODIES);

    /// @param maxBody bytes that a request may carry
    private record Entry(Page page, int maxBody) {}

    private HttpPages(Map<String, Map<String, Entry>> pages) {
        this.pages = pages;
    }

    /// Collects pages. For one thread.
    public static final class Builder {
        private final Map<String, Map<String, Entry>> pages = new TreeMap<>();
        private Optional<SSLContext> tls = Optional.empty();

        public Builder get(String path, Page page) {
            return add("GET", path, new Entry(page, 0));
        }

        /// @param page is told nothing of a body
        public Builder post(String path, Page page) {
            return add("POST", path, new Entry(page, 0));
        }

        /// @param maxBody bytes; a longer request is answered with 413
        public Builder post(String path, int maxBody, Page page) {
            return add("POST", path, new Entry(page, maxBody));
        }

        public Builder any(String path, Page page) {
            return add(ANY, path, new Entry(page, 0));
        }

        /// HTTPS instead of HTTP.
        public Builder tls(SSLContext context) {
            tls = Optional.of(context);
            return this;
        }

        private Builder add(String method, String path, Entry page) {
            pages.computeIfAbsent(path, _ -> new LinkedHashMap<>()).put(method, page);
            return this;
        }

        /// Binds all addresses or none; port 0 takes a free one.
        public HttpPages start(List<InetSocketAddress> addresses) throws IOException {
            var started = new HttpPages(Map.copyOf(pages));
            try {
                for (var address : addresses) {
                    started.bind(address, tls);
                }
                return started;
            } catch (IOException cannotBind) {
                started.close();
                throw cannotBind;
            }
        }
    }

    public static Builder builder() {
        return new Builder();
    }

    /// The bound addresses, in the order asked for.
    public List<InetSocketAddress> addresses() {
        return servers.stream().map(HttpServer::getAddress).toList();
    }

    private void bind(InetSocketAddress address, Optional<SSLContext> tls) throws IOException {
        try {
            LIMITS.forEach(System::setProperty);
            var server = tls.isPresent() ? secure(address, tls.get()) : HttpServer.create(address, 0);
            server.setExecutor(threads);
            server.createContext("/", this::handle);
            server.start();
            servers.add(server);
        } catch (IOException cannotBind) {
            throw new IOException("cannot listen on " + address + ": " + cannotBind.getMessage(), cannotBind);
        }
    }

    private static HttpServer secure(InetSocketAddress address, SSLContext tls) throws IOException {
        var server = HttpsServer.create(address, 0);
        server.setHttpsConfigurator(new HttpsConfigurator(tls));
        return server;
    }

    private void handle(HttpExchange exchange) throws IOException {
        try (exchange) {
            send(exchange, answer(exchange));
        }
    }

    private Response answer(HttpExchange exchange) {
        var path = exchange.getRequestURI().getPath();
        var methods = pages.get(path);
        if (methods == null) {
            return Response.text(404, "");
        }
        var method = exchange.getRequestMethod();
        var page = methods.getOrDefault(method, methods.get(ANY));
        if (page == null) {
            exchange.getResponseHeaders().set("Allow", String.join(", ", methods.keySet()));
            return Response.text(405, "");
        }
        return answer(page, exchange, path);
    }

    private Response answer(Entry entry, HttpExchange exchange, String path) {
        try {
            return entry.maxBody == 0 ? answer(entry.page, exchange, path, "") : withBody(entry, exchange, path);
        } catch (IllegalArgumentException badRequest) {
            return Response.text(400, badRequest.getMessage() + "\n");
        } catch (Exception failed) {
            log.atError().addKeyValue("path", path).setCause(failed).log("page failed");
            return Response.text(500, "internal error, see the log\n");
        }
    }

    private Response withBody(Entry entry, HttpExchange exchange, String path) throws Exception {
        bodies.acquire();
        try {
            var body = exchange.getRequestBody().readNBytes(entry.maxBody + 1);
            return body.length > entry.maxBody
                    ? Response.text(413, "at most " + entry.maxBody + " bytes\n")
                    : answer(entry.page, exchange, path, new String(body, StandardCharsets.UTF_8));
        } finally {
            bodies.release();
        }
    }

    private static Response answer(Page page, HttpExchange exchange, String path, String body) throws Exception {
        var accept = exchange.getRequestHeaders().getFirst("Accept");
        var query = Request.parseQuery(exchange.getRequestURI().getRawQuery());
        return page.answer(new Request(exchange.getRequestMethod(), path, query, accept == null ? "" : accept, body));
    }

    private static void send(HttpExchange exchange, Response response) throws IOException {
        var headers = exchange.getResponseHeaders();
        headers.set("Content-Type", response.contentType());
        var compressed = response.compress() && takesGzip(exchange);
        if (compressed) {
            headers.set("Content-Encoding", "gzip");
        }
        if (exchange.getRequestMethod().equals("HEAD")) {
            exchange.sendResponseHeaders(response.status(), -1);
            return;
        }
        exchange.sendResponseHeaders(response.status(), 0);
        try (var body = exchange.getResponseBody();
                var out = compressed ? new GZIPOutputStream(body) : body) {
            response.body().writeTo(out);
        }
    }

    /// RFC 9110 §12.5.3; `gzip;q=0` is a refusal.
    private static boolean takesGzip(HttpExchange exchange) {
        for (var header : exchange.getRequestHeaders().getOrDefault("Accept-Encoding", List.of())) {
            for (var coding : header.split(",", -1)) {
                var parts = coding.strip().toLowerCase(Locale.ROOT).split("\\s*;\\s*", 2);
                if (parts[0].equals("gzip") && (parts.length == 1 || !parts[1].matches("q=0(\\.0*)?"))) {
                    return true;
                }
            }
        }
        return false;
    }

    /// Lets what is being answered end, such as the request that asked for this, for a second; then stops listening.
    @Override
    public void close() {
        threads.shutdown();
        try {
            if (!threads.awaitTermination(GRACE_SECONDS, TimeUnit.SECONDS)) {
                log.debug("an answer is cut off");
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
        servers.forEach(server -> server.stop(0));
        threads.shutdownNow();
    }
}
