package dev.culvert.agent.pods;

/// What the reconciler works with.
/// @param finder for pods that run already
public record Means(NamespaceRules rules, RedirectionStatus status, NetnsFinder finder, ProbeBypass probes) {
    /// Where every pod's object tells its network namespace and nobody probes from outside.
    public static Means of(NamespaceRules rules, RedirectionStatus status) {
        return new Means(rules, status, NetnsFinder.NONE, ProbeBypass.NONE);
    }
}
