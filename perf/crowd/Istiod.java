import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/// A running controller, from outside.
final class Istiod implements AutoCloseable {
    private static final long PATIENCE_NANOS = TimeUnit.MINUTES.toNanos(5);
    private static final double TICKS = 100; // USER_HZ, the same on every Linux that we know

    private final Process process;
    private final int port;
    private final double readySeconds;

    /// Returns when it is ready.
    /// @param arguments that say what it reads
    Istiod(Path program, List<String> arguments, Path log) throws IOException, InterruptedException {
        port = free();
        var monitoring = free();
        var builder = new ProcessBuilder(Stream.concat(
                        Stream.of(program.toString(), "discovery"), arguments.stream())
                .toList());
        builder.redirectErrorStream(true).redirectOutput(log.toFile());
        builder.environment().put("POD_NAMESPACE", ClusterCrowd.SYSTEM);
        builder.environment().put("CULVERT_GRPC_PORT", Integer.toString(port));
        builder.environment().put("CULVERT_MONITORING_PORT", Integer.toString(monitoring));
        for (var other : List.of("HTTP", "DEBUG", "WEBHOOK")) {
            builder.environment().put("CULVERT_" + other + "_PORT", "0");
        }
        var start = System.nanoTime();
        process = builder.start();
        Runtime.getRuntime().addShutdownHook(new Thread(process::destroy)); // also if it is not ready yet
        awaitReady(monitoring, log);
        readySeconds = (System.nanoTime() - start) / 1e9;
    }

    private static int free() throws IOException {
        try (var socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }

    private void awaitReady(int monitoring, Path log) throws IOException, InterruptedException {
        var ready = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + monitoring + "/ready")).build();
        var end = System.nanoTime() + PATIENCE_NANOS;
        try (var client = HttpClient.newHttpClient()) {
            while (true) {
                try {
                    if (client.send(ready, BodyHandlers.discarding()).statusCode() == 200) {
                        return;
                    }
                } catch (IOException _) {
                    // it does not listen yet
                }
                if (!process.isAlive() || System.nanoTime() > end) {
                    close();
                    throw new IOException("istiod-lite has ended or is not ready after minutes; see " + log);
                }
                Thread.sleep(20);
            }
        }
    }

    int port() {
        return port;
    }

    double readySeconds() {
        return readySeconds;
    }

    boolean isAlive() {
        return process.isAlive();
    }

    /// @param what `Rss` or `Pss`
    double mebibytes(String what) throws IOException {
        return Files.readAllLines(Path.of("/proc/" + process.pid() + "/smaps_rollup")).stream()
                .filter(line -> line.startsWith(what + ":"))
                .mapToDouble(line -> Double.parseDouble(line.replaceAll("\\D+", "")) / 1024)
                .findFirst()
                .orElseThrow();
    }

    double cpuSeconds() throws IOException {
        var stat = Files.readString(Path.of("/proc/" + process.pid() + "/stat"));
        var fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
        return (Double.parseDouble(fields[11]) + Double.parseDouble(fields[12])) / TICKS;
    }

    @Override
    public void close() throws InterruptedException {
        process.destroy();
        if (!process.waitFor(10, TimeUnit.SECONDS)) {
            process.destroyForcibly().waitFor();
        }
    }
}
