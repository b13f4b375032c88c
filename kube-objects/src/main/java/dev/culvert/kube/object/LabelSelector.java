package dev.culvert.kube.object;

import java.util.List;
import java.util.Map;
import java.util.Set;

/// Which labels an object must have: all of these, and all requirements must hold. One without either takes every
/// object.
public record LabelSelector(Map<String, String> labels, List<Requirement> requirements) {
    public static final LabelSelector ALL = new LabelSelector(Map.of(), List.of());

    public enum Operator {
        IN,
        NOT_IN,
        EXISTS,
        DOES_NOT_EXIST
    }

    /// @param values of [Operator#IN] and [Operator#NOT_IN]
    public record Requirement(String key, Operator operator, Set<String> values) {
        public Requirement {
            values = Set.copyOf(values);
        }

        boolean holds(Map<String, String> of) {
            var value = of.get(key);
            return switch (operator) {
                case IN -> value != null && values.contains(value);
                case NOT_IN -> value == null || !values.contains(value);
                case EXISTS -> value != null;
                case DOES_NOT_EXIST -> value == null;
            };
        }
    }

    public LabelSelector {
        labels = Map.copyOf(labels);
        requirements = List.copyOf(requirements);
    }

    public boolean selects(Map<String, String> of) {
        return of.entrySet().containsAll(labels.entrySet())
                && requirements.stream().allMatch(one -> one.holds(of));
    }
}
