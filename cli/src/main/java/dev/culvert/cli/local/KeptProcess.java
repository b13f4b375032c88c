package dev.culvert.cli.local;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A process that is started again whenever it ends: at once after it ran for a while, else with growing pauses.
/// Thread-safe.
final class KeptProcess {
    private static final Logger LOG = LoggerFactory.getLogger(KeptProcess.class);
    private static final Duration FIRST_PAUSE = Duration.ofMillis(500);
    private static final Duration MOST_PAUSE = Duration.ofSeconds(30);
    private static final Duration STEADY = Duration.ofSeconds(20);
    private static final Duration GRACE = Duration.ofSeconds(3);

    private final Start start;
    private @Nullable Process process;
    private int starts;
    private Duration pause = FIRST_PAUSE;
    private long startedNanos;
    private long nextNanos = System.nanoTime();
    private boolean stopped;

    /// What to run, and where its output goes.
    record Start(String name, List<String> command, Map<String, String> environment, Path log) {}

    KeptProcess(Start start) {
        this.start = start;
    }

    String name() {
        return start.name;
    }

    Path log() {
        return start.log;
    }

    synchronized boolean isRunning() {
        return process != null && process.isAlive();
    }

    synchronized Optional<Long> pid() {
        return process != null && process.isAlive() ? Optional.of(process.pid()) : Optional.empty();
    }

    synchronized int restarts() {
        return Math.max(0, starts - 1);
    }

    /// Starts it if it does not run and its pause is over.
    synchronized void keep() throws IOException {
        if (stopped || isRunning()) {
            return;
        }
        if (process != null) {
            noteEnd(process);
            process = null;
        }
        if (nextNanos - System.nanoTime() > 0) {
            return;
        }
        process = start();
        startedNanos = System.nanoTime();
        starts++;
        process.onExit().thenRun(this::keepAfterItsEnd);
    }

    private void keepAfterItsEnd() {
        try {
            keep();
        } catch (IOException e) {
            LOG.error("{} cannot be started again: {}", start.name, e.toString());
        }
    }

    private void noteEnd(Process ended) {
        var lasted = Duration.ofNanos(System.nanoTime() - startedNanos);
        pause = lasted.compareTo(STEADY) > 0 ? Duration.ZERO : pause;
        LOG.warn(
                "{} has ended with code {}, again in {} ms; see {}",
                start.name,
                ended.exitValue(),
                pause.toMillis(),
                start.log);
        nextNanos = System.nanoTime() + pause.toNanos();
        pause = Collections.min(List.of(MOST_PAUSE, Collections.max(List.of(FIRST_PAUSE, pause.multipliedBy(2)))));
    }

    private Process start() throws IOException {
        var builder = new ProcessBuilder(start.command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(start.log.toFile()))
                .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()));
        builder.environment().putAll(start.environment);
        return builder.start();
    }

    /// Kills it at once; it will be started again.
    synchronized void kill() {
        if (process != null) {
            process.destroyForcibly();
        }
    }

    /// Kills it at once; it will not be started again.
    synchronized void killForGood() {
        stopped = true;
        kill();
    }

    /// Asks it to end, insists after a while, and does not start it again.
    void stop() {
        stop(GRACE);
    }

    /// @param grace how long it may take
    void stop(Duration grace) {
        Process ending;
        synchronized (this) {
            stopped = true;
            ending = process;
        }
        if (ending == null) {
            return;
        }
        ending.destroy();
        try {
            if (!ending.waitFor(grace.toMillis(), TimeUnit.MILLISECONDS)) {
                ending.destroyForcibly().waitFor();
            }
        } catch (InterruptedException e) {
            ending.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }
}
