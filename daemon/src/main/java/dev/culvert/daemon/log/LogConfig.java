package dev.culvert.daemon.log;

import dev.culvert.daemon.config.ConfigReader;
import java.io.OutputStream;

/// The log's settings, with Istio's names.
public record LogConfig(LogFormat format, LogFilter filter) {
    public static LogConfig from(ConfigReader read) {
        return new LogConfig(
                read.parsed("LOG_FORMAT", "plain or json", "plain", LogFormat::parse, "How log lines look."),
                read.parsed(
                        "RUST_LOG",
                        "a level, or scope=level, separated by commas",
                        "info",
                        LogFilter::parse,
                        "Which log lines are written; Istio's name."));
    }

    public LogSetup install(OutputStream out) {
        return LogSetup.install(format, filter, out);
    }
}
