package dev.culvert.waypoint.route;

import com.google.re2j.Pattern;
import com.google.re2j.PatternSyntaxException;
import dev.culvert.protos.waypoint.TextMatch;
import java.util.Locale;

/// One condition on a text, compiled. Immutable.
public final class TextMatcher {
    private final TextMatch match;
    private final String value;
    private final Pattern regex;

    private static final Pattern NONE = Pattern.compile("");

    /// @throws IllegalArgumentException for a kind that is not known, or an expression that is not RE2's
    public TextMatcher(TextMatch match) {
        this.match = match;
        this.value = fold(
                switch (match.getKindCase()) {
                    case EXACT -> match.getExact();
                    case PREFIX -> match.getPrefix();
                    case SUFFIX -> match.getSuffix();
                    case REGEX, PRESENT, TEMPLATE -> "";
                    case KIND_NOT_SET -> throw new IllegalArgumentException("a text match of an unknown kind");
                });
        this.regex = switch (match.getKindCase()) {
            case REGEX -> compile(match.getRegex());
            case TEMPLATE -> compile(template(match.getTemplate()));
            case EXACT, PREFIX, SUFFIX, PRESENT, KIND_NOT_SET -> NONE;
        };
    }

    static Pattern compile(String expression) {
        try {
            return Pattern.compile(expression);
        } catch (PatternSyntaxException bad) {
            throw new IllegalArgumentException("not an RE2 expression: " + expression, bad);
        }
    }

    /// `{*}` is one segment, `{**}` any number of characters; everything else is literal.
    private static String template(String template) {
        var regex = new StringBuilder();
        var rest = template;
        while (!rest.isEmpty()) {
            var one = rest.indexOf("{*}");
            var all = rest.indexOf("{**}");
            var next = one < 0 ? all : all < 0 ? one : Math.min(one, all);
            if (next < 0) {
                regex.append(Pattern.quote(rest));
                break;
            }
            regex.append(Pattern.quote(rest.substring(0, next)));
            regex.append(next == all ? ".*" : "[^/]+");
            rest = rest.substring(next + (next == all ? 4 : 3));
        }
        return regex.toString();
    }

    private String fold(String text) {
        return match.getIgnoreCase() ? text.toLowerCase(Locale.ROOT) : text;
    }

    public boolean matches(String given) {
        return switch (match.getKindCase()) {
            case EXACT -> fold(given).equals(value);
            case PREFIX -> fold(given).startsWith(value);
            case SUFFIX -> fold(given).endsWith(value);
            case REGEX, TEMPLATE -> regex.matches(given);
            case PRESENT -> !given.isEmpty();
            case KIND_NOT_SET -> false;
        };
    }
}
