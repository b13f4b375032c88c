package dev.culvert.ztunnel.app;

import dev.culvert.daemon.config.ConfigException;
import dev.culvert.daemon.config.Env;
import dev.culvert.proxy.ca.TestAuthority;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/// A whole ztunnel in this process, on Istio's ports, with certificates of a test authority and a mesh from YAML.
final class RunningZtunnel implements AutoCloseable {
    private static final HttpClient CLIENT = HttpClient.newHttpClient();

    private final CompletableFuture<Void> ended = new CompletableFuture<>();
    private final ByteArrayOutputStream log = new ByteArrayOutputStream();

    /// Returns when readiness says `until`.
    RunningZtunnel(Path directory, TestAuthority authority, Map<String, String> environment, String until)
            throws IOException, ConfigException, InterruptedException {
        var all = new HashMap<>(environment);
        all.putIfAbsent("XDS_ADDRESS", "");
        all.putIfAbsent("INPOD_UDS", directory.resolve("none.sock").toString());
        all.putIfAbsent("CULVERT_STATE_DIR", "");
        all.putIfAbsent("CULVERT_KEYS_DIR", "");
        var config = ZtunnelConfig.from(new Env(all), directory.resolve("mesh"));
        var lines = config.log().install(log);
        var process = new ZtunnelProcess(config, lines.levels(), authority);
        Thread.ofPlatform().daemon().start(() -> {
            try (lines;
                    process) {
                process.run();
            } catch (IOException | RuntimeException e) {
                ended.completeExceptionally(e);
            }
            ended.complete(null); // when the log is given back: the next one may be waiting to take it
        });
        while (!ended.isDone() && !get(15021, "/healthz/ready").equals(until)) {
            TimeUnit.MILLISECONDS.sleep(10);
        }
        if (ended.isDone()) {
            throw new IOException(
                    "ended at once:\n" + log(), ended.isCompletedExceptionally() ? ended.exceptionNow() : null);
        }
    }

    /// Waits for all of these words.
    void awaitLog(String... words) {
        while (!List.of(words).stream().allMatch(log()::contains)) {
            try {
                TimeUnit.MILLISECONDS.sleep(10);
            } catch (InterruptedException e) { // the test's time is over
                throw new AssertionError("never logged " + List.of(words) + ":\n" + log(), e);
            }
        }
    }

    String log() {
        return log.toString(StandardCharsets.UTF_8);
    }

    /// Status and body, or `none` while nobody listens.
    static String get(int port, String path) throws InterruptedException {
        return send("GET", port, path);
    }

    private static String send(String method, int port, String path) throws InterruptedException {
        var request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
                .method(method, HttpRequest.BodyPublishers.noBody())
                .build();
        try {
            var answer = CLIENT.send(request, HttpResponse.BodyHandlers.ofString());
            return answer.statusCode() + " " + answer.body();
        } catch (IOException notYet) {
            return "none";
        }
    }

    @Override
    public void close() throws IOException {
        try {
            send("POST", 15000, "/quitquitquit");
            ended.get(20, TimeUnit.SECONDS);
        } catch (Exception e) {
            throw new IOException("no clean end:\n" + log(), e);
        }
    }
}
