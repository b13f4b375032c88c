package dev.culvert.waypoint.telemetry;

import java.time.Instant;
import java.time.ZoneId;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Locale;

/// Times in the forms of `strftime`, with Envoy's `%3f` and its like for parts of a second. What is no form stays as
/// it is.
final class StartTime {
    private static final DateTimeFormatter DEFAULT = pattern("uuuu-MM-dd'T'HH:mm:ss.SSS'Z'");

    private StartTime() {}

    private static DateTimeFormatter pattern(String pattern) {
        return DateTimeFormatter.ofPattern(pattern, Locale.ROOT);
    }

    /// In UTC.
    /// @param form empty for ISO 8601 with milliseconds
    static String text(Instant time, String form) {
        var at = time.atZone(ZoneId.of("UTC"));
        if (form.isEmpty()) {
            return DEFAULT.format(at);
        }
        var text = new StringBuilder();
        for (var i = 0; i < form.length(); i++) {
            var c = form.charAt(i);
            if (c != '%' || i + 1 == form.length()) {
                text.append(c);
                continue;
            }
            var letter = form.charAt(++i);
            if (Character.isDigit(letter) && i + 1 < form.length() && form.charAt(i + 1) == 'f') {
                text.append(fraction(at, letter - '0'));
                i++;
            } else {
                text.append(one(at, letter));
            }
        }
        return text.toString();
    }

    private static String fraction(ZonedDateTime at, int digits) {
        return String.format(Locale.ROOT, "%09d", at.getNano()).substring(0, Math.min(9, digits));
    }

    private static String one(ZonedDateTime at, char letter) {
        return switch (letter) {
            case 'Y' -> pattern("uuuu").format(at);
            case 'y' -> pattern("uu").format(at);
            case 'm' -> pattern("MM").format(at);
            case 'd' -> pattern("dd").format(at);
            case 'j' -> pattern("DDD").format(at);
            case 'H' -> pattern("HH").format(at);
            case 'I' -> pattern("hh").format(at);
            case 'M' -> pattern("mm").format(at);
            case 'S' -> pattern("ss").format(at);
            case 'p' -> pattern("a").format(at);
            case 'b', 'h' -> pattern("MMM").format(at);
            case 'B' -> pattern("MMMM").format(at);
            case 'a' -> pattern("EEE").format(at);
            case 'A' -> pattern("EEEE").format(at);
            case 'F' -> pattern("uuuu-MM-dd").format(at);
            case 'T' -> pattern("HH:mm:ss").format(at);
            case 'R' -> pattern("HH:mm").format(at);
            case 'D' -> pattern("MM/dd/uu").format(at);
            case 'f' -> fraction(at, 9);
            case 's' -> Long.toString(at.toEpochSecond());
            case 'z' -> "+0000";
            case 'Z' -> "UTC";
            case '%' -> "%";
            default -> "%" + letter;
        };
    }
}
