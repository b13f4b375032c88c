package dev.culvert.daemon.admin;

import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// What a page is asked.
///
/// @param query decoded; a parameter without `=` has an empty value; of repeated ones the last counts
/// @param accept the `Accept` header, empty without
/// @param body as UTF-8, empty for pages that take none
public record Request(String method, String path, Map<String, String> query, String accept, String body) {
    public Request {
        query = Map.copyOf(query);
    }

    public Optional<String> parameter(String name) {
        return Optional.ofNullable(query.get(name));
    }

    static Map<String, String> parseQuery(@Nullable String raw) {
        var query = new LinkedHashMap<String, String>();
        if (raw != null && !raw.isEmpty()) {
            for (var pair : raw.split("&", -1)) {
                var equals = pair.indexOf('=');
                var name = equals < 0 ? pair : pair.substring(0, equals);
                query.put(decode(name), equals < 0 ? "" : decode(pair.substring(equals + 1)));
            }
        }
        return query;
    }

    private static String decode(String text) {
        return URLDecoder.decode(text, StandardCharsets.UTF_8);
    }
}
