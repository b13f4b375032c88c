package dev.culvert.kube.read;

import dev.culvert.kube.object.HttpRule;
import dev.culvert.kube.object.HttpRule.Action;
import dev.culvert.kube.object.HttpRule.Delegate;
import dev.culvert.kube.object.HttpRule.Destination;
import dev.culvert.kube.object.HttpRule.Forward;
import dev.culvert.kube.object.HttpRule.Headers;
import dev.culvert.kube.object.HttpRule.Match;
import dev.culvert.kube.object.HttpRule.PathChange;
import dev.culvert.kube.object.HttpRule.PortFrom;
import dev.culvert.kube.object.HttpRule.Redirect;
import dev.culvert.kube.object.HttpRule.Respond;
import dev.culvert.kube.object.HttpRule.Retry;
import dev.culvert.kube.object.HttpRule.TextKind;
import dev.culvert.kube.object.HttpRule.Unsupported;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Reads what a VirtualService's HTTP rules do.
final class VirtualServiceActions {
    private static final Set<Integer> REDIRECTS = Set.of(301, 302, 303, 307, 308);
    private static final Map<String, PortFrom> PORTS =
            Map.of("FROM_PROTOCOL_DEFAULT", PortFrom.SCHEME, "FROM_REQUEST_PORT", PortFrom.DIALLED);
    private static final int MAX_BODY = 1 << 20;

    private VirtualServiceActions() {}

    /// @param authority a host rewrite that was written as a header operation, if any
    static Action action(Fields rule, List<Match> matches, List<String> authority) {
        var kinds = List.of("route", "redirect", "directResponse", "delegate").stream()
                .filter(rule::has)
                .toList();
        if (kinds.equals(List.of("delegate"))) {
            var delegate = rule.childOrEmpty("delegate").knowing(RouteFields.VS_DELEGATE);
            return new Delegate(delegate.requiredText("name"), delegate.text("namespace", ""));
        }
        if (kinds.size() != 1) {
            rule.error(
                    "route",
                    "a rule has exactly one of route, redirect, directResponse and delegate",
                    "keep one of them");
            return new Unsupported("nothing to do");
        }
        return switch (kinds.getFirst()) {
            case "redirect" -> redirect(rule.childOrEmpty("redirect"), matches);
            case "directResponse" -> respond(rule.childOrEmpty("directResponse"));
            default -> forward(rule, matches, authority);
        };
    }

    private static Action forward(Fields rule, List<Match> matches, List<String> authority) {
        var rewrite = rule.childOrEmpty("rewrite").knowing(RouteFields.VS_REWRITE);
        var regex = rewrite.child("uriRegexRewrite").map(one -> {
            one.knowing(RouteFields.VS_REGEX_REWRITE);
            return new PathChange(false, one.requiredText("match"), one.text("rewrite", ""));
        });
        return new Forward(
                rule.children("route").stream()
                        .map(route -> destination(route.knowing(RouteFields.VS_ROUTE)))
                        .toList(),
                RuleFields.duration(rule, "timeout"),
                rule.child("retries").map(VirtualServiceActions::retry),
                rewrite.text("authority").or(() -> authority.stream().findFirst()),
                rewrite.text("uri")
                        .map(value -> new PathChange(hasPrefix(matches), value))
                        .or(() -> regex));
    }

    private static boolean hasPrefix(List<Match> matches) {
        return matches.stream()
                .allMatch(match ->
                        match.path().map(path -> path.kind() == TextKind.PREFIX).orElse(true));
    }

    static Destination destination(Fields route) {
        var to = to(route.childOrEmpty("destination"));
        var headers = route.childOrEmpty("headers").knowing(RouteFields.VS_HEADERS);
        var authority = new ArrayList<String>();
        var request = headers(headers, "request", authority);
        return new Destination(
                to.host(),
                to.namespace(),
                to.port(),
                to.subset(),
                RuleFields.weight(route, 0),
                request,
                headers(headers, "response", new ArrayList<>()),
                authority.stream().findFirst(),
                "");
    }

    static Destination to(Fields destination) {
        destination.knowing(RouteFields.VS_DESTINATION);
        var port = destination.childOrEmpty("port").knowing(RouteFields.VS_PORT);
        return new Destination(
                destination.requiredText("host"),
                "",
                RuleFields.port(port, "number"),
                destination.text("subset", ""),
                1,
                Headers.NONE,
                Headers.NONE,
                Optional.empty(),
                "");
    }

    /// @param authority gets what sets the host
    static Headers headers(Fields both, String name, List<String> authority) {
        var headers = both.childOrEmpty(name).knowing(RouteFields.HEADER_FILTER);
        var remove = headers.texts("remove").stream()
                .map(text -> RuleFields.headerName(headers, "remove", text))
                .toList();
        return new Headers(remove, operations(headers, "set", authority), operations(headers, "add", authority));
    }

    private static List<HttpRule.Header> operations(Fields headers, String field, List<String> authority) {
        var found = new ArrayList<HttpRule.Header>();
        headers.textMap(field).forEach((name, value) -> {
            if (name.equalsIgnoreCase("host") || name.equals(":authority")) {
                authority.add(value);
            } else {
                found.add(RuleFields.substituted(headers, field, name, value));
            }
        });
        return found;
    }

    static Retry retry(Fields retries) {
        retries.knowing(RouteFields.VS_RETRIES);
        if (retries.has("retryRemoteLocalities")) {
            VirtualServiceReader.notYet(
                    retries, "retryRemoteLocalities", "a retry prefers endpoints that were not tried yet");
        }
        var conditions = new ArrayList<String>();
        var codes = new ArrayList<Integer>();
        for (var word : retries.text("retryOn", "").split(",", -1)) {
            var one = word.strip();
            if (one.matches("[1-5][0-9]{2}")) {
                codes.add(Integer.valueOf(one));
            } else if (!one.isEmpty()) {
                conditions.add(one);
            }
        }
        return new Retry(
                retries.integer("attempts", 0, 100).orElse(0),
                RuleFields.duration(retries, "perTryTimeout"),
                conditions,
                codes,
                RuleFields.duration(retries, "backoff"),
                retries.has("retryIgnorePreviousHosts") && !retries.flag("retryIgnorePreviousHosts"));
    }

    private static Action redirect(Fields redirect, List<Match> matches) {
        redirect.knowing(RouteFields.VS_REDIRECT);
        var code = redirect.integer("redirectCode", 300, 399).orElse(301);
        if (!REDIRECTS.contains(code)) {
            redirect.error("redirectCode", code + " is not a redirect", "write 301, 302, 303, 307 or 308");
        }
        var whole = redirect.text("uri").map(value -> new PathChange(false, value));
        var prefix = redirect.text("prefixRewrite").map(value -> new PathChange(hasPrefix(matches), value));
        return new Redirect(
                code,
                redirect.text("scheme", ""),
                redirect.text("authority", ""),
                RuleFields.port(redirect, "port").orElse(0),
                redirect.oneOf("derivePort", PORTS).orElse(PortFrom.SENT),
                whole.or(() -> prefix));
    }

    private static Action respond(Fields response) {
        response.knowing(RouteFields.VS_RESPONSE);
        var body = response.childOrEmpty("body").knowing(RouteFields.VS_BODY);
        if (body.has("bytes")) {
            body.error("bytes", body.named("bytes") + " is not supported yet", "write string");
        }
        var text = body.text("string", "");
        if (text.length() > MAX_BODY) {
            body.error("string", body.named("string") + " is longer than 1 MiB", "make it shorter");
        }
        return new Respond(response.integer("status", 200, 599).orElse(200), text);
    }
}
