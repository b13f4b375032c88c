package dev.culvert.istiod.waypoint;

import dev.culvert.kube.object.HttpRule;
import dev.culvert.kube.object.Problem;
import dev.culvert.kube.object.VirtualService;
import java.util.List;

/// Names rules of VirtualServices that do less than they seem to.
final class RouteAdvice {
    private static final int WHOLE = 100;

    private RouteAdvice() {}

    static void check(VirtualService object, List<Problem> problems) {
        var hiding = "";
        for (var i = 0; i < object.rules().size(); i++) {
            var rule = object.rules().get(i);
            var name = rule.name().isEmpty() ? "http[" + i + "]" : rule.name();
            if (!hiding.isEmpty()) {
                problems.add(Problem.warning(
                        rule.place(),
                        object.key().toString(),
                        "rule " + name + " is never reached: " + hiding + " before it takes every request",
                        "put " + hiding + " last, or give it a match"));
            } else if (takesAll(rule)) {
                hiding = name;
            }
            loneWeight(object, rule, name, problems);
        }
    }

    private static boolean takesAll(HttpRule rule) {
        return rule.matches().isEmpty() || rule.matches().contains(HttpRule.Match.ANY);
    }

    private static void loneWeight(VirtualService object, HttpRule rule, String name, List<Problem> problems) {
        if (rule.action() instanceof HttpRule.Forward forward
                && forward.destinations().size() == 1
                && forward.destinations().getFirst().weight() % WHOLE != 0) {
            problems.add(Problem.warning(
                    rule.place(),
                    object.key().toString(),
                    "rule " + name + " has one destination, which gets everything: its weight "
                            + forward.destinations().getFirst().weight() + " is no share of another rule's",
                    "write all destinations that share the requests into one rule"));
        }
    }
}
