package dev.culvert.istiod.waypoint;

import dev.culvert.istiod.ambient.TranslationSettings;
import dev.culvert.kube.object.AuthorizationPolicy;
import dev.culvert.kube.object.AuthorizationPolicy.Operation;
import dev.culvert.kube.object.AuthorizationPolicy.Source;
import dev.culvert.kube.object.AuthorizationPolicy.Values;
import dev.culvert.protos.waypoint.Action;
import dev.culvert.protos.waypoint.Attribute;
import dev.culvert.protos.waypoint.Attribute.Kind;
import dev.culvert.protos.waypoint.Condition;
import dev.culvert.protos.waypoint.Policy;
import dev.culvert.protos.waypoint.Rule;
import dev.culvert.protos.waypoint.TextMatch;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/// Turns AuthorizationPolicies into the rules that a waypoint evaluates. What it cannot evaluate is sent as UNKNOWN,
/// which never allows and never keeps a rule from refusing.
final class PolicyRules {
    private static final String HEADER = "request.headers[";
    private static final String CLAIMS = "request.auth.claims";
    /// Stands for the mesh's own trust domain, whatever it is called.
    private static final String DEFAULT_DOMAIN = "cluster.local/";

    private final TranslationSettings settings;

    PolicyRules(TranslationSettings settings) {
        this.settings = settings;
    }

    TranslationSettings settings() {
        return settings;
    }

    Policy translate(AuthorizationPolicy policy) {
        var to = Policy.newBuilder()
                .setName(policy.name())
                .setNamespace(policy.namespace())
                .setAction(
                        switch (policy.action()) {
                            case ALLOW -> Action.ALLOW;
                            case DENY -> Action.DENY;
                            case CUSTOM -> Action.CUSTOM;
                            case AUDIT -> Action.AUDIT;
                        })
                .setDryRun(policy.dryRun());
        for (var rule : policy.rules()) {
            var sent = Rule.newBuilder();
            rule.from().forEach(source -> sent.addFrom(source(source, policy.namespace())));
            rule.to().forEach(operation -> sent.addTo(operation(operation)));
            rule.when()
                    .forEach(
                            when -> sent.addWhen(Condition.newBuilder().addAttributes(when(when, policy.namespace()))));
            to.addRules(sent);
        }
        return to.build();
    }

    /// The attributes of a rule that a waypoint cannot evaluate, as their author calls them.
    static Set<String> unseen(AuthorizationPolicy.Rule rule) {
        var found = new TreeSet<String>();
        for (var condition : rule.when()) {
            var key = condition.key();
            if (key.startsWith("experimental.") || key.equals("connection.sni")) {
                found.add(key);
            }
        }
        return found;
    }

    /// The path of a claim in `request.auth.claims[a][b]` or `@request.auth.claims.a.b`.
    static List<String> claim(String key) {
        var bracket = key.indexOf('[');
        if (bracket < 0) {
            return List.of(
                    key.substring(key.indexOf(CLAIMS) + CLAIMS.length() + 1).split("\\.", -1));
        }
        var inside = key.substring(bracket + 1, key.endsWith("]") ? key.length() - 1 : key.length());
        return List.of(inside.split("\\]\\[", -1));
    }

    private Condition source(Source source, String namespace) {
        var to = Condition.newBuilder();
        add(to, Kind.PRINCIPAL, principals(source.principals()));
        add(to, Kind.NAMESPACE, patterns(source.namespaces(), false));
        add(to, Kind.PRINCIPAL, accounts(source.serviceAccounts(), namespace));
        add(to, Kind.TRUST_DOMAIN, patterns(source.trustDomains(), false));
        addBlocks(to, Kind.SOURCE_IP, source.ipBlocks());
        addBlocks(to, Kind.REMOTE_IP, source.remoteIpBlocks());
        add(to, Kind.REQUEST_PRINCIPAL, patterns(source.requestPrincipals(), false));
        return to.build();
    }

    private static Condition operation(Operation operation) {
        var to = Condition.newBuilder();
        if (!operation.ports().isEmpty()) {
            to.addAttributes(ports(operation.ports()));
        }
        add(to, Kind.HOST, patterns(operation.hosts(), true));
        add(to, Kind.METHOD, patterns(operation.methods(), false));
        add(to, Kind.PATH, paths(operation.paths()));
        return to.build();
    }

