package dev.culvert.waypoint.route;

import dev.culvert.protos.waypoint.PathNormalization;
import java.util.ArrayDeque;
import java.util.Optional;
import java.util.regex.Pattern;

/// The one form of a path that is matched and forwarded (Istio's BASE normalisation, RFC 3986 §6.2.2): dot
/// segments removed, backslashes are slashes, unreserved characters decoded. Slashes are merged, and made of their
/// escapes, where the mesh's configuration says so.
public final class Paths {
    private static final int HEX = 16;
    private static final Pattern ESCAPED_SLASH = Pattern.compile("%2[Ff]|%5[Cc]");

    private Paths() {}

    /// Empty for what no request may hold: a path that does not begin with a slash, a fragment, a control
    /// character or one outside of ASCII.
    public static Optional<String> normalise(String path, PathNormalization how) {
        if (!path.startsWith("/") || path.chars().anyMatch(c -> c <= ' ' || c >= 127 || c == '#')) {
            return Optional.empty();
        }
        var slashes = how == PathNormalization.DECODE_AND_MERGE_SLASHES
                ? ESCAPED_SLASH.matcher(path).replaceAll("/")
                : path;
        var plain = decodeUnreserved(slashes.replace('\\', '/'));
        var normal = withoutDots(plain);
        return Optional.of(how == PathNormalization.BASE ? normal : merged(normal));
    }

    private static String merged(String path) {
        if (!path.contains("//")) {
            return path;
        }
        var out = new StringBuilder(path.length());
        for (var i = 0; i < path.length(); i++) {
            if (i == 0 || path.charAt(i) != '/' || path.charAt(i - 1) != '/') {
                out.append(path.charAt(i));
            }
        }
        return out.toString();
    }

    /// Escapes that are not valid stay as they are.
    private static String decodeUnreserved(String path) {
        if (path.indexOf('%') < 0) {
            return path;
        }
        var out = new StringBuilder(path.length());
        for (var i = 0; i < path.length(); i++) {
            var c = path.charAt(i);
            var decoded = c == '%' && i + 2 < path.length() ? hex(path.charAt(i + 1), path.charAt(i + 2)) : -1;
            if (decoded >= 0 && isUnreserved((char) decoded)) {
                out.append((char) decoded);
                i += 2;
            } else {
                out.append(c);
            }
        }
        return out.toString();
    }

    private static int hex(char high, char low) {
        var h = Character.digit(high, HEX);
        var l = Character.digit(low, HEX);
        return h < 0 || l < 0 ? -1 : h * HEX + l;
    }

    private static boolean isUnreserved(char c) {
        return (c >= 'a' && c <= 'z')
                || (c >= 'A' && c <= 'Z')
                || (c >= '0' && c <= '9')
                || c == '-'
                || c == '.'
                || c == '_'
                || c == '~';
    }

    /// RFC 3986 §5.2.4.
    private static String withoutDots(String path) {
        if (!path.contains("/.")) {
            return path;
        }
        var kept = new ArrayDeque<String>();
        var segments = path.substring(1).split("/", -1);
        for (var i = 0; i < segments.length; i++) {
            var last = i == segments.length - 1;
            switch (segments[i]) {
                case "." -> {
                    if (last) {
                        kept.addLast("");
                    }
                }
                case ".." -> {
                    kept.pollLast();
                    if (last) {
                        kept.addLast("");
                    }
                }
                default -> kept.addLast(segments[i]);
            }
        }
        return "/" + String.join("/", kept);
    }
}
