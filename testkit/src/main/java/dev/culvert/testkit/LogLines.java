package dev.culvert.testkit;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.AppenderBase;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.slf4j.LoggerFactory;

/// What is logged during a test. Thread-safe.
final class LogLines extends AppenderBase<ILoggingEvent> {
    private static final int MAX_LINES = 100_000;

    private final List<String> lines = new ArrayList<>();
    private final List<String> errors = new ArrayList<>();
    private final List<String> expected = new ArrayList<>();
    private final List<String> allowed = new ArrayList<>();

    private LogLines() {}

    static LogLines record() {
        var log = new LogLines();
        log.start();
        root().addAppender(log);
        return log;
    }

    private static Logger root() {
        return (Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
    }

    @Override
    protected synchronized void append(ILoggingEvent event) {
        var line = line(event);
        if (lines.size() < MAX_LINES) {
            lines.add(line);
        }
        if (event.getLevel().isGreaterOrEqual(Level.ERROR)) {
            errors.add(line);
        }
    }

    private static String line(ILoggingEvent event) {
        var text = new StringBuilder(event.getLoggerName() + " " + event.getFormattedMessage());
        if (event.getKeyValuePairs() != null) {
            event.getKeyValuePairs().forEach(pair -> text.append(' ').append(pair));
        }
        if (event.getThrowableProxy() != null) {
            text.append('\n').append(ThrowableProxyUtil.asString(event.getThrowableProxy()));
        }
        return text.toString();
    }

    synchronized List<String> lines() {
        return List.copyOf(lines);
    }

    synchronized boolean has(String... words) {
        return lines.stream().anyMatch(line -> Stream.of(words).allMatch(line::contains));
    }

    synchronized void expectError(String words) {
        expected.add(words);
    }

    synchronized void allowError(String words) {
        allowed.add(words);
    }

    /// Ends the record; returns error lines that nobody expected, and expectations that nothing met.
    synchronized List<String> finish() {
        root().detachAppender(this);
        stop();
        var problems = new ArrayList<String>();
        errors.stream()
                .filter(line -> expected.stream().noneMatch(line::contains))
                .filter(line -> allowed.stream().noneMatch(line::contains))
                .forEach(line -> problems.add("unexplained error line: " + line));
        expected.stream()
                .filter(words -> errors.stream().noneMatch(line -> line.contains(words)))
                .forEach(words -> problems.add("no error line has: " + words));
        return problems;
    }
}