    private Attribute.Builder when(AuthorizationPolicy.Condition condition, String namespace) {
        var key = condition.key();
        var values = condition.values();
        if (key.startsWith(HEADER) && key.endsWith("]")) {
            var name = key.substring(HEADER.length(), key.length() - 1).toLowerCase(Locale.ROOT);
            return patterns(values, false).setKind(Kind.HEADER).setName(name);
        }
        if (key.startsWith(CLAIMS + "[") && key.endsWith("]")) {
            return patterns(values, false).setKind(Kind.CLAIM).addAllPath(claim(key));
        }
        return switch (key) {
            case "request.auth.principal" -> patterns(values, false).setKind(Kind.REQUEST_PRINCIPAL);
            case "request.auth.audiences" -> patterns(values, false).setKind(Kind.AUDIENCE);
            case "request.auth.presenter" -> patterns(values, false).setKind(Kind.PRESENTER);
            case "source.trustDomain" -> patterns(values, false).setKind(Kind.TRUST_DOMAIN);
            case "source.ip" -> blocks(Kind.SOURCE_IP, values);
            case "remote.ip" -> blocks(Kind.REMOTE_IP, values);
            case "destination.ip" -> blocks(Kind.DESTINATION_IP, values);
            case "destination.port" -> ports(values);
            case "source.namespace" -> patterns(values, false).setKind(Kind.NAMESPACE);
            case "source.principal" -> principals(values).setKind(Kind.PRINCIPAL);
            case "source.serviceAccount" -> accounts(values, namespace).setKind(Kind.PRINCIPAL);
            default -> Attribute.newBuilder().setKind(Kind.UNKNOWN).setName(key);
        };
    }

    private static void add(Condition.Builder to, Kind kind, Attribute.Builder attribute) {
        if (attribute.getValuesCount() + attribute.getNotValuesCount() > 0) {
            to.addAttributes(attribute.setKind(kind));
        }
    }

    private static void addBlocks(Condition.Builder to, Kind kind, Values values) {
        if (!values.isEmpty()) {
            to.addAttributes(blocks(kind, values));
        }
    }

    private static Attribute.Builder blocks(Kind kind, Values values) {
        return Attribute.newBuilder().setKind(kind).addAllBlocks(values.in()).addAllNotBlocks(values.notIn());
    }

    private static Attribute.Builder ports(Values values) {
        return Attribute.newBuilder()
                .setKind(Kind.DESTINATION_PORT)
                .addAllPorts(values.in().stream().map(Integer::valueOf).toList())
                .addAllNotPorts(values.notIn().stream().map(Integer::valueOf).toList());
    }

    private static Attribute.Builder patterns(Values values, boolean ignoreCase) {
        return Attribute.newBuilder()
                .addAllValues(values.in().stream()
                        .map(text -> pattern(text).setIgnoreCase(ignoreCase).build())
                        .toList())
                .addAllNotValues(values.notIn().stream()
                        .map(text -> pattern(text).setIgnoreCase(ignoreCase).build())
                        .toList());
    }

    /// Istio's patterns: `*`, `*end`, `start*`, or the whole.
    static TextMatch.Builder pattern(String text) {
        var to = TextMatch.newBuilder();
        if (text.equals("*")) {
            return to.setPresent(true);
        }
        if (text.startsWith("*")) {
            return to.setSuffix(text.substring(1));
        }
        return text.endsWith("*") ? to.setPrefix(text.substring(0, text.length() - 1)) : to.setExact(text);
    }

    private static Attribute.Builder paths(Values values) {
        return Attribute.newBuilder()
                .addAllValues(values.in().stream().map(PolicyRules::path).toList())
                .addAllNotValues(values.notIn().stream().map(PolicyRules::path).toList());
    }

    private static TextMatch path(String text) {
        return text.contains("{*}") || text.contains("{**}")
                ? TextMatch.newBuilder().setTemplate(text).build()
                : pattern(text).build();
    }

    private Attribute.Builder principals(Values values) {
        return Attribute.newBuilder()
                .addAllValues(values.in().stream().flatMap(this::principal).toList())
                .addAllNotValues(
                        values.notIn().stream().flatMap(this::principal).toList());
    }

    private Stream<TextMatch> principal(String text) {
        var all = new ArrayList<>(List.of(text));
        if (text.startsWith(DEFAULT_DOMAIN) && !DEFAULT_DOMAIN.equals(settings.trustDomain() + "/")) {
            all.add(settings.trustDomain() + "/" + text.substring(DEFAULT_DOMAIN.length()));
        }
        return all.stream().map(one -> pattern(one).build());
    }

    private Attribute.Builder accounts(Values values, String namespace) {
        return Attribute.newBuilder()
                .addAllValues(values.in().stream()
                        .map(text -> account(text, namespace))
                        .toList())
                .addAllNotValues(values.notIn().stream()
                        .map(text -> account(text, namespace))
                        .toList());
    }

    private TextMatch account(String text, String namespace) {
        var slash = text.indexOf('/');
        var of = slash < 0 ? namespace : text.substring(0, slash);
        return TextMatch.newBuilder()
                .setExact(settings.trustDomain() + "/ns/" + of + "/sa/" + text.substring(slash + 1))
                .build();
    }
}
