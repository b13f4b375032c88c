package dev.culvert.daemon.log;

import java.util.Locale;

/// How a line of a waypoint's access log looks.
public enum AccessFormat {
    /// Our fields, as the other lines of the log.
    FIELDS,
    /// Istio's default text format.
    TEXT,
    /// The same as one JSON object.
    JSON,
    /// There is none.
    OFF;

    /// @throws IllegalArgumentException if there is none of that name
    public static AccessFormat parse(String text) {
        return valueOf(text.toUpperCase(Locale.ROOT));
    }

    /// As settings name it.
    public String text() {
        return name().toLowerCase(Locale.ROOT);
    }
}
