import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.slf4j.LoggerFactory;

/// What a large mesh costs the controller: `perf/controller --help`.
public final class ControllerFigures {
    private static final int A_SECOND = 100;
    private static final int SINGLE_CHANGES = 5;
    private static final int WRITERS = 16;
    private static final long PATIENCE_SECONDS = 120;

    private final Path program;
    private final Map<String, String> options;
    private final Path out;
    private final List<String> table = new ArrayList<>();

    private ControllerFigures(Path program, Map<String, String> options) throws IOException {
        this.program = program;
        this.options = options;
        out = Files.createDirectories(Path.of(options.get("out")));
    }

    /// @param arguments the controller's program, then pairs of an option and its value, as the script has checked
    public static void main(String[] arguments) throws Exception {
        ((Logger) LoggerFactory.getLogger(Logger.ROOT_LOGGER_NAME)).setLevel(Level.WARN);
        var options = new HashMap<String, String>();
        for (var i = 1; i + 1 < arguments.length; i += 2) {
            options.put(arguments[i], arguments[i + 1]);
        }
        var figures = new ControllerFigures(Path.of(arguments[0]), options);
        try {
            if (options.containsKey("folder")) {
                figures.folders();
            } else {
                figures.cluster();
            }
        } finally {
            Files.write(figures.out.resolve("table.md"), figures.table);
        }
        System.exit(0);
    }

    private int number(String option) {
        return Integer.parseInt(options.get(option));
    }

    private void row(String what, String format, Object... values) {
        var line = "| " + what + " | " + format.formatted(values) + " |";
        table.add(line);
        System.out.println(line);
    }

