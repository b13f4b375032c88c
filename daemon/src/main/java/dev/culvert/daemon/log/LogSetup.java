package dev.culvert.daemon.log;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.encoder.Encoder;
import java.io.OutputStream;
import org.slf4j.LoggerFactory;

/// The process's log: where SLF4J's lines go, how they look and which are written. Install once, first thing in
/// `main`, and close last: closing writes what still waits.
///
/// Lines are written by a thread of their own behind a bounded queue; nobody who logs ever waits ([QueuedLines]).
public final class LogSetup implements AutoCloseable {
    /// The scope of lines that have their form already; who writes them leaves no control character in them.
    public static final String READY_LINES = "access.ready";

    private final LoggerContext context;
    private final LogLevels levels;

    private LogSetup(LoggerContext context, LogLevels levels) {
        this.context = context;
        this.levels = levels;
    }

    public static LogSetup install(LogFormat format, LogFilter filter, OutputStream out) {
        if (!(LoggerFactory.getILoggerFactory() instanceof LoggerContext context)) {
            throw new IllegalStateException("the log back end is not logback but " + LoggerFactory.getILoggerFactory());
        }
        context.reset();
        var root = context.getLogger(Logger.ROOT_LOGGER_NAME);
        root.addAppender(lines(context, format, out));
        return new LogSetup(context, new LogLevels(context, filter));
    }

    public LogLevels levels() {
        return levels;
    }

    /// Writes what waits and detaches; later lines go nowhere.
    @Override
    public void close() {
        context.getLogger(Logger.ROOT_LOGGER_NAME).detachAndStopAllAppenders();
    }

    private static QueuedLines lines(LoggerContext context, LogFormat format, OutputStream out) {
        Encoder<ILoggingEvent> encoder =
                switch (format) {
                    case PLAIN -> new PlainEncoder();
                    case JSON -> new JsonEncoder();
                };
        encoder.setContext(context);
        encoder.start();
        var appender = new QueuedLines(new ReadyLines(encoder), out);
        appender.setContext(context);
        appender.setName("lines");
        appender.start();
        return appender;
    }
}
