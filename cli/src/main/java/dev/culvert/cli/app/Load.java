package dev.culvert.cli.app;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.HdrHistogram.ConcurrentHistogram;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// Makes requests on some kept-alive connections and counts what went wrong. A failed request closes its
/// connection; the next one opens another.
@Command(name = "load", description = "Makes HTTP requests for some seconds; prints totals, failures and latencies.")
public final class Load implements Callable<Integer> {
    private static final int ANSWER_MILLIS = 3000;

    @Parameters(paramLabel = "URL", description = "What to ask for.")
    String url = "";

    @Option(
            names = "--connections",
            paramLabel = "N",
            description = "At once (default: ${DEFAULT-VALUE}).",
            defaultValue = "8")
    int connections;

    @Option(
            names = "--seconds",
            paramLabel = "S",
            description = "For how long (default: ${DEFAULT-VALUE}).",
            defaultValue = "5")
    int seconds;

    @Option(
            names = "--requests-per-connection",
            paramLabel = "N",
            description = "After so many a connection is closed (default: ${DEFAULT-VALUE}).",
            defaultValue = "50")
    int perConnection;

    private final ConcurrentHistogram micros = new ConcurrentHistogram(60_000_000L, 3);
    private final AtomicLong failures = new AtomicLong();
    private final AtomicLong lateFailures = new AtomicLong();
    private final AtomicReference<String> lastFailure = new AtomicReference<>("");
    private long endNanos;

    @Override
    public Integer call() throws InterruptedException {
        var target = Target.parse(url);
        endNanos = System.nanoTime() + Duration.ofSeconds(seconds).toNanos();
        var workers = new ArrayList<Thread>();
        for (var i = 0; i < connections; i++) {
            workers.add(Thread.ofPlatform().start(() -> work(target)));
        }
        for (var worker : workers) {
            worker.join();
        }
        System.out.printf(
                "requests=%d failures=%d late_failures=%d p50_us=%d p99_us=%d max_us=%d last_failure=\"%s\"%n",
                micros.getTotalCount() + failures.get(),
                failures.get(),
                lateFailures.get(),
                micros.getValueAtPercentile(50),
                micros.getValueAtPercentile(99),
                micros.getMaxValue(),
                lastFailure.get());
        return 0;
    }

    private boolean over() {
        return endNanos - System.nanoTime() <= 0;
    }

    private void work(Target target) {
        while (!over()) {
            try (var socket = new Socket()) {
                socket.connect(target.address(), ANSWER_MILLIS);
                socket.setSoTimeout(ANSWER_MILLIS);
                socket.setTcpNoDelay(true);
                var lines = Serve.lines(socket);
                for (var i = 0; i < perConnection && !over(); i++) {
                    timed(socket, lines, target);
                }
            } catch (IOException e) {
                failed(e);
            }
        }
    }

    private void failed(IOException e) {
        failures.incrementAndGet();
        lastFailure.set(String.valueOf(e.getMessage()));
        if (endNanos - System.nanoTime() < Duration.ofMillis(1500).toNanos()) {
            lateFailures.incrementAndGet();
        }
        try {
            Thread.sleep(Duration.ofMillis(20));
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void timed(Socket socket, BufferedReader lines, Target target) throws IOException {
        var start = System.nanoTime();
        var request = "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n".formatted(target.path(), target.host());
        socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
        answer(lines);
        micros.recordValue(Math.min(60_000_000L, (System.nanoTime() - start) / 1000));
    }

    private static void answer(BufferedReader lines) throws IOException {
        var status = lines.readLine();
        if (status == null || !status.startsWith("HTTP/1.1 200")) {
            throw new IOException("answer: " + status);
        }
        var length = 0;
        for (var line = lines.readLine(); line != null && !line.isEmpty(); line = lines.readLine()) {
            if (line.regionMatches(true, 0, "content-length:", 0, 15)) {
                length = Integer.parseInt(line.substring(15).strip());
            }
        }
        var body = new char[length];
        var at = 0;
        while (at < length) {
            var read = lines.read(body, at, length - at);
            if (read < 0) {
                throw new IOException("the answer ended early");
            }
            at += read;
        }
    }
}
