package dev.culvert.istiod.waypoint;

import dev.culvert.istiod.ambient.L7Targets;
import dev.culvert.istiod.ambient.TranslationSettings;
import dev.culvert.kube.object.AuthorizationPolicy;
import dev.culvert.kube.object.KubeObject;
import dev.culvert.kube.object.ObjectSet;
import dev.culvert.kube.object.Problem;
import dev.culvert.kube.object.RequestAuthentication;
import java.util.List;

/// Names what policies ask of a waypoint and do not get.
final class PolicyAdvice {
    private final ObjectSet objects;
    private final TranslationSettings settings;
    private final List<Problem> problems;

    PolicyAdvice(ObjectSet objects, TranslationSettings settings, List<Problem> problems) {
        this.objects = objects;
        this.settings = settings;
        this.problems = problems;
    }

    void check(RequestAuthentication object) {
        targets(object, object.targetRefs());
    }

    private void targets(KubeObject object, List<AuthorizationPolicy.Target> targets) {
        for (var target : targets) {
            if (!L7Targets.exists(object, target, objects, settings.rootNamespace())) {
                problems.add(
                        Problem.error(
                                object.place(),
                                object.key().toString(),
                                "WaypointAccepted=False: TargetNotFound: " + target + " in namespace "
                                        + object.namespace(),
                                "name a Service (group \"\"), a ServiceEntry (group networking.istio.io) or a Gateway of its namespace"));
            }
        }
    }

    void check(AuthorizationPolicy policy) {
        if (policy.targetRefs().isEmpty()) {
            return;
        }
        targets(policy, policy.targetRefs());
        if (policy.action() == AuthorizationPolicy.Action.CUSTOM) {
            problems.add(Problem.error(
                    policy.place(),
                    policy.key().toString(),
                    "action CUSTOM is not supported yet: what its rules match is refused",
                    "write ALLOW or DENY"));
        }
        for (var rule : policy.rules()) {
            stars(policy, rule);
            unseen(policy, rule);
        }
    }

    /// A star counts at the ends only.
    private void stars(AuthorizationPolicy policy, AuthorizationPolicy.Rule rule) {
        rule.to().stream()
                .flatMap(operation -> operation.paths().all())
                .filter(path -> path.length() > 2
                        && path.substring(1, path.length() - 1).contains("*"))
                .filter(path -> !path.contains("{*}") && !path.contains("{**}"))
                .forEach(path -> problems.add(Problem.warning(
                        rule.place(),
                        policy.key().toString(),
                        "path " + path + ": a star in the middle is only a star",
                        "write {*} for one segment: " + path.replace("*", "{*}"))));
    }

    private void unseen(AuthorizationPolicy policy, AuthorizationPolicy.Rule rule) {
        var unseen = PolicyRules.unseen(rule);
        if (!unseen.isEmpty()) {
            problems.add(Problem.warning(
                    rule.place(),
                    policy.key().toString(),
                    "a waypoint cannot evaluate " + String.join(", ", unseen) + " yet: "
                            + (policy.action() == AuthorizationPolicy.Action.ALLOW
                                    ? "this ALLOW rule never allows anything"
                                    : "this rule refuses without looking at them, more than it says"),
                    "leave them out"));
        }
    }
}
