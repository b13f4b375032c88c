package dev.culvert.waypoint.token;

import com.nimbusds.jose.JWSObject;
import com.nimbusds.jose.jwk.JWK;
import dev.culvert.protos.waypoint.ClaimHeader;
import dev.culvert.protos.waypoint.JwtRule;
import java.text.ParseException;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/// How the tokens of requests for one Service are checked (RFC 7519, RFC 8725), compiled. Every token that is found
/// where a rule looks has to be good; a request without any passes. Immutable.
public final class TokenRules {
    public static final TokenRules NONE = new TokenRules(List.of());
    private static final Duration BOUND = Duration.ofSeconds(5);
    private static final long SKEW_SECONDS = 60;
    private static final int MAX_LENGTH = 16 * 1024;
    private static final int MAX_TOKENS = 4;
    private static final int UNAUTHENTICATED = 401;
    private static final int FORBIDDEN = 403;

    private final List<Rule> rules;
    private final Set<String> ownHeaders = new HashSet<>();

    /// @param keys null if they are fetched
    private record Rule(
            JwtRule said,
            Set<String> audiences,
            List<Place> places,
            Set<String> lists,
            @Nullable Keys keys) {
        RemoteKeys.Source source() {
            var bound = said.hasTimeout() && said.getTimeout().getSeconds() > 0
                    ? Duration.ofSeconds(said.getTimeout().getSeconds())
                    : BOUND;
            return new RemoteKeys.Source(said.getIssuer(), said.getJwksUri(), bound);
        }
    }

    private record Found(Place place, String text) {}

    /// @param untilSeconds of the epoch, from when on it is expired
    private record Good(Rule rule, Found found, Token token, long untilSeconds) {}

    /// What is wrong with a token.
    private static final class BadTokenException extends Exception {
        private static final long serialVersionUID = 1L;
        private final int status;

        BadTokenException(int status, String why) {
            super(why, null, false, false);
            this.status = status;
        }

        static BadTokenException of(String why) {
            return new BadTokenException(UNAUTHENTICATED, why);
        }
    }

    /// @throws IllegalArgumentException for what cannot be understood
    public TokenRules(List<JwtRule> rules) {
        this.rules = rules.stream().map(TokenRules::compiled).toList();
        for (var rule : rules) {
            rule.getClaimHeadersList().stream().map(ClaimHeader::getHeader).forEach(ownHeaders::add);
            if (!rule.getPayloadHeader().isEmpty()) {
                ownHeaders.add(rule.getPayloadHeader());
            }
        }
    }

    private static Rule compiled(JwtRule rule) {
        var lists = new HashSet<>(rule.getSpaceDelimitedClaimsList());
        lists.addAll(List.of("scope", "permission"));
        return new Rule(
                rule,
                Set.copyOf(rule.getAudiencesList()),
                rule.getPlacesCount() == 0
                        ? Place.USUAL
                        : rule.getPlacesList().stream().map(Place::of).toList(),
                lists,
                rule.getJwks().isEmpty() ? null : inline(rule.getJwks()));
    }

    /// Keys that cannot be read are none: every token is refused.
    private static Keys inline(String json) {
        try {
            return Keys.parse(json);
        } catch (IllegalArgumentException bad) {
            return Keys.NONE;
        }
    }

    public boolean isEmpty() {
        return rules.isEmpty();
    }

    /// Headers that only a checked token may set.
    public Collection<String> ownHeaders() {
        return ownHeaders;
    }

    /// Completes at once unless keys have to be fetched; never fails.
    public CompletableFuture<Verdict> check(Carrier request, RemoteKeys remote, Clock clock) {
        var found = new LinkedHashMap<Place, Found>();
        try {
            for (var rule : rules) {
                for (var place : rule.places) {
                    place.find(request).ifPresent(text -> found.put(place, new Found(place, text)));
                }
            }
        } catch (Place.SeveralException several) {
            return CompletableFuture.completedFuture(new Verdict.Refused(UNAUTHENTICATED, "Jwt verification fails"));
        }
        if (found.size() > MAX_TOKENS) {
            return CompletableFuture.completedFuture(new Verdict.Refused(UNAUTHENTICATED, "Jwt verification fails"));
        }
        var all = new ArrayList<>(found.values());
        return next(all, 0, new ArrayList<>(), remote, clock);
    }

    private CompletableFuture<Verdict> next(
            List<Found> all, int index, List<Good> good, RemoteKeys remote, Clock clock) {
        if (index == all.size()) {
            return CompletableFuture.completedFuture(passed(good));
        }
        return one(all.get(index), remote, clock).thenCompose(result -> {
            if (result instanceof Verdict.Refused refused) {
                return CompletableFuture.completedFuture((Verdict) refused);
            }
            if (result instanceof Good checked) {
                good.add(checked);
            }
            return next(all, index + 1, good, remote, clock);
        });
    }

    private Verdict passed(List<Good> good) {
        var until = Verdict.FOR_EVER;
        var spent = new ArrayList<Place>();
        var said = new ArrayList<Verdict.Said>();
        for (var one : good) {
            until = Math.min(until, one.untilSeconds);
            if (!one.rule.said.getForward()) {
                spent.add(one.found.place);
            }
            if (!one.rule.said.getPayloadHeader().isEmpty()) {
                said.add(new Verdict.Said(one.rule.said.getPayloadHeader(), one.token.payload()));
            }
            for (var header : one.rule.said.getClaimHeadersList()) {
                var values = one.token.claim(header.getClaimList());
                var text = String.join(",", values);
                if (!values.isEmpty() && text.chars().allMatch(c -> c >= ' ' && c < 127)) {
                    said.add(new Verdict.Said(header.getHeader(), text));
                }
            }
        }
        return new Verdict.Passed(good.isEmpty() ? null : good.getFirst().token, spent, said, until);
    }

