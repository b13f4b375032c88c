package dev.culvert.waypoint.route;

import com.google.re2j.Matcher;
import com.google.re2j.Pattern;
import dev.culvert.protos.waypoint.RegexRewrite;
import java.util.ArrayList;
import java.util.List;

/// What becomes of a path of which each part that an RE2 expression matches is replaced. Immutable.
public final class RegexPath {
    private final Pattern pattern;
    private final List<Part> parts;

    /// @param group negative for a text
    private record Part(String text, int group) {}

    /// @throws IllegalArgumentException for an expression that is not RE2's, or a group that it does not have
    RegexPath(RegexRewrite rewrite) {
        pattern = TextMatcher.compile(rewrite.getPattern());
        parts = parts(rewrite.getSubstitution());
        if (parts.stream().anyMatch(part -> part.group > pattern.groupCount())) {
            throw new IllegalArgumentException(
                    rewrite.getPattern() + " has no such group as in " + rewrite.getSubstitution());
        }
    }

    private static List<Part> parts(String substitution) {
        var parts = new ArrayList<Part>();
        var text = new StringBuilder();
        for (var i = 0; i < substitution.length(); i++) {
            var c = substitution.charAt(i);
            var next = c == '\\' && i + 1 < substitution.length() ? substitution.charAt(i + 1) : 'x';
            if (c == '\\' && next >= '0' && next <= '9') {
                parts.add(new Part(text.toString(), -1));
                text.setLength(0);
                parts.add(new Part("", next - '0'));
                i++;
            } else if (c == '\\' && next == '\\') {
                text.append(c);
                i++;
            } else {
                text.append(c);
            }
        }
        parts.add(new Part(text.toString(), -1));
        return List.copyOf(parts);
    }

    /// Always begins with a slash.
    public String rewrite(String path) {
        var matcher = pattern.matcher(path);
        var out = new StringBuilder(path.length());
        var from = 0;
        while (matcher.find()) {
            out.append(path, from, matcher.start());
            parts.forEach(part -> out.append(part.group < 0 ? part.text : group(matcher, part.group)));
            from = matcher.end();
        }
        out.append(path, from, path.length());
        return out.length() > 0 && out.charAt(0) == '/' ? out.toString() : "/" + out;
    }

    private static String group(Matcher matcher, int number) {
        var found = matcher.group(number);
        return found == null ? "" : found;
    }
}
