package dev.culvert.waypoint.token;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// What a token says whose signature, time, issuer and audience are good. Immutable.
/// @param payload as it was sent, in base64url
/// @param spaceDelimited claims that are lists written as one text
public record Token(String issuer, Map<String, Object> claims, String payload, Set<String> spaceDelimited) {
    public Token {
        claims = Map.copyOf(claims);
        spaceDelimited = Set.copyOf(spaceDelimited);
    }

    /// `issuer/subject`.
    public String principal() {
        return claims.get("sub") instanceof String subject ? issuer + "/" + subject : "";
    }

    /// @param path from the outside in
    public List<String> claim(List<String> path) {
        @Nullable Object at = claims;
        for (var name : path) {
            at = at instanceof Map<?, ?> map ? map.get(name) : null;
        }
        var values = new ArrayList<String>();
        if (at instanceof List<?> list) {
            list.forEach(one -> add(one, values));
        } else if (at instanceof String text && path.size() == 1 && spaceDelimited.contains(path.getFirst())) {
            values.addAll(List.of(text.split(" ", -1)));
        } else {
            add(at, values);
        }
        return values;
    }

    private static void add(@Nullable Object value, List<String> values) {
        if (value instanceof String || value instanceof Number || value instanceof Boolean) {
            values.add(value.toString());
        }
    }

    @Override
    public String toString() {
        return "Token of " + issuer;
    }
}
