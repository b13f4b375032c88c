package dev.culvert.daemon.log;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import dev.culvert.daemon.admin.Page;
import dev.culvert.daemon.admin.Request;
import dev.culvert.daemon.admin.Response;
import org.slf4j.Logger;

/// The levels in force, changeable while the process runs. Safe for any thread.
public final class LogLevels {
    private final LoggerContext context;
    private final LogFilter initial;
    private LogFilter current;

    /// The Kubernetes client warns, with stacks, of each of many watches that end; who uses it says it once.
    private static final String TALKATIVE = "io.fabric8";

    LogLevels(LoggerContext context, LogFilter initial) {
        this.context = context;
        this.initial = initial;
        this.current = initial;
        apply(initial);
    }

    /// The filter in force, such as `info,access=debug`.
    public synchronized String show() {
        return current.toString();
    }

    /// Adds clauses (`debug`, or `scope=debug`) to the filter in force.
    ///
    /// @throws IllegalArgumentException if one cannot be read; then nothing changes
    public synchronized void set(String clauses) {
        current = current.plus(clauses);
        apply(current);
    }

    /// Back to the filter that the process started with.
    public synchronized void reset() {
        current = initial;
        apply(current);
    }

    /// Istio's `POST /logging`: `?level=…` adds, `&reset` first goes back, nothing shows. What cannot be read is 400.
    public Page page() {
        return this::answer;
    }

    private synchronized Response answer(Request request) {
        var clauses = request.parameter("level").orElse("");
        var next = (request.parameter("reset").isPresent() ? initial : current).plus(clauses);
        current = next;
        apply(next);
        return Response.text(200, "current log level is " + next + "\n");
    }

    private void apply(LogFilter filter) {
        for (var logger : context.getLoggerList()) {
            if (!logger.getName().equals(Logger.ROOT_LOGGER_NAME)) {
                logger.setLevel(null);
            }
        }
        context.getLogger(Logger.ROOT_LOGGER_NAME).setLevel(Level.toLevel(filter.level()));
        if (Level.toLevel(filter.level()).isGreaterOrEqual(Level.INFO)) {
            context.getLogger(TALKATIVE).setLevel(Level.OFF);
        }
        filter.scopes().forEach((written, level) -> {
            var scope = written.replace("::", ".");
            context.getLogger(scope).setLevel(Level.toLevel(level));
            context.getLogger(Scope.PREFIX + scope).setLevel(Level.toLevel(level));
        });
    }
}
