package dev.culvert.istiod.ambient;

import com.google.protobuf.ByteString;
import dev.culvert.kube.object.AuthorizationPolicy;
import dev.culvert.kube.object.AuthorizationPolicy.Condition;
import dev.culvert.kube.object.AuthorizationPolicy.Operation;
import dev.culvert.kube.object.AuthorizationPolicy.Source;
import dev.culvert.kube.object.AuthorizationPolicy.Values;
import dev.culvert.kube.object.IpBlock;
import dev.culvert.protos.security.Address;
import dev.culvert.protos.security.Clause;
import dev.culvert.protos.security.Match;
import dev.culvert.protos.security.Rule;
import dev.culvert.protos.security.ServiceAccountMatch;
import dev.culvert.protos.security.StringMatch;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/// Translates one rule. Attributes that a node proxy cannot see are collected: with one, an ALLOW rule is
/// dropped; a DENY rule is kept without it, and a part of the rule with nothing left is taken to match
/// everything. For one rule.
final class RuleTranslation {
    private final String namespace;
    private final boolean deny;
    private final Set<String> unseen = new TreeSet<>();

    /// @param namespace of the policy; service accounts without one are in it
    RuleTranslation(String namespace, boolean deny) {
        this.namespace = namespace;
        this.deny = deny;
    }

    /// What the rule names and nobody here can evaluate.
    Set<String> unseen() {
        return unseen;
    }

    List<Rule> translate(AuthorizationPolicy.Rule rule) {
        var common = new ArrayList<Clause>();
        addAny(common, rule.to().stream().map(this::operation).toList());
        for (var condition : rule.when()) {
            addAny(common, List.of(condition(condition)));
        }
        var sources = rule.from().stream().map(this::source).toList();
        if (!unseen.isEmpty() && !deny) {
            return List.of();
        }
        if (sources.stream().anyMatch(List::isEmpty)) {
            return List.of(rule(Stream.of(), common)); // someone may be anyone
        }
        if (sources.stream().allMatch(matches -> matches.size() == 1)) {
            var from = sources.stream().map(List::getFirst).toList();
            return List.of(rule(from.isEmpty() ? Stream.of() : Stream.of(any(from)), common));
        }
        return sources.stream()
                .map(matches -> rule(matches.stream().map(match -> any(List.of(match))), common))
                .toList();
    }

    private static Rule rule(Stream<Clause> from, List<Clause> common) {
        return Rule.newBuilder()
                .addAllClauses(from.toList())
                .addAllClauses(common)
                .build();
    }

    /// Adds a clause, unless one of its matches holds for everything: an empty one, which a ztunnel takes for
    /// nothing.
    private static void addAny(List<Clause> clauses, List<Match> matches) {
        if (!matches.isEmpty() && !matches.contains(Match.getDefaultInstance())) {
            clauses.add(any(matches));
        }
    }

    private static Clause any(List<Match> matches) {
        return Clause.newBuilder().addAllMatches(matches).build();
    }

    private Match operation(Operation operation) {
        unseen("hosts", operation.hosts());
        unseen("methods", operation.methods());
        unseen("paths", operation.paths());
        return Match.newBuilder()
                .addAllDestinationPorts(ports(operation.ports().in()))
                .addAllNotDestinationPorts(ports(operation.ports().notIn()))
                .build();
    }

    /// The matches that must all hold for this source; none if it may be anyone.
    private List<Match> source(Source source) {
        unseen("requestPrincipals", source.requestPrincipals());
        unseen("remoteIpBlocks", source.remoteIpBlocks());
        var match = Match.newBuilder()
                .addAllPrincipals(patterns(source.principals().in()))
                .addAllNotPrincipals(patterns(source.principals().notIn()))
                .addAllNotPrincipals(trustDomains(source.trustDomains().notIn()))
                .addAllNamespaces(patterns(source.namespaces().in()))
                .addAllNotNamespaces(patterns(source.namespaces().notIn()))
                .addAllServiceAccounts(accounts(source.serviceAccounts().in()))
                .addAllNotServiceAccounts(accounts(source.serviceAccounts().notIn()))
                .addAllSourceIps(addresses(source.ipBlocks().in()))
                .addAllNotSourceIps(addresses(source.ipBlocks().notIn()))
                .build();
        var domains = Match.newBuilder()
                .addAllPrincipals(trustDomains(source.trustDomains().in()))
                .build();
        return Stream.of(match, domains)
                .filter(one -> !one.equals(Match.getDefaultInstance()))
                .toList();
    }

    private Match condition(Condition condition) {
        var values = condition.values();
        var match = Match.newBuilder();
        switch (condition.key()) {
            case "source.ip" ->
                match.addAllSourceIps(addresses(values.in())).addAllNotSourceIps(addresses(values.notIn()));
            case "source.namespace" ->
                match.addAllNamespaces(patterns(values.in())).addAllNotNamespaces(patterns(values.notIn()));
            case "source.principal" ->
                match.addAllPrincipals(patterns(values.in())).addAllNotPrincipals(patterns(values.notIn()));
            case "source.serviceAccount" ->
                match.addAllServiceAccounts(accounts(values.in())).addAllNotServiceAccounts(accounts(values.notIn()));
            case "destination.ip" ->
                match.addAllDestinationIps(addresses(values.in())).addAllNotDestinationIps(addresses(values.notIn()));
            case "destination.port" ->
                match.addAllDestinationPorts(ports(values.in())).addAllNotDestinationPorts(ports(values.notIn()));
            default -> unseen.add(condition.key());
        }
        return match.build();
    }

    private void unseen(String name, Values values) {
        if (!values.isEmpty()) {
            unseen.add(name);
        }
    }

    private static List<StringMatch> patterns(List<String> values) {
        return values.stream().map(Strings::pattern).toList();
    }

    /// A trust domain is what a principal starts with. A pattern of its end cannot be said with a principal's.
    private List<StringMatch> trustDomains(List<String> values) {
        var matches = new ArrayList<StringMatch>();
        for (var value : values) {
            if (value.startsWith("*") && value.length() > 1) {
                unseen.add("trustDomains " + value);
                return List.of();
            }
            matches.add(value.endsWith("*") ? Strings.pattern(value) : Strings.prefix(value + "/"));
        }
        return matches;
    }

    private List<ServiceAccountMatch> accounts(List<String> values) {
        return values.stream().map(this::account).toList();
    }

    private ServiceAccountMatch account(String value) {
        var slash = value.indexOf('/');
        return ServiceAccountMatch.newBuilder()
                .setNamespace(slash < 0 ? namespace : value.substring(0, slash))
                .setServiceAccount(value.substring(slash + 1))
                .build();
    }

    private static List<Address> addresses(List<String> values) {
        return values.stream().map(IpBlock::parse).map(RuleTranslation::address).toList();
    }

    private static Address address(IpBlock block) {
        return Address.newBuilder()
                .setAddress(ByteString.copyFrom(block.address().getAddress()))
                .setLength(block.length())
                .build();
    }

    private static List<Integer> ports(List<String> values) {
        return values.stream().map(Integer::valueOf).toList();
    }
}
