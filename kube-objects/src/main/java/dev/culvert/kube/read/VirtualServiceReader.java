package dev.culvert.kube.read;

import dev.culvert.kube.object.HttpRule;
import dev.culvert.kube.object.HttpRule.Destination;
import dev.culvert.kube.object.Metadata;
import dev.culvert.kube.object.RawRule;
import dev.culvert.kube.object.VirtualService;
import dev.culvert.kube.object.Visibility;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// Reads VirtualServices. What is not supported is named: a condition makes its entry match nothing, an action refuses
/// the rule's requests, and what decides neither is left out with a warning.
final class VirtualServiceReader {
    private VirtualServiceReader() {}

    static VirtualService virtualService(Fields object, Metadata metadata) {
        object.knowing(KnownFields.OBJECT_SPEC);
        var spec = object.childOrEmpty("spec").knowing(RouteFields.VIRTUAL_SERVICE);
        var gateways = gateways(spec, metadata.namespace());
        var rules = new ArrayList<HttpRule>();
        spec.children("http").forEach(rule -> rule(rule, metadata.namespace()).ifPresent(rules::add));
        var raw = new ArrayList<RawRule>();
        spec.children("tls")
                .forEach(rule -> raw(rule, true, metadata.namespace()).ifPresent(raw::add));
        spec.children("tcp")
                .forEach(rule -> raw(rule, false, metadata.namespace()).ifPresent(raw::add));
        return new VirtualService(
                metadata,
                spec.texts("hosts"),
                gateways.isEmpty() ? List.of(VirtualService.MESH) : gateways,
                new Visibility(spec.texts("exportTo")),
                rules,
                raw,
                object.place());
    }

    /// `name`, `namespace/name`, `./name` or `name.namespace.svc...`, each as `namespace/name`; `mesh` stays.
    static List<String> gateways(Fields fields, String own) {
        return fields.texts("gateways").stream()
                .map(text -> {
                    if (text.equals(VirtualService.MESH)) {
                        return text;
                    }
                    if (text.indexOf('/') >= 0) {
                        return text.startsWith("./") ? own + text.substring(1) : text;
                    }
                    var parts = List.of(text.split("\\.", -1));
                    return parts.size() > 1 ? parts.get(1) + "/" + parts.getFirst() : own + "/" + text;
                })
                .toList();
    }

    static void notYet(Fields fields, String name, String effect) {
        fields.warning(name, fields.named(name) + " is not supported yet: " + effect, "remove it");
    }

    /// Empty if it has conditions and none of them can ever hold.
    private static Optional<HttpRule> rule(Fields rule, String own) {
        rule.knowing(RouteFields.VS_HTTP);
        var entries = rule.children("match");
        var matches = entries.stream()
                .flatMap(entry -> VirtualServiceMatches.match(entry, own).stream())
                .toList();
        var headers = rule.childOrEmpty("headers").knowing(RouteFields.VS_HEADERS);
        var authority = new ArrayList<String>();
        var request = VirtualServiceActions.headers(headers, "request", authority);
        var read = new HttpRule(
                rule.text("name", ""),
                matches,
                request,
                VirtualServiceActions.headers(headers, "response", new ArrayList<>()),
                VirtualServiceExtras.extras(rule),
                VirtualServiceActions.action(rule, matches, authority),
                rule.place());
        return matches.isEmpty() && !entries.isEmpty() ? Optional.empty() : Optional.of(read);
    }

    /// As Istio's waypoints do: of the conditions of TCP only ports count, and of TLS also the server names.
    private static Optional<RawRule> raw(Fields rule, boolean tls, String own) {
        rule.knowing(RouteFields.VS_RAW);
        var matches = new ArrayList<RawRule.Match>();
        var entries = rule.children("match");
        for (var match : entries) {
            match.knowing(tls ? RouteFields.VS_TLS_MATCH : RouteFields.VS_TCP_MATCH);
            var never = false;
            for (var field : List.of("destinationSubnets", "sourceLabels", "sourceNamespace", "sourceSubnet")) {
                if (match.has(field)) {
                    notYet(match, field, "this entry matches nothing");
                    never = true;
                }
            }
            if (!never) {
                matches.add(new RawRule.Match(
                        gateways(match, own),
                        RuleFields.port(match, "port"),
                        match.texts("sniHosts").stream()
                                .map(name -> name.toLowerCase(Locale.ROOT))
                                .toList()));
            }
        }
        var destinations = rule.children("route").stream()
                .map(VirtualServiceReader::destination)
                .toList();
        if (destinations.isEmpty()) {
            rule.error("route", rule.named("route") + " is missing", "name a destination");
        }
        return matches.isEmpty() && !entries.isEmpty()
                ? Optional.empty()
                : Optional.of(new RawRule(matches, destinations, rule.place()));
    }

    private static Destination destination(Fields route) {
        return VirtualServiceActions.destination(route.knowing(RouteFields.VS_RAW_ROUTE));
    }
}
