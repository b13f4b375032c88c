package dev.culvert.ztunnel.app;

import com.fasterxml.jackson.databind.JsonNode;
import dev.culvert.mesh.model.policy.Match;
import dev.culvert.mesh.model.policy.Match.Pair;
import dev.culvert.mesh.model.policy.Policy;
import dev.culvert.mesh.model.policy.StringMatch;
import dev.culvert.mesh.model.workload.Addresses;
import dev.culvert.mesh.model.workload.Cidr;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// A policy of the local mesh file: `rules` are three nested lists, of rules, clauses and matches.
final class LocalPolicy {
    private static final Set<String> MATCH = Set.of(
            "namespaces",
            "notNamespaces",
            "principals",
            "notPrincipals",
            "sourceIps",
            "notSourceIps",
            "destinationIps",
            "notDestinationIps",
            "destinationPorts",
            "notDestinationPorts",
            "serviceAccounts",
            "notServiceAccounts");

    private static final Set<String> POLICY = Set.of("name", "namespace", "scope", "action", "rules", "dryRun");
    private static final Map<String, Policy.Scope> SCOPES = Map.of(
            "Global", Policy.Scope.GLOBAL,
            "Namespace", Policy.Scope.NAMESPACE,
            "WorkloadSelector", Policy.Scope.WORKLOAD_SELECTOR);

    private LocalPolicy() {}

    static Policy read(JsonNode node, String what) {
        var from =
                LocalItem.of(node, what, POLICY).requiring("name", "namespace", "scope", "action", "rules", "dryRun");
        var rules = new ArrayList<List<List<Match>>>();
        for (var rule : from.list("rules")) {
            var clauses = new ArrayList<List<Match>>();
            for (var clause : nested(from, rule)) {
                var matches = new ArrayList<Match>();
                nested(from, clause).forEach(match -> matches.add(match(match, what)));
                clauses.add(matches);
            }
            rules.add(clauses);
        }
        return new Policy(
                from.text("namespace"),
                from.text("name"),
                from.choice("scope", Policy.Scope.GLOBAL, SCOPES),
                from.choice(
                        "action", Policy.Action.DENY, Map.of("Allow", Policy.Action.ALLOW, "Deny", Policy.Action.DENY)),
                rules,
                from.flag("dryRun"));
    }

    private static JsonNode nested(LocalItem from, JsonNode list) {
        if (!list.isArray()) {
            throw from.wrong("'rules' are three nested lists (rule, clause, match), found: " + list);
        }
        return list;
    }

    /// A key that is not known would leave a match that matches less; Istio reads it so, here it stops the start.
    private static Match match(JsonNode node, String what) {
        var from = LocalItem.of(node, what + ", a match", MATCH);
        return new Match(
                new Pair<>(strings(from, "namespaces"), strings(from, "notNamespaces")),
                new Pair<>(strings(from, "principals"), strings(from, "notPrincipals")),
                new Pair<>(cidrs(from, "sourceIps"), cidrs(from, "notSourceIps")),
                new Pair<>(cidrs(from, "destinationIps"), cidrs(from, "notDestinationIps")),
                new Pair<>(ports(from, "destinationPorts"), ports(from, "notDestinationPorts")),
                new Pair<>(accounts(from, "serviceAccounts"), accounts(from, "notServiceAccounts")));
    }

    /// `!Exact x` and so on, or as the dump writes it: `{Exact: x}`, `{Prefix: x}`, `{Suffix: x}`, `{Presence: []}`.
    private static List<StringMatch> strings(LocalItem from, String key) {
        var all = new ArrayList<StringMatch>();
        for (var item : from.list(key)) {
            var kind = item.size() == 1 ? item.fieldNames().next() : "";
            var value = item.path(kind).asText();
            all.add(
                    switch (kind) {
                        case "Exact" -> new StringMatch.Exact(value);
                        case "Prefix" -> new StringMatch.Prefix(value);
                        case "Suffix" -> new StringMatch.Suffix(value);
                        case "Presence" -> new StringMatch.Presence();
                        default ->
                            throw from.wrong("'" + key + "' has " + item
                                    + ", expected !Exact x, !Prefix x, !Suffix x or !Presence []");
                    });
        }
        return all;
    }

    private static List<Cidr> cidrs(LocalItem from, String key) {
        return from.texts(key).stream().map(LocalPolicy::cidr).toList();
    }

    /// `10.0.0.0/8`, or one address.
    /// @throws IllegalArgumentException if it is neither
    static Cidr cidr(String text) {
        var slash = text.indexOf('/');
        var ip = Addresses.parse(slash < 0 ? text : text.substring(0, slash)).orElseThrow(() -> noRange(text));
        try {
            return new Cidr(ip, slash < 0 ? ip.getAddress().length * 8 : Integer.parseInt(text.substring(slash + 1)));
        } catch (IllegalArgumentException _) {
            throw noRange(text);
        }
    }

    private static IllegalArgumentException noRange(String text) {
        return new IllegalArgumentException("not an address range: '" + text + "'");
    }

    private static List<Integer> ports(LocalItem from, String key) {
        return from.texts(key).stream().map(from::port).toList();
    }

    private static List<Match.ServiceAccount> accounts(LocalItem from, String key) {
        return from.list(key).stream()
                .map(node -> LocalItem.of(node, from.what() + ", '" + key + "'", Set.of("namespace", "serviceAccount"))
                        .requiring("namespace", "serviceAccount"))
                .map(account -> new Match.ServiceAccount(account.text("namespace"), account.text("serviceAccount")))
                .toList();
    }
}
