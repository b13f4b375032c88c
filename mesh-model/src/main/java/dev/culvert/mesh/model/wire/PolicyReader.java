package dev.culvert.mesh.model.wire;

import dev.culvert.mesh.model.policy.Match;
import dev.culvert.mesh.model.policy.Match.Pair;
import dev.culvert.mesh.model.policy.Policy;
import dev.culvert.mesh.model.policy.StringMatch;
import dev.culvert.mesh.model.workload.Addresses;
import dev.culvert.mesh.model.workload.Cidr;
import dev.culvert.mesh.model.workload.Ports;
import dev.culvert.protos.security.Address;
import dev.culvert.protos.security.Authorization;
import dev.culvert.protos.security.ServiceAccountMatch;
import java.util.List;

/// Reads `istio.security.Authorization`. An entry that cannot be understood rejects the policy: dropped silently it
/// could turn a list that restricts into an empty one that does not.
public final class PolicyReader {
    private PolicyReader() {}

    /// @throws IllegalArgumentException with the reason
    public static Policy read(Authorization from) {
        return new Policy(
                from.getNamespace(),
                from.getName(),
                switch (from.getScope()) {
                    case GLOBAL -> Policy.Scope.GLOBAL;
                    case NAMESPACE -> Policy.Scope.NAMESPACE;
                    case WORKLOAD_SELECTOR -> Policy.Scope.WORKLOAD_SELECTOR;
                    case UNRECOGNIZED -> throw new IllegalArgumentException("unknown scope " + from.getScopeValue());
                },
                switch (from.getAction()) {
                    case ALLOW -> Policy.Action.ALLOW;
                    case DENY -> Policy.Action.DENY;
                    case UNRECOGNIZED -> throw new IllegalArgumentException("unknown action " + from.getActionValue());
                },
                from.getRulesList().stream()
                        .map(rule -> rule.getClausesList().stream()
                                .map(clause -> clause.getMatchesList().stream()
                                        .map(PolicyReader::match)
                                        .toList())
                                .toList())
                        .toList(),
                from.getDryRun());
    }

    private static Match match(dev.culvert.protos.security.Match from) {
        return new Match(
                new Pair<>(strings(from.getNamespacesList()), strings(from.getNotNamespacesList())),
                new Pair<>(strings(from.getPrincipalsList()), strings(from.getNotPrincipalsList())),
                new Pair<>(cidrs(from.getSourceIpsList()), cidrs(from.getNotSourceIpsList())),
                new Pair<>(cidrs(from.getDestinationIpsList()), cidrs(from.getNotDestinationIpsList())),
                new Pair<>(ports(from.getDestinationPortsList()), ports(from.getNotDestinationPortsList())),
                new Pair<>(accounts(from.getServiceAccountsList()), accounts(from.getNotServiceAccountsList())));
    }

    private static List<StringMatch> strings(List<dev.culvert.protos.security.StringMatch> from) {
        return from.stream().map(PolicyReader::string).toList();
    }

    private static StringMatch string(dev.culvert.protos.security.StringMatch from) {
        return switch (from.getMatchTypeCase()) {
            case EXACT -> new StringMatch.Exact(from.getExact());
            case PREFIX -> new StringMatch.Prefix(from.getPrefix());
            case SUFFIX -> new StringMatch.Suffix(from.getSuffix());
            case PRESENCE -> new StringMatch.Presence();
            case MATCHTYPE_NOT_SET -> throw new IllegalArgumentException("a string match of an unknown kind");
        };
    }

    private static List<Cidr> cidrs(List<Address> from) {
        return from.stream()
                .map(cidr -> new Cidr(Addresses.ofBytes(cidr.getAddress().toByteArray()), cidr.getLength()))
                .toList();
    }

    private static List<Integer> ports(List<Integer> from) {
        return from.stream().map(Ports::require).toList();
    }

    private static List<Match.ServiceAccount> accounts(List<ServiceAccountMatch> from) {
        return from.stream()
                .map(account -> new Match.ServiceAccount(account.getNamespace(), account.getServiceAccount()))
                .toList();
    }
}
