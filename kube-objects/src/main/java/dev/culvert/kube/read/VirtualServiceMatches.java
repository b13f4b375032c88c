package dev.culvert.kube.read;

import dev.culvert.kube.object.HttpRule.Match;
import dev.culvert.kube.object.HttpRule.Named;
import dev.culvert.kube.object.HttpRule.Source;
import dev.culvert.kube.object.HttpRule.Text;
import dev.culvert.kube.object.HttpRule.TextKind;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// Reads the conditions of a VirtualService's HTTP rules.
final class VirtualServiceMatches {
    private static final String CLAIMS = "@request.auth.claims";

    private VirtualServiceMatches() {}

    /// Empty if it can never hold.
    /// @param own namespace of the object
    static Optional<Match> match(Fields match, String own) {
        match.knowing(RouteFields.VS_MATCH);
        if (match.has("statPrefix")) {
            VirtualServiceReader.notYet(match, "statPrefix", "it has no effect");
        }
        var headers = named(match, "headers");
        var without = named(match, "withoutHeaders");
        var never = false;
        for (var header : headers) {
            if (header.name().startsWith("@") && !header.name().startsWith(CLAIMS)) {
                VirtualServiceReader.notYet(match, "headers", "the entry with " + header.name() + " matches nothing");
                never = true;
            }
        }
        if (never) {
            return Optional.empty();
        }
        var gateways = VirtualServiceReader.gateways(match, own);
        return Optional.of(new Match(
                text(match, "uri"),
                match.flag("ignoreUriCase"),
                text(match, "method"),
                text(match, "scheme"),
                text(match, "authority"),
                headers,
                without,
                named(match, "queryParams"),
                RuleFields.port(match, "port"),
                new Source(match.textMap("sourceLabels"), gateways.isEmpty() ? match.text("sourceNamespace", "") : ""),
                gateways));
    }

    private static Optional<Text> text(Fields parent, String name) {
        return parent.child(name).map(VirtualServiceMatches::text);
    }

    static Text text(Fields value) {
        value.knowing(RouteFields.VS_STRING);
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
                .map(key -> new Named(
                        lower && !key.startsWith("@") ? key.toLowerCase(Locale.ROOT) : key,
                        text(all.childOrEmpty(key))))
                .toList();
    }
}
