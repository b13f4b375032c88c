package dev.culvert.daemon.log;

import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;

/// RFC 3339, UTC, microseconds.
final class Timestamps {
    private static final DateTimeFormatter MICROS = DateTimeFormatter.ofPattern(
                    "uuuu-MM-dd'T'HH:mm:ss.SSSSSS'Z'", Locale.ROOT)
            .withZone(ZoneOffset.UTC);

    private Timestamps() {}

    static void append(StringBuilder to, Instant instant) {
        MICROS.formatTo(instant, to);
    }
}
