package dev.culvert.kube.object;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A `security.istio.io` RequestAuthentication.
///
/// @param hasSelector whether it is for pods: those have nothing here that reads tokens
public record RequestAuthentication(
        Metadata metadata,
        boolean hasSelector,
        List<AuthorizationPolicy.Target> targetRefs,
        List<Rule> rules,
        Place place)
        implements KubeObject {
    /// One issuer.
    /// @param jwks keys as JSON; empty if they are fetched
    /// @param jwksUri where they are; empty for the issuer's discovery document
    /// @param claimHeaders claim by header
    public record Rule(
            String issuer,
            List<String> audiences,
            String jwks,
            String jwksUri,
            List<TokenPlace> places,
            boolean forward,
            String payloadHeader,
            Map<String, String> claimHeaders,
            Optional<Duration> timeout,
            List<String> spaceDelimited,
            Place place) {
        public Rule {
            audiences = List.copyOf(audiences);
            places = List.copyOf(places);
            claimHeaders = Map.copyOf(claimHeaders);
            spaceDelimited = List.copyOf(spaceDelimited);
        }
    }

    /// @param prefix of a header's value
    public record TokenPlace(Where where, String name, String prefix) {}

    public enum Where {
        HEADER,
        QUERY_PARAMETER,
        COOKIE
    }

    public RequestAuthentication {
        targetRefs = List.copyOf(targetRefs);
        rules = List.copyOf(rules);
    }
}
