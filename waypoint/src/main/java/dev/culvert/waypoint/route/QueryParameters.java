package dev.culvert.waypoint.route;

import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/// The parameters of a query (HTML, "application/x-www-form-urlencoded").
public final class QueryParameters {
    private QueryParameters() {}

    /// Of a parameter that is there several times the first counts.
    /// @param query without `?`
    public static Optional<String> first(String query, String name) {
        for (var pair : query.split("&", -1)) {
            var equals = pair.indexOf('=');
            if (!pair.isEmpty()
                    && decode(equals < 0 ? pair : pair.substring(0, equals)).equals(name)) {
                return Optional.of(equals < 0 ? "" : decode(pair.substring(equals + 1)));
            }
        }
        return Optional.empty();
    }

    /// The query without this parameter.
    public static String without(String query, String name) {
        var left = new StringBuilder();
        for (var pair : query.split("&", -1)) {
            var equals = pair.indexOf('=');
            if (!decode(equals < 0 ? pair : pair.substring(0, equals)).equals(name)) {
                left.append(left.isEmpty() ? "" : "&").append(pair);
            }
        }
        return left.toString();
    }

    private static String decode(String text) {
        try {
            return text.indexOf('%') < 0 && text.indexOf('+') < 0
                    ? text
                    : URLDecoder.decode(text, StandardCharsets.UTF_8);
        } catch (IllegalArgumentException notEncoded) {
            return text;
        }
    }
}
