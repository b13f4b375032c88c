package dev.culvert.daemon.config;

import java.time.Duration;
import java.util.regex.Pattern;

/// Durations as people write them: `500ms`, `10s`, `5m`, `1h30m`.
public final class Durations {
    private static final Pattern PART = Pattern.compile("(\\d{1,15})(ms|h|m|s)");
    private static final Pattern WHOLE = Pattern.compile("(\\d{1,15}(ms|h|m|s))+");

    private Durations() {}

    /// @throws IllegalArgumentException if the text has another form
    public static Duration parse(String text) {
        if (!WHOLE.matcher(text).matches()) {
            throw new IllegalArgumentException("not a duration: " + text);
        }
        var sum = Duration.ZERO;
        var parts = PART.matcher(text);
        while (parts.find()) {
            sum = sum.plus(one(Long.parseLong(parts.group(1)), parts.group(2)));
        }
        return sum;
    }

    private static Duration one(long amount, String unit) {
        return switch (unit) {
            case "h" -> Duration.ofHours(amount);
            case "m" -> Duration.ofMinutes(amount);
            case "s" -> Duration.ofSeconds(amount);
            default -> Duration.ofMillis(amount);
        };
    }

    public static String print(Duration duration) {
        if (duration.isZero()) {
            return "0s";
        }
        return part(duration.toHours(), "h")
                + part(duration.toMinutesPart(), "m")
                + part(duration.toSecondsPart(), "s")
                + part(duration.toMillisPart(), "ms");
    }

    private static String part(long amount, String unit) {
        return amount == 0 ? "" : amount + unit;
    }
}
