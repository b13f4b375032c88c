package dev.culvert.mesh.model.policy;

import java.util.List;

/// What the policies say of a connection, and which rule said it.
public sealed interface Verdict {
    /// @param dryRun policies that would have decided otherwise if they were enforced
    record Allowed(Reason reason, List<String> dryRun) implements Verdict {}

    record Denied(Reason reason, List<String> dryRun) implements Verdict {}

    sealed interface Reason {}

    /// A rule of a policy matched; rules count from 0.
    record ByRule(String policy, int rule) implements Reason {}

    /// No ALLOW policy applies, so everything that is not denied may pass.
    record NoAllowPolicy() implements Reason {}

    /// ALLOW policies apply, but none of them matched.
    record NoAllowMatched(List<String> policies) implements Reason {}

    /// A policy that the workload names is not known yet; what it says cannot be evaluated, so nothing passes.
    record PolicyMissing(String policy) implements Reason {}

    Reason reason();

    List<String> dryRun();

    default boolean isAllowed() {
        return this instanceof Allowed;
    }

    /// Istio's words where it has some, as they stand in the access log.
    default String text() {
        return switch (reason()) {
            case ByRule(var policy, var rule) ->
                (isAllowed() ? "allowed by: " : "explicitly denied by: ") + policy + " (rule " + rule + ")";
            case NoAllowPolicy() -> "no allow policy applies";
            case NoAllowMatched(var policies) ->
                "allow policies exist, but none allowed: " + String.join(", ", policies);
            case PolicyMissing(var policy) -> "policy " + policy + " is named by the workload but not known yet";
        };
    }
}