    private void cluster() throws Exception {
        var kubeconfig = Path.of(options.get("kubeconfig"));
        var changes = A_SECOND * number("seconds");
        if (Math.max(changes, number("changes")) > number("pods")) {
            throw new IllegalArgumentException("each change needs a pod of its own: give more --pods, or fewer --seconds");
        }
        var crowd = new ClusterCrowd(new ApiServer(kubeconfig), number("pods"), number("services"));
        var running = new AtomicReference<Istiod>();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> end(running.get(), crowd)));
        crowd.fill();
        row("pods, Services", "%d, %d", number("pods"), number("services"));
        var istiod = new Istiod(program, List.of("--kubeconfig", kubeconfig.toString()), out.resolve("istiod.log"));
        running.set(istiod);
        started(istiod, crowd);
        burst(istiod, crowd);
        steady(istiod, crowd, 1, changes);
        steady(istiod, crowd, number("clients"), changes);
        memory(istiod, "at the end");
    }

    private static void end(Istiod istiod, ClusterCrowd crowd) {
        try {
            if (istiod != null) {
                istiod.close();
            }
            crowd.close();
        } catch (Exception failed) {
            System.err.println("not everything was taken away: " + failed);
        }
    }

    private Map<String, String> started(Istiod istiod, Crowd crowd) throws Exception {
        row("start to ready", "%.1f s", istiod.readySeconds());
        memory(istiod, "when ready");
        var access = crowd.access();
        Map<String, String> held = Map.of();
        for (var round = 1; round <= 3; round++) {
            try (var reader = new Reader(istiod.port(), access, Map.of(), (_, _) -> {})) {
                var first = reader.first(PATIENCE_SECONDS);
                row(
                        "full push to a new client, " + round,
                        "%.0f ms, %d addresses, %.1f MB",
                        first.milliseconds(),
                        first.addresses(),
                        first.bytes() / 1e6);
                held = reader.versions();
            }
        }
        try (var reader = new Reader(istiod.port(), access, held, (_, _) -> {})) {
            var first = reader.first(PATIENCE_SECONDS);
            row(
                    "reconnect of a client that has all",
                    "%.0f ms, %d addresses, %d bytes",
                    first.milliseconds(),
                    first.addresses(),
                    first.bytes());
        }
        return held;
    }

    private void memory(Istiod istiod, String when) throws IOException {
        row(
                "RSS, PSS, CPU " + when,
                "%.0f MiB, %.0f MiB, %.1f s",
                istiod.mebibytes("Rss"),
                istiod.mebibytes("Pss"),
                istiod.cpuSeconds());
    }

    private interface Measured {
        void with(Changes changes) throws Exception;
    }

    /// Connects the clients, waits until each has everything, then measures.
    private void connected(Istiod istiod, Crowd crowd, Changes changes, int clients, Measured measured)
            throws Exception {
        var access = crowd.access();
        var readers = new ArrayList<Reader>();
        try {
            for (var i = 0; i < clients; i++) {
                var client = i;
                readers.add(new Reader(
                        istiod.port(),
                        access,
                        Map.of(),
                        (version, nanos) -> changes.received(client, version, nanos)));
            }
            for (var reader : readers) {
                reader.first(PATIENCE_SECONDS);
            }
            measured.with(changes);
        } finally {
            for (var reader : readers) {
                reader.close();
            }
        }
    }

    /// As fast as the API server takes them.
    private void burst(Istiod istiod, Crowd crowd) throws Exception {
        var changes = new Changes("burst", number("changes"), 1);
        connected(istiod, crowd, changes, 1, all -> {
            try (var writers = Executors.newFixedThreadPool(WRITERS)) {
                for (var i = 0; i < all.count(); i++) {
                    var change = i;
                    writers.submit(() -> write(crowd, all, change));
                }
            }
            all.await(PATIENCE_SECONDS);
        });
        row(
                changes.count() + " writes at once: last answer to last change at the client",
                "%.0f ms (written in %.2f s, %d missing)",
                changes.lastMilliseconds(),
                changes.writingSeconds(),
                changes.missing());
    }

    private static Void write(Crowd crowd, Changes changes, int change) {
        try {
            crowd.change(change, changes.version(change));
            changes.written(change);
        } catch (Exception failed) {
            System.err.println("a change was not written: " + failed);
        }
        return null;
    }

    private void steady(Istiod istiod, Crowd crowd, int clients, int count) throws Exception {
        var changes = new Changes("with" + clients, count, clients);
        var cpu = new double[1];
        connected(istiod, crowd, changes, clients, all -> {
            cpu[0] = istiod.cpuSeconds();
            try (var writers = Executors.newFixedThreadPool(WRITERS)) {
                var start = System.nanoTime();
                for (var i = 0; i < count; i++) {
                    var due = start + i * (TimeUnit.SECONDS.toNanos(1) / A_SECOND);
                    TimeUnit.NANOSECONDS.sleep(Math.max(0, due - System.nanoTime()));
                    var change = i;
                    writers.submit(() -> write(crowd, all, change));
                }
            }
            all.await(PATIENCE_SECONDS);
            cpu[0] = istiod.cpuSeconds() - cpu[0];
        });
        Files.writeString(out.resolve("changes-" + clients + "-clients.csv"), changes.csv());
        var latencies = changes.latencies();
        row(
                "a change at a client, " + clients + " connected",
                "p50 %.0f ms, p99 %.0f ms, most %.0f ms (%d changes at %.0f/s, %d missing, %.1f CPU seconds)",
                Changes.percentile(latencies, 0.5),
                Changes.percentile(latencies, 0.99),
                Changes.percentile(latencies, 1),
                count,
                count / changes.writingSeconds(),
                changes.missing(),
                cpu[0]);
    }

    private void folders() throws Exception {
        var running = new AtomicReference<Istiod>();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            try {
                if (running.get() != null) {
                    running.get().close();
                }
            } catch (InterruptedException _) {
                Thread.currentThread().interrupt();
            }
        }));
        double pss = 0;
        var fewer = 0;
        for (var text : options.get("folder").split(",")) {
            var pods = Integer.parseInt(text);
            var scratch = Files.createTempDirectory(Path.of(options.get("scratch")), "folder");
            var crowd = new FolderCrowd(scratch.resolve("objects"), scratch.resolve("state"), pods);
            crowd.fill();
            row("**pods in a folder**", "**%d**", pods);
            try (var istiod = new Istiod(
                    program,
                    List.of(
                            "--configDir",
                            scratch.resolve("objects").toString(),
                            "--stateDir",
                            scratch.resolve("state").toString()),
                    out.resolve("istiod-" + pods + ".log"))) {
                running.set(istiod);
                started(istiod, crowd);
                single(istiod, crowd);
                memory(istiod, "at the end");
                var now = istiod.mebibytes("Pss");
                row("PSS a pod", "%.1f KiB", now * 1024 / pods);
                if (fewer > 0) {
                    row("PSS a further pod", "%.1f KiB", (now - pss) * 1024 / (pods - fewer));
                }
                pss = now;
                fewer = pods;
            }
        }
    }

    /// One after the other, each when the one before has come.
    private void single(Istiod istiod, Crowd crowd) throws Exception {
        var took = new double[SINGLE_CHANGES];
        var cpu = istiod.cpuSeconds();
        for (var i = 0; i < SINGLE_CHANGES; i++) {
            var changes = new Changes("single" + i, 1, 1);
            connected(istiod, crowd, changes, 1, all -> {
                write(crowd, all, 0);
                all.await(PATIENCE_SECONDS);
            });
            if (changes.missing() > 0) {
                throw new IOException("a change has not come to a client within minutes");
            }
            took[i] = changes.lastMilliseconds();
        }
        Arrays.sort(took);
        row(
                "one change at a client, of " + SINGLE_CHANGES,
                "middle %.0f ms, most %.0f ms (%.2f CPU seconds each, with a full push)",
                took[SINGLE_CHANGES / 2],
                took[SINGLE_CHANGES - 1],
                (istiod.cpuSeconds() - cpu) / SINGLE_CHANGES);
    }
}