    // ---- one token ----

    /// A [Good] or a refusal.
    private CompletableFuture<Object> one(Found found, RemoteKeys remote, Clock clock) {
        try {
            if (found.text.length() > MAX_LENGTH) {
                throw BadTokenException.of("Jwt verification fails");
            }
            var token = parse(found.text);
            var claims = token.getPayload().toJSONObject();
            if (claims == null) {
                throw BadTokenException.of("Jwt payload is an invalid JSON");
            }
            var rule = rule(found, claims);
            var until = checkTime(claims, clock);
            var good = new Good(
                    rule,
                    found,
                    new Token(
                            rule.said.getIssuer(),
                            present(claims),
                            token.getPayload().toBase64URL().toString(),
                            rule.lists),
                    until);
            if (rule.keys != null) {
                return CompletableFuture.completedFuture(judge(good, token, rule.keys));
            }
            return fetched(good, token, remote);
        } catch (BadTokenException bad) {
            return CompletableFuture.completedFuture(new Verdict.Refused(bad.status, String.valueOf(bad.getMessage())));
        }
    }

    private static Map<String, Object> present(Map<String, ? extends @Nullable Object> claims) {
        var all = new LinkedHashMap<String, Object>();
        claims.forEach((name, value) -> {
            if (value != null) {
                all.put(name, value);
            }
        });
        return all;
    }

    private static JWSObject parse(String text) throws BadTokenException {
        if (text.chars().filter(c -> c == '.').count() != 2) {
            throw BadTokenException.of(
                    "Jwt is not in the form of Header.Payload.Signature with two dots and 3 sections");
        }
        try {
            var token = JWSObject.parse(text);
            // What must be understood (RFC 7515 §4.1.11) is nothing that we know.
            if (token.getHeader().getCriticalParams() != null) {
                throw BadTokenException.of("Jwt verification fails");
            }
            return token;
        } catch (ParseException | IllegalArgumentException bad) {
            throw BadTokenException.of("Jwt header is an invalid Base64url encoded");
        }
    }

    private Rule rule(Found found, Map<String, ?> claims) throws BadTokenException {
        return rules.stream()
                .filter(rule -> rule.said.getIssuer().equals(claims.get("iss")) && rule.places.contains(found.place))
                .findFirst()
                .orElseThrow(() -> BadTokenException.of("Jwt issuer is not configured"));
    }

    /// @return when it will be expired, in seconds of the epoch
    private static long checkTime(Map<String, ?> claims, Clock clock) throws BadTokenException {
        var now = clock.instant().getEpochSecond();
        var expires = seconds(claims, "exp", Long.MAX_VALUE);
        var until = expires < Verdict.FOR_EVER - SKEW_SECONDS ? expires + SKEW_SECONDS : Verdict.FOR_EVER;
        if (until <= now) {
            throw BadTokenException.of("Jwt is expired");
        }
        var begins = seconds(claims, "nbf", Long.MIN_VALUE);
        if (begins > Long.MIN_VALUE + SKEW_SECONDS && begins - SKEW_SECONDS > now) {
            throw BadTokenException.of("Jwt not yet valid");
        }
        return until;
    }

    private static long seconds(Map<String, ?> claims, String name, long otherwise) throws BadTokenException {
        var value = claims.get(name);
        if (value == null && !claims.containsKey(name)) {
            return otherwise;
        }
        if (value instanceof Number number && number.doubleValue() >= 0) {
            return number.longValue();
        }
        throw BadTokenException.of("Jwt verification fails");
    }

    /// A key id that nobody knows may be a new one.
    private static CompletableFuture<Object> fetched(Good good, JWSObject token, RemoteKeys remote) {
        var source = good.rule.source();
        return remote.keys(source)
                .thenCompose(keys -> keys.fitting(token.getHeader()).isEmpty()
                        ? remote.again(source).exceptionally(_ -> keys)
                        : CompletableFuture.completedFuture(keys))
                .thenApply(keys -> judge(good, token, keys))
                .exceptionally(_ -> new Verdict.Refused(UNAUTHENTICATED, "Jwks remote fetch is failed"));
    }

    private static Object judge(Good good, JWSObject token, Keys keys) {
        List<JWK> fitting = keys.fitting(token.getHeader());
        if (fitting.isEmpty()) {
            return new Verdict.Refused(UNAUTHENTICATED, "Jwks doesn't have key to match kid or alg from Jwt");
        }
        if (fitting.stream().noneMatch(key -> Signatures.isBy(key, token))) {
            return new Verdict.Refused(UNAUTHENTICATED, "Jwt verification fails");
        }
        var wanted = good.rule.audiences;
        if (!wanted.isEmpty() && good.token.claim(List.of("aud")).stream().noneMatch(wanted::contains)) {
            return new Verdict.Refused(FORBIDDEN, "Audiences in Jwt are not allowed");
        }
        return good;
    }
}
