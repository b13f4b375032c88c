package dev.culvert.kube.read;

import dev.culvert.kube.object.DestinationRule;
import dev.culvert.kube.object.HttpRule;
import dev.culvert.kube.object.HttpRule.Action;
import dev.culvert.kube.object.HttpRule.Destination;
import dev.culvert.kube.object.HttpRule.Forward;
import dev.culvert.kube.object.HttpRule.Headers;
import dev.culvert.kube.object.HttpRule.Match;
import dev.culvert.kube.object.HttpRule.Named;
import dev.culvert.kube.object.HttpRule.PathChange;
import dev.culvert.kube.object.HttpRule.Redirect;
import dev.culvert.kube.object.HttpRule.Respond;
import dev.culvert.kube.object.HttpRule.Retry;
import dev.culvert.kube.object.HttpRule.Text;
import dev.culvert.kube.object.HttpRule.TextKind;
import dev.culvert.kube.object.HttpRule.Unsupported;
import dev.culvert.kube.object.Metadata;
import dev.culvert.kube.object.VirtualService;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Reads VirtualServices and DestinationRules. What is not supported yet is named: a condition makes its entry match
/// nothing, an action refuses the rule's requests, and what decides neither is left out with a warning.
final class VirtualServiceReader {
    private static final List<String> LEFT_OUT =
            List.of("fault", "mirror", "mirrors", "mirrorPercent", "mirrorPercentage", "corsPolicy");
    private static final Set<Integer> REDIRECTS = Set.of(301, 302, 303, 307, 308);
    private static final int MAX_BODY = 1 << 20;

    private VirtualServiceReader() {}

    static VirtualService virtualService(Fields object, Metadata metadata) {
        object.knowing(KnownFields.OBJECT_SPEC);
        var spec = object.childOrEmpty("spec").knowing(KnownFields.VIRTUAL_SERVICE);
        if (spec.texts("hosts").isEmpty()) {
            spec.error("hosts", "spec.hosts is missing", "name the hosts, such as [berth]");
        }
        for (var field : List.of("tcp", "tls")) {
            if (spec.has(field)) {
                notYet(spec, field, "what is not HTTP goes on as if it were not there");
            }
        }
        if (spec.has("exportTo") && !spec.texts("exportTo").contains("*")) {
            notYet(spec, "exportTo", "it is taken to be [\"*\"]");
        }
        var gateways = spec.texts("gateways");
        var rules = new ArrayList<HttpRule>();
        spec.children("http").forEach(rule -> rule(rule).ifPresent(rules::add));
        return new VirtualService(
                metadata, spec.texts("hosts"), gateways.isEmpty() || gateways.contains("mesh"), rules, object.place());
    }

    private static void notYet(Fields fields, String name, String effect) {
        fields.warning(name, fields.named(name) + " is not supported yet: " + effect, "remove it");
    }

    /// Empty if it has conditions and none of them can ever hold.
    private static Optional<HttpRule> rule(Fields rule) {
        rule.knowing(KnownFields.VS_HTTP);
        LEFT_OUT.stream()
                .filter(rule::has)
                .forEach(name -> notYet(rule, name, "requests pass as if it were not there"));
        var entries = rule.children("match");
        var matches = entries.stream().flatMap(entry -> match(entry).stream()).toList();
        var headers = rule.childOrEmpty("headers").knowing(KnownFields.VS_HEADERS);
        var request = new ArrayList<String>();
        var read = new HttpRule(
                rule.text("name", ""),
                matches,
                headers(headers, "request", request),
                headers(headers, "response", new ArrayList<>()),
                action(rule, matches, request),
                rule.place());
        return matches.isEmpty() && !entries.isEmpty() ? Optional.empty() : Optional.of(read);
    }

    // ---- conditions ----

