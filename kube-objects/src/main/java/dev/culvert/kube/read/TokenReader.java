package dev.culvert.kube.read;

import dev.culvert.kube.object.Metadata;
import dev.culvert.kube.object.RequestAuthentication;
import dev.culvert.kube.object.RequestAuthentication.Rule;
import dev.culvert.kube.object.RequestAuthentication.TokenPlace;
import dev.culvert.kube.object.RequestAuthentication.Where;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;

/// Reads RequestAuthentications.
final class TokenReader {
    private static final int MAX_JWKS = 1 << 18;

    private TokenReader() {}

    static RequestAuthentication requestAuthentication(Fields object, Metadata metadata) {
        object.knowing(KnownFields.OBJECT_SPEC);
        var spec = object.childOrEmpty("spec").knowing(RouteFields.REQUEST_AUTHENTICATION);
        var targets = PolicyReader.targets(spec);
        if (targets.isEmpty()) {
            spec.warning(
                    "targetRefs",
                    "has no effect: only waypoints read tokens, and it is bound to none",
                    "bind it by targetRefs to a Service or a Gateway");
        } else if (spec.has("selector")) {
            spec.error("selector", "only one of spec.targetRefs and spec.selector can be set", "remove one of them");
        }
        return new RequestAuthentication(
                metadata,
                targets.isEmpty(),
                targets,
                spec.children("jwtRules").stream().map(TokenReader::rule).toList(),
                object.place());
    }

    private static Rule rule(Fields rule) {
        rule.knowing(RouteFields.JWT_RULE);
        if (rule.has("presence")) {
            VirtualServiceReader.notYet(rule, "presence", "a request without a token passes");
        }
        var issuer = rule.requiredText("issuer");
        var jwks = rule.text("jwks", "");
        var uri = rule.text("jwksUri", "");
        if (!jwks.isEmpty() && !uri.isEmpty()) {
            rule.error("jwks", "only one of jwks and jwksUri can be set", "keep one of them");
        }
        if (jwks.length() > MAX_JWKS) {
            rule.error("jwks", rule.named("jwks") + " is longer than 256 KiB", "make it shorter");
        }
        if (!uri.isEmpty() && !uri.startsWith("http://") && !uri.startsWith("https://")) {
            rule.error("jwksUri", rule.named("jwksUri") + " is not a URL", "write http:// or https://");
        }
        var claims = new LinkedHashMap<String, String>();
        for (var entry : rule.children("outputClaimToHeaders")) {
            entry.knowing(RouteFields.CLAIM_HEADER);
            claims.put(
                    RuleFields.headerName(entry, "header", entry.requiredText("header")), entry.requiredText("claim"));
        }
        var payload = rule.text("outputPayloadToHeader", "");
        return new Rule(
                issuer,
                rule.texts("audiences"),
                jwks,
                uri,
                places(rule),
                rule.flag("forwardOriginalToken"),
                payload.isEmpty() ? "" : RuleFields.headerName(rule, "outputPayloadToHeader", payload),
                claims,
                RuleFields.duration(rule, "timeout"),
                rule.texts("spaceDelimitedClaims"),
                rule.place());
    }

    private static List<TokenPlace> places(Fields rule) {
        var places = new ArrayList<TokenPlace>();
        for (var header : rule.children("fromHeaders")) {
            header.knowing(RouteFields.JWT_HEADER);
            places.add(new TokenPlace(
                    Where.HEADER, header.requiredText("name").toLowerCase(Locale.ROOT), header.text("prefix", "")));
        }
        rule.texts("fromParams").forEach(name -> places.add(new TokenPlace(Where.QUERY_PARAMETER, name, "")));
        rule.texts("fromCookies").forEach(name -> places.add(new TokenPlace(Where.COOKIE, name, "")));
        return places;
    }
}
