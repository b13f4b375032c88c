package dev.culvert.mesh.model.policy;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Combines the policies of one destination workload (Istio ztunnel's order: DENY, then ALLOW, then the default).
public final class Authorizer {
    private Authorizer() {}

    /// The policies that apply to a destination.
    /// @param missing key of a policy that the workload names but nobody has sent, or null
    public record Applicable(
            List<Policy> policies, @Nullable String missing) {}

    public static Verdict decide(Applicable applicable, ConnectionFacts facts) {
        var dryRun = new ArrayList<String>();
        for (var policy : applicable.policies) {
            if (policy.action() == Policy.Action.DENY) {
                var rule = policy.matchingRule(facts);
                if (rule.isPresent() && !policy.dryRun()) {
                    return new Verdict.Denied(new Verdict.ByRule(policy.key(), rule.getAsInt()), List.copyOf(dryRun));
                }
                rule.ifPresent(_ -> dryRun.add(policy.key()));
            }
        }
        if (applicable.missing != null) {
            return new Verdict.Denied(new Verdict.PolicyMissing(applicable.missing), List.copyOf(dryRun));
        }
        return decideAllow(applicable.policies, facts, dryRun);
    }

    private static Verdict decideAllow(List<Policy> policies, ConnectionFacts facts, List<String> dryRun) {
        var tried = new ArrayList<String>();
        for (var policy : policies) {
            if (policy.action() == Policy.Action.ALLOW) {
                var rule = policy.matchingRule(facts);
                if (policy.dryRun()) {
                    rule.ifPresent(_ -> dryRun.add(policy.key()));
                } else if (rule.isPresent()) {
                    return new Verdict.Allowed(new Verdict.ByRule(policy.key(), rule.getAsInt()), List.copyOf(dryRun));
                } else {
                    tried.add(policy.key());
                }
            }
        }
        return tried.isEmpty()
                ? new Verdict.Allowed(new Verdict.NoAllowPolicy(), List.copyOf(dryRun))
                : new Verdict.Denied(new Verdict.NoAllowMatched(List.copyOf(tried)), List.copyOf(dryRun));
    }
}