    private static Optional<Match> match(Fields match) {
        match.knowing(KnownFields.VS_MATCH);
        if (match.has("statPrefix")) {
            notYet(match, "statPrefix", "it has no effect");
        }
        var never = false;
        for (var field : List.of("sourceLabels", "sourceNamespace")) {
            if (match.has(field)) {
                notYet(match, field, "this entry matches nothing");
                never = true;
            }
        }
        var headers = named(match, "headers");
        var without = named(match, "withoutHeaders");
        for (var header : headers) {
            if (header.name().startsWith("@")) {
                notYet(match, "headers", "the entry with " + header.name() + " matches nothing");
                never = true;
            }
        }
        var gateways = match.texts("gateways");
        if (never || !(gateways.isEmpty() || gateways.contains("mesh"))) {
            return Optional.empty();
        }
        return Optional.of(new Match(
                text(match, "uri"),
                match.flag("ignoreUriCase"),
                text(match, "method"),
                text(match, "scheme"),
                text(match, "authority"),
                headers,
                without,
                named(match, "queryParams"),
                RuleFields.port(match, "port")));
    }

    private static Optional<Text> text(Fields parent, String name) {
        return parent.child(name).map(VirtualServiceReader::text);
    }

    private static Text text(Fields value) {
        value.knowing(KnownFields.VS_STRING);
        if (value.names().size() > 1) {
            value.error("exact", "only one of exact, prefix and regex can be set", "keep one of them");
        }
        if (value.has("exact")) {
            return new Text(TextKind.EXACT, value.text("exact", ""));
        }
        if (value.has("prefix")) {
            return new Text(TextKind.PREFIX, value.text("prefix", ""));
        }
        var regex = value.text("regex", "*");
        return regex.equals("*") ? new Text(TextKind.PRESENT, "") : new Text(TextKind.REGEX, regex);
    }

    private static List<Named> named(Fields match, String name) {
        var all = match.childOrEmpty(name);
        var lower = !name.equals("queryParams");
        return all.names().stream()
                .map(key -> new Named(lower ? key.toLowerCase(Locale.ROOT) : key, text(all.childOrEmpty(key))))
                .toList();
    }

    // ---- actions ----

    /// @param authority a host rewrite that was written as a header operation, if any
    private static Action action(Fields rule, List<Match> matches, List<String> authority) {
        var kinds = List.of("route", "redirect", "directResponse", "delegate").stream()
                .filter(rule::has)
                .toList();
        if (kinds.contains("delegate")) {
            rule.warning(
                    "delegate",
                    rule.named("delegate") + " is not supported yet: requests of this rule are refused with 503",
                    "write the rules here");
            return new Unsupported("delegate");
        }
        if (kinds.size() != 1) {
            rule.error("route", "a rule has exactly one of route, redirect and directResponse", "keep one of them");
            return new Unsupported("nothing to do");
        }
        return switch (kinds.getFirst()) {
            case "redirect" -> redirect(rule.childOrEmpty("redirect"), matches);
            case "directResponse" -> respond(rule.childOrEmpty("directResponse"));
            default -> forward(rule, matches, authority);
        };
    }

    private static Action forward(Fields rule, List<Match> matches, List<String> authority) {
        var rewrite = rule.childOrEmpty("rewrite").knowing(KnownFields.VS_REWRITE);
        if (rewrite.has("uriRegexRewrite")) {
            rewrite.warning(
                    "uriRegexRewrite",
                    rewrite.named("uriRegexRewrite")
                            + " is not supported yet: requests of this rule are refused with 503",
                    "write uri");
            return new Unsupported("uriRegexRewrite");
        }
        return new Forward(
                rule.children("route").stream()
                        .map(VirtualServiceReader::destination)
                        .toList(),
                RuleFields.duration(rule, "timeout"),
                rule.child("retries").map(VirtualServiceReader::retry),
                rewrite.text("authority").or(() -> authority.stream().findFirst()),
                rewrite.text("uri").map(value -> new PathChange(hasPrefix(matches), value)));
    }

    private static boolean hasPrefix(List<Match> matches) {
        return matches.stream()
                .allMatch(match ->
                        match.path().map(path -> path.kind() == TextKind.PREFIX).orElse(true));
    }

