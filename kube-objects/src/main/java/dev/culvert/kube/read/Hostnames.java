package dev.culvert.kube.read;

import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;

/// Hostnames of listeners and routes: a name, or `*.` and a name.
final class Hostnames {
    private static final Pattern FORM =
            Pattern.compile("(\\*\\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*");
    private static final int MAX_LENGTH = 253;

    private Hostnames() {}

    static List<String> all(Fields fields, String field) {
        return fields.parsedList(field, "a hostname, or *. and a hostname", Hostnames::parse);
    }

    /// Empty if none is written.
    static String one(Fields fields, String field) {
        return fields.text(field, "").isEmpty()
                ? ""
                : fields.parsed(field, "a hostname, or *. and a hostname", Hostnames::parse)
                        .orElse("");
    }

    /// @throws IllegalArgumentException if it is none
    static String parse(String text) {
        var lower = text.toLowerCase(Locale.ROOT);
        if (lower.length() > MAX_LENGTH || !FORM.matcher(lower).matches()) {
            throw new IllegalArgumentException(text);
        }
        return lower;
    }
}
