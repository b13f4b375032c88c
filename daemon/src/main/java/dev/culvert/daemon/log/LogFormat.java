package dev.culvert.daemon.log;

/// How a log line looks.
public enum LogFormat {
    PLAIN,
    JSON;

    /// Istio's `LOG_FORMAT`.
    ///
    /// @throws IllegalArgumentException unless `plain` or `json`
    public static LogFormat parse(String text) {
        return switch (text) {
            case "plain" -> PLAIN;
            case "json" -> JSON;
            default -> throw new IllegalArgumentException("not a log format: " + text);
        };
    }
}
