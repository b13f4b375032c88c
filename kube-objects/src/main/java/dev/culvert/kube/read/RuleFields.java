package dev.culvert.kube.read;

import dev.culvert.kube.object.HttpRule.Header;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/// Fields that rules of both route kinds have.
final class RuleFields {
    private static final Pattern PART = Pattern.compile("([0-9]{1,9}(?:\\.[0-9]{1,9})?)(ms|us|ns|s|m|h)");
    private static final Pattern WHOLE = Pattern.compile("(?:" + PART.pattern() + "){1,4}");
    private static final Pattern TOKEN = Pattern.compile("[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}");
    private static final int MAX_WEIGHT = 1_000_000;
    /// Names of headers that frame a message or name its target: another part of the rule changes them, or nobody.
    private static final Set<String> NOT_HEADERS = Set.of(
            "host", "content-length", "transfer-encoding", "connection", "upgrade", "te", "trailer", "keep-alive");

    private RuleFields() {}

    static Optional<Duration> duration(Fields fields, String name) {
        return fields.parsed(name, "a duration such as 1.5s or 250ms", RuleFields::duration);
    }

    private static Duration duration(String text) {
        if (!WHOLE.matcher(text).matches()) {
            throw new IllegalArgumentException(text);
        }
        var sum = Duration.ZERO;
        var part = PART.matcher(text);
        while (part.find()) {
            sum = sum.plusNanos((long) (Double.parseDouble(part.group(1)) * nanos(part.group(2))));
        }
        return sum;
    }

    private static double nanos(String unit) {
        return switch (unit) {
            case "h" -> 3600e9;
            case "m" -> 60e9;
            case "s" -> 1e9;
            case "ms" -> 1e6;
            case "us" -> 1e3;
            default -> 1;
        };
    }

    static int weight(Fields fields, int otherwise) {
        return fields.integer("weight", 0, MAX_WEIGHT).orElse(otherwise);
    }

    static Optional<Integer> port(Fields fields, String name) {
        return fields.integer(name, 1, 65535);
    }

    /// @param field where the header is written
    static Header header(Fields at, String field, String name, String value) {
        var lower = headerName(at, field, name);
        if (value.chars().anyMatch(c -> (c < ' ' && c != '\t') || c == 127)) {
            at.error(field, "the value of header " + lower + " has a control character", "remove it");
        }
        return new Header(lower, value);
    }

    /// A value of Istio's, where `%%` is a percent sign and anything between two a substitution.
    static Header substituted(Fields at, String field, String name, String value) {
        if (value.replace("%%", "").contains("%")) {
            at.error(
                    field,
                    "the value of header " + name + " has a %: substitutions are not supported yet",
                    "write a fixed value, and %% for a percent sign");
        }
        return header(at, field, name, value.replace("%%", "%"));
    }

    static String headerName(Fields at, String field, String name) {
        var lower = name.toLowerCase(Locale.ROOT);
        if (!TOKEN.matcher(lower).matches()) {
            at.error(field, "\"" + name + "\" is not a header name", "write letters, digits and -");
        } else if (NOT_HEADERS.contains(lower)) {
            at.error(
                    field,
                    "header " + lower + " cannot be changed",
                    lower.equals("host") ? "rewrite the host name instead" : "remove it");
        }
        return lower;
    }
}
