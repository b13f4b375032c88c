package dev.culvert.cli.install;

import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeSet;

/// NetworkPolicies that do not let the mesh's port through; pure. They see HBONE only, so what an application's
/// port was opened for comes by TCP 15008 once its pod is in the mesh. Peers (`from`, `to`) are not looked at.
final class HbonePort {
    private static final int PORT = 15008;
    private static final String INGRESS = "Ingress";

    private HbonePort() {}

    /// @param pods of the mesh, or that are to be
    /// @return for each set of policies that together shut some of them off, a sentence
    static List<String> blocked(List<GenericKubernetesResource> pods, List<GenericKubernetesResource> policies) {
        var shut = new LinkedHashMap<String, List<String>>();
        for (var pod : pods) {
            for (var direction : List.of(INGRESS, "Egress")) {
                var isolating = policies.stream()
                        .filter(policy -> applies(policy, direction) && selects(policy, pod))
                        .toList();
                if (!isolating.isEmpty()
                        && isolating.stream().noneMatch(policy -> admits(policy.get("spec", rules(direction))))) {
                    var names = new TreeSet<String>();
                    isolating.forEach(policy -> names.add(name(policy)));
                    var what = (names.size() == 1 ? "NetworkPolicy " : "NetworkPolicies ") + String.join(", ", names);
                    shut.computeIfAbsent(
                                    what
                                            + (direction.equals(INGRESS)
                                                    ? " do not let the mesh in"
                                                    : " do not let the mesh out"),
                                    _ -> new ArrayList<>())
                            .add(name(pod));
                }
            }
        }
        return shut.entrySet().stream()
                .map(entry -> entry.getKey() + " (TCP " + PORT + "): pod "
                        + entry.getValue().getFirst()
                        + (entry.getValue().size() == 1
                                ? ""
                                : " and " + (entry.getValue().size() - 1) + " more"))
                .toList();
    }

    private static String name(GenericKubernetesResource object) {
        return object.getMetadata().getNamespace() + "/" + object.getMetadata().getName();
    }

    private static String rules(String direction) {
        return direction.equals(INGRESS) ? "ingress" : "egress";
    }

    /// Without `policyTypes` it is about ingress, and about egress if it has rules for that.
    private static boolean applies(GenericKubernetesResource policy, String direction) {
        if (policy.get("spec", "policyTypes") instanceof List<?> types && !types.isEmpty()) {
            return types.contains(direction);
        }
        return direction.equals(INGRESS) || policy.get("spec", "egress") instanceof List<?>;
    }

    private static boolean selects(GenericKubernetesResource policy, GenericKubernetesResource pod) {
        if (!Objects.equals(
                policy.getMetadata().getNamespace(), pod.getMetadata().getNamespace())) {
            return false;
        }
        Map<?, ?> labels = Objects.requireNonNullElseGet(pod.getMetadata().getLabels(), HashMap::new);
        return (!(policy.get("spec", "podSelector", "matchLabels") instanceof Map<?, ?> wanted)
                        || labels.entrySet().containsAll(wanted.entrySet()))
                && (!(policy.get("spec", "podSelector", "matchExpressions") instanceof List<?> all)
                        || all.stream().allMatch(one -> one instanceof Map<?, ?> map && matches(map, labels)));
    }

    private static boolean matches(Map<?, ?> expression, Map<?, ?> labels) {
        var value = labels.get(expression.get("key"));
        var listed = expression.get("values") instanceof List<?> values && values.contains(value);
        return switch (String.valueOf(expression.get("operator"))) {
            case "In" -> value != null && listed;
            case "NotIn" -> value == null || !listed;
            case "Exists" -> value != null;
            case "DoesNotExist" -> value == null;
            default -> false;
        };
    }

    private static boolean admits(Object rules) {
        return rules instanceof List<?> list
                && list.stream()
                        .anyMatch(rule -> !(rule instanceof Map<?, ?> map)
                                || !(map.get("ports") instanceof List<?> ports)
                                || ports.isEmpty()
                                || ports.stream().anyMatch(HbonePort::isOurs));
    }

    /// A port of a rule by number, or all of a protocol; a name is a port that the application declares, not ours.
    private static boolean isOurs(Object port) {
        if (!(port instanceof Map<?, ?> map) || !"TCP".equals(Objects.requireNonNullElse(map.get("protocol"), "TCP"))) {
            return false;
        }
        if (map.get("port") == null) {
            return true;
        }
        return map.get("port") instanceof Number first
                && first.intValue() <= PORT
                && (map.get("endPort") instanceof Number last ? last.intValue() : first.intValue()) >= PORT;
    }
}
