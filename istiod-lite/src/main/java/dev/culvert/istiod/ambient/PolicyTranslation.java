package dev.culvert.istiod.ambient;

import dev.culvert.kube.object.AuthorizationPolicy;
import dev.culvert.kube.object.Problem;
import dev.culvert.protos.security.Action;
import dev.culvert.protos.security.Authorization;
import dev.culvert.protos.security.Scope;
import java.util.List;
import java.util.Optional;

/// Turns an AuthorizationPolicy into `istio.security.Authorization`. What a node proxy cannot evaluate becomes
/// the safe side of what is meant, and a problem for the author: an ALLOW allows less, a DENY denies more.
final class PolicyTranslation {
    private PolicyTranslation() {}

    /// The resource name.
    static String key(AuthorizationPolicy policy) {
        return policy.namespace() + "/" + policy.name();
    }

    /// @return empty if nothing of it is sent to node proxies
    static Optional<Authorization> translate(
            AuthorizationPolicy policy, TranslationSettings settings, List<Problem> problems) {
        if (!policy.targetRefs().isEmpty()) {
            return Optional.empty(); // for waypoints
        }
        var refused = refusal(policy);
        if (refused.isPresent()) {
            problems.add(refused.get());
            return Optional.empty();
        }
        var deny = policy.action() == AuthorizationPolicy.Action.DENY;
        var to = Authorization.newBuilder()
                .setName(policy.name())
                .setNamespace(policy.namespace())
                .setScope(scope(policy, settings))
                .setAction(deny ? Action.DENY : Action.ALLOW);
        for (var rule : policy.rules()) {
            var translation = new RuleTranslation(policy.namespace(), deny);
            to.addAllRules(translation.translate(rule));
            if (!translation.unseen().isEmpty()) {
                problems.add(unseen(policy, rule, deny, String.join(", ", translation.unseen())));
            }
            schemes(policy, rule).ifPresent(problems::add);
        }
        return Optional.of(to.build());
    }

    private static Scope scope(AuthorizationPolicy policy, TranslationSettings settings) {
        if (!policy.selector().isEmpty()) {
            return Scope.WORKLOAD_SELECTOR;
        }
        return policy.namespace().equals(settings.rootNamespace()) ? Scope.GLOBAL : Scope.NAMESPACE;
    }

    private static Optional<Problem> refusal(AuthorizationPolicy policy) {
        return switch (policy.action()) {
            case AUDIT, CUSTOM ->
                Optional.of(
                        notEnforced(policy, "action " + policy.action() + " is not supported", "write ALLOW or DENY"));
            case ALLOW, DENY ->
                policy.dryRun()
                        ? Optional.of(notEnforced(policy, "dry-run is not supported yet", "remove istio.io/dry-run"))
                        : Optional.empty();
        };
    }

    private static Problem notEnforced(AuthorizationPolicy policy, String why, String fix) {
        return Problem.error(policy.place(), policy.key().toString(), "is not enforced: " + why, fix);
    }

    private static Problem unseen(
            AuthorizationPolicy policy, AuthorizationPolicy.Rule rule, boolean deny, String attributes) {
        var effect = deny
                ? "this DENY rule denies without looking at them, more than it says"
                : "this ALLOW rule never allows anything";
        return Problem.warning(
                rule.place(),
                policy.key().toString(),
                "a node proxy cannot see " + attributes + ": " + effect,
                "keep to ports, principals, namespaces, serviceAccounts and ipBlocks, or write targetRefs to a Service"
                        + " with a waypoint instead of selector");
    }

    private static Optional<Problem> schemes(AuthorizationPolicy policy, AuthorizationPolicy.Rule rule) {
        return rule.from().stream()
                .flatMap(source -> source.principals().all())
                .filter(principal -> principal.startsWith("spiffe://"))
                .findFirst()
                .map(principal -> Problem.warning(
                        rule.place(),
                        policy.key().toString(),
                        "principal " + principal + " never matches: principals are written without spiffe://",
                        "write " + principal.substring("spiffe://".length())));
    }
}
