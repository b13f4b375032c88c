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
import java.util.Set;

/// A policy of the local mesh file: `rules` are three nested lists of matches, in the config dump's shape.
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

    private LocalPolicy() {}

    static Policy read(JsonNode from) {
        var rules = new ArrayList<List<List<Match>>>();
        for (var rule : from.path("rules")) {
            var clauses = new ArrayList<List<Match>>();
            for (var clause : rule) {
                var matches = new ArrayList<Match>();
                clause.forEach(match -> matches.add(match(match)));
                clauses.add(matches);
            }
            rules.add(clauses);
        }
        return new Policy(
                from.path("namespace").asText(),
                from.path("name").asText(),
                switch (from.path("scope").asText()) {
                    case "Global" -> Policy.Scope.GLOBAL;
                    case "Namespace" -> Policy.Scope.NAMESPACE;
                    case "WorkloadSelector" -> Policy.Scope.WORKLOAD_SELECTOR;
                    default -> throw unknown("scope", from.path("scope"));
                },
                switch (from.path("action").asText()) {
                    case "Allow" -> Policy.Action.ALLOW;
                    case "Deny" -> Policy.Action.DENY;
                    default -> throw unknown("action", from.path("action"));
                },
                rules,
                from.path("dryRun").asBoolean(false));
    }

    private static IllegalArgumentException unknown(String what, JsonNode value) {
        return new IllegalArgumentException("policy with unknown " + what + ": " + value);
    }

    private static Match match(JsonNode from) {
        for (var name : (Iterable<String>) from::fieldNames) {
            if (!MATCH.contains(name)) {
                throw new IllegalArgumentException("unknown key '" + name + "' in a match; known: " + MATCH);
            }
        }
        return new Match(
                new Pair<>(strings(from.path("namespaces")), strings(from.path("notNamespaces"))),
                new Pair<>(strings(from.path("principals")), strings(from.path("notPrincipals"))),
                new Pair<>(cidrs(from.path("sourceIps")), cidrs(from.path("notSourceIps"))),
                new Pair<>(cidrs(from.path("destinationIps")), cidrs(from.path("notDestinationIps"))),
                new Pair<>(ports(from.path("destinationPorts")), ports(from.path("notDestinationPorts"))),
                new Pair<>(accounts(from.path("serviceAccounts")), accounts(from.path("notServiceAccounts"))));
    }

    /// `{Exact: x}`, `{Prefix: x}`, `{Suffix: x}`, `{Presence: []}`.
    private static List<StringMatch> strings(JsonNode from) {
        var all = new ArrayList<StringMatch>();
        for (var item : from) {
            var kind = item.fieldNames().hasNext() ? item.fieldNames().next() : "";
            var value = item.path(kind).asText();
            all.add(
                    switch (kind) {
                        case "Exact" -> new StringMatch.Exact(value);
                        case "Prefix" -> new StringMatch.Prefix(value);
                        case "Suffix" -> new StringMatch.Suffix(value);
                        case "Presence" -> new StringMatch.Presence();
                        default -> throw unknown("string match", item);
                    });
        }
        return all;
    }

    private static List<Cidr> cidrs(JsonNode from) {
        return LocalMesh.texts(from).stream().map(LocalPolicy::cidr).toList();
    }

    private static Cidr cidr(String text) {
        var slash = text.indexOf('/');
        var ip = Addresses.parse(slash < 0 ? text : text.substring(0, slash))
                .orElseThrow(() -> new IllegalArgumentException("not an address range: '" + text + "'"));
        var prefix = slash < 0 ? ip.getAddress().length * 8 : Integer.parseInt(text.substring(slash + 1));
        return new Cidr(ip, prefix);
    }

    private static List<Integer> ports(JsonNode from) {
        var ports = new ArrayList<Integer>();
        from.forEach(item -> ports.add(item.asInt()));
        return ports;
    }

    private static List<Match.ServiceAccount> accounts(JsonNode from) {
        var accounts = new ArrayList<Match.ServiceAccount>();
        from.forEach(item -> accounts.add(new Match.ServiceAccount(
                item.path("namespace").asText(), item.path("serviceAccount").asText())));
        return accounts;
    }
}
