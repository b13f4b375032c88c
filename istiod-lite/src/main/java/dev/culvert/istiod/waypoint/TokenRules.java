package dev.culvert.istiod.waypoint;

import dev.culvert.kube.object.RequestAuthentication;
import dev.culvert.protos.waypoint.ClaimHeader;
import dev.culvert.protos.waypoint.JwtRule;
import dev.culvert.protos.waypoint.TokenPlace;
import java.util.List;
import java.util.stream.Stream;

/// Turns RequestAuthentications into the rules by which a waypoint checks tokens.
final class TokenRules {
    private TokenRules() {}

    static Stream<JwtRule> translate(RequestAuthentication object) {
        return object.rules().stream().map(TokenRules::rule);
    }

    private static JwtRule rule(RequestAuthentication.Rule rule) {
        var to = JwtRule.newBuilder()
                .setIssuer(rule.issuer())
                .addAllAudiences(rule.audiences())
                .setJwks(rule.jwks())
                .setJwksUri(rule.jwksUri())
                .setForward(rule.forward())
                .setPayloadHeader(rule.payloadHeader())
                .addAllSpaceDelimitedClaims(rule.spaceDelimited());
        rule.places().forEach(place -> to.addPlaces(place(place)));
        rule.claimHeaders()
                .forEach((header, claim) -> to.addClaimHeaders(
                        ClaimHeader.newBuilder().setHeader(header).addAllClaim(List.of(claim.split("\\.", -1)))));
        rule.timeout().ifPresent(time -> to.setTimeout(RuleTranslation.duration(time)));
        return to.build();
    }

    private static TokenPlace place(RequestAuthentication.TokenPlace place) {
        var to = TokenPlace.newBuilder().setPrefix(place.prefix());
        switch (place.where()) {
            case HEADER -> to.setHeader(place.name());
            case QUERY_PARAMETER -> to.setQueryParameter(place.name());
            case COOKIE -> to.setCookie(place.name());
        }
        return to.build();
    }
}
