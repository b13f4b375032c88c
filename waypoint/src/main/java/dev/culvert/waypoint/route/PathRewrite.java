package dev.culvert.waypoint.route;

/// What becomes of a path whose beginning is replaced.
public final class PathRewrite {
    private PathRewrite() {}

    /// The replacement instead of the prefix that matched. Two slashes that meet become one, and so does
    /// nothing at all (Gateway API, HTTPPathModifier).
    public static String replacePrefix(String path, String prefix, String replacement) {
        var rest = path.substring(Math.min(prefix.length(), path.length()));
        if (replacement.endsWith("/") && rest.startsWith("/")) {
            rest = rest.substring(1);
        } else if (!replacement.endsWith("/") && !rest.isEmpty() && !rest.startsWith("/") && prefix.endsWith("/")) {
            rest = "/" + rest;
        }
        var joined = replacement + rest;
        return joined.startsWith("/") ? joined : "/" + joined;
    }
}
