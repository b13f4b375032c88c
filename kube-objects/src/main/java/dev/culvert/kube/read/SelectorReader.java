package dev.culvert.kube.read;

import dev.culvert.kube.object.LabelSelector;
import dev.culvert.kube.object.LabelSelector.Operator;
import dev.culvert.kube.object.LabelSelector.Requirement;
import java.util.ArrayList;
import java.util.Map;
import java.util.Set;

/// Reads label selectors of Kubernetes (`matchLabels`, `matchExpressions`).
final class SelectorReader {
    private static final Map<String, Operator> OPERATORS = Map.of(
            "In",
            Operator.IN,
            "NotIn",
            Operator.NOT_IN,
            "Exists",
            Operator.EXISTS,
            "DoesNotExist",
            Operator.DOES_NOT_EXIST);

    private SelectorReader() {}

    static LabelSelector selector(Fields selector) {
        selector.knowing(KnownFields.LABEL_SELECTOR);
        var requirements = new ArrayList<Requirement>();
        for (var one : selector.children("matchExpressions")) {
            one.knowing(RouteFields.REQUIREMENT);
            var values = one.texts("values");
            var key = one.requiredText("key");
            one.requiredText("operator");
            one.oneOf("operator", OPERATORS).ifPresent(operator -> {
                var needsValues = operator == Operator.IN || operator == Operator.NOT_IN;
                if (needsValues == values.isEmpty()) {
                    one.error(
                            "values",
                            one.named("values") + (needsValues ? " is missing" : " has no meaning with this operator"),
                            needsValues ? "add it" : "remove it");
                }
                requirements.add(new Requirement(key, operator, Set.copyOf(values)));
            });
        }
        return new LabelSelector(selector.textMap("matchLabels"), requirements);
    }
}
