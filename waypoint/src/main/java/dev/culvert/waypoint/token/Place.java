package dev.culvert.waypoint.token;

import dev.culvert.protos.waypoint.TokenPlace;
import java.util.List;
import java.util.Optional;

/// Where in a request a token may be.
/// @param prefix of a header's value
/// @param foldPrefix whether the prefix counts in any case, as schemes do (RFC 9110 §11.1)
public record Place(Kind kind, String name, String prefix, boolean foldPrefix) {
    public enum Kind {
        HEADER,
        QUERY_PARAMETER,
        COOKIE
    }

    /// Where tokens are if nothing else is said (RFC 6750 §2.1 and §2.3).
    static final List<Place> USUAL = List.of(
            new Place(Kind.HEADER, "authorization", "Bearer ", true),
            new Place(Kind.QUERY_PARAMETER, "access_token", "", false));

    /// Several of one header are not one token: which one counts would be a matter of taste.
    static final class SeveralException extends Exception {
        private static final long serialVersionUID = 1L;
    }

    static Place of(TokenPlace place) {
        return switch (place.getKindCase()) {
            case HEADER -> new Place(Kind.HEADER, place.getHeader(), place.getPrefix(), false);
            case QUERY_PARAMETER -> new Place(Kind.QUERY_PARAMETER, place.getQueryParameter(), "", false);
            case COOKIE -> new Place(Kind.COOKIE, place.getCookie(), "", false);
            case KIND_NOT_SET -> throw new IllegalArgumentException("a place of tokens of an unknown kind");
        };
    }

    Optional<String> find(Carrier request) throws SeveralException {
        return switch (kind) {
            case HEADER -> header(request.header(name));
            case QUERY_PARAMETER -> request.queryParameter(name).filter(text -> !text.isEmpty());
            case COOKIE -> request.cookie(name).filter(text -> !text.isEmpty());
        };
    }

    private Optional<String> header(List<String> values) throws SeveralException {
        var found = values.stream()
                .filter(value -> value.regionMatches(foldPrefix, 0, prefix, 0, prefix.length()))
                .map(value -> value.substring(prefix.length()).strip())
                .filter(value -> !value.isEmpty())
                .toList();
        if (found.size() > 1 || (found.size() == 1 && values.size() > 1)) {
            throw new SeveralException();
        }
        return found.stream().findFirst();
    }
}