    private static Destination destination(Fields route) {
        route.knowing(KnownFields.VS_ROUTE);
        var destination = route.childOrEmpty("destination").knowing(KnownFields.VS_DESTINATION);
        var headers = route.childOrEmpty("headers").knowing(KnownFields.VS_HEADERS);
        var port = destination.childOrEmpty("port").knowing(KnownFields.VS_PORT);
        var authority = new ArrayList<String>();
        var request = headers(headers, "request", authority);
        return new Destination(
                destination.requiredText("host"),
                "",
                RuleFields.port(port, "number"),
                destination.text("subset", ""),
                RuleFields.weight(route, 0),
                request,
                headers(headers, "response", authority),
                authority.isEmpty() ? "" : "a host rewrite of one destination is not supported yet");
    }

    /// @param authority gets what sets the host
    private static Headers headers(Fields both, String name, List<String> authority) {
        var headers = both.childOrEmpty(name).knowing(KnownFields.HEADER_FILTER);
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
                found.add(RuleFields.header(headers, field, name, value));
            }
        });
        return found;
    }

    private static Retry retry(Fields retries) {
        retries.knowing(KnownFields.VS_RETRIES);
        for (var field : List.of("retryRemoteLocalities", "retryIgnorePreviousHosts")) {
            if (retries.has(field)) {
                notYet(retries, field, "a retry prefers endpoints that were not tried yet");
            }
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
                RuleFields.duration(retries, "backoff"));
    }

    private static Action redirect(Fields redirect, List<Match> matches) {
        redirect.knowing(KnownFields.VS_REDIRECT);
        var code = redirect.integer("redirectCode", 300, 399).orElse(301);
        if (!REDIRECTS.contains(code)) {
            redirect.error("redirectCode", code + " is not a redirect", "write 301, 302, 303, 307 or 308");
        }
        if (redirect.has("derivePort")) {
            notYet(redirect, "derivePort", "the port is that of the scheme");
        }
        var whole = redirect.text("uri").map(value -> new PathChange(false, value));
        var prefix = redirect.text("prefixRewrite").map(value -> new PathChange(hasPrefix(matches), value));
        return new Redirect(
                code,
                redirect.text("scheme", ""),
                redirect.text("authority", ""),
                RuleFields.port(redirect, "port").orElse(0),
                whole.or(() -> prefix));
    }

    private static Action respond(Fields response) {
        response.knowing(KnownFields.VS_RESPONSE);
        var body = response.childOrEmpty("body").knowing(KnownFields.VS_BODY);
        if (body.has("bytes")) {
            body.error("bytes", body.named("bytes") + " is not supported yet", "write string");
        }
        var text = body.text("string", "");
        if (text.length() > MAX_BODY) {
            body.error("string", body.named("string") + " is longer than 1 MiB", "make it shorter");
        }
        return new Respond(response.integer("status", 200, 599).orElse(200), text);
    }

    // ---- DestinationRule ----

    static DestinationRule destinationRule(Fields object, Metadata metadata) {
        object.knowing(KnownFields.OBJECT_SPEC);
        var spec = object.childOrEmpty("spec").knowing(KnownFields.DESTINATION_RULE);
        for (var field : List.of("trafficPolicy", "workloadSelector")) {
            if (spec.has(field)) {
                notYet(spec, field, "only the subsets of a DestinationRule have an effect");
            }
        }
        Map<String, Map<String, String>> subsets = new LinkedHashMap<>();
        for (var subset : spec.children("subsets")) {
            subset.knowing(KnownFields.SUBSET);
            if (subset.has("trafficPolicy")) {
                notYet(subset, "trafficPolicy", "only the labels of a subset have an effect");
            }
            subsets.put(subset.requiredText("name"), Map.copyOf(subset.textMap("labels")));
        }
        return new DestinationRule(metadata, spec.requiredText("host"), subsets, object.place());
    }
}
