package dev.culvert.waypoint.token;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// What the check of a request's tokens amounts to.
public sealed interface Verdict {
    long FOR_EVER = Long.MAX_VALUE;

    /// Of a request that nobody asks for a token.
    Passed WITHOUT_TOKEN = new Passed(null, List.of(), List.of(), FOR_EVER);

    /// @param token of the first that was found; null if there is none
    /// @param spent places of tokens that the upstream is not given
    /// @param untilSeconds of the epoch, from when on one of its tokens is expired; [#FOR_EVER] if none ever is
    record Passed(@Nullable Token token, List<Place> spent, List<Said> said, long untilSeconds) implements Verdict {
        public Passed {
            spent = List.copyOf(spent);
            said = List.copyOf(said);
        }
    }

    /// @param why in Envoy's words; they say nothing of the token
    record Refused(int status, String why) implements Verdict {}

    /// A header that tells the upstream what a token says.
    record Said(String header, String value) {}
}
