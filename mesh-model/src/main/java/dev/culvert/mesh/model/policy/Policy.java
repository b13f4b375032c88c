package dev.culvert.mesh.model.policy;

import java.util.List;
import java.util.OptionalInt;

/// An L4 authorization policy. It matches if any rule does; a rule if all its clauses do; a clause if any of its
/// matches does or if it has none (Istio `istio.security.Authorization`).
public record Policy(
        String namespace, String name, Scope scope, Action action, List<List<List<Match>>> rules, boolean dryRun) {
    public enum Scope {
        GLOBAL,
        NAMESPACE,
        WORKLOAD_SELECTOR
    }

    public enum Action {
        ALLOW,
        DENY
    }

    public Policy {
        rules = rules.stream()
                .map(rule -> rule.stream().map(List::copyOf).toList())
                .toList();
    }

    /// The xDS resource name, by which workloads refer to it.
    public String key() {
        return namespace + "/" + name;
    }

    /// The first rule that matches, counted from 0.
    public OptionalInt matchingRule(ConnectionFacts facts) {
        for (var i = 0; i < rules.size(); i++) {
            if (rules.get(i).stream().allMatch(clause -> clauseMatches(clause, facts))) {
                return OptionalInt.of(i);
            }
        }
        return OptionalInt.empty();
    }

    private static boolean clauseMatches(List<Match> clause, ConnectionFacts facts) {
        return clause.isEmpty() || clause.stream().anyMatch(match -> match.matches(facts));
    }
}
