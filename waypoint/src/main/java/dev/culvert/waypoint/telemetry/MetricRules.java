package dev.culvert.waypoint.telemetry;

import dev.culvert.mesh.model.telemetry.Expression;
import dev.culvert.protos.waypoint.Metric;
import dev.culvert.protos.waypoint.MetricRule;
import io.micrometer.core.instrument.Tag;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Which metrics are counted, and which labels of them are others than Istio's. Immutable; equal if they say the same.
final class MetricRules {
    static final MetricRules NONE = new MetricRules(List.of());

    /// Of a label: what a client sends may be in it.
    private static final int MAX_VALUE = 256;

    private final List<MetricRule> said;
    private final List<String> expressions = new ArrayList<>();
    private final List<@Nullable Expression> compiled = new ArrayList<>();
    private final Map<Metric, Rules> byMetric = new EnumMap<>(Metric.class);

    /// @param labels place of the expression by label; negative for one that is taken away
    private record Rules(boolean disabled, Map<String, Integer> labels) {}

    /// Values of the expressions of one request, in their order.
    record Values(MetricRules rules, List<String> values) {
        static final Values NONE = new Values(MetricRules.NONE, List.of());

        /// @param tags Istio's; empty if the metric is not counted
        Optional<List<Tag>> tags(Metric metric, List<Tag> tags) {
            var own = rules.byMetric.get(metric);
            if (own == null) {
                return Optional.of(tags);
            }
            return own.disabled ? Optional.empty() : Optional.of(changed(own.labels, tags));
        }

        private List<Tag> changed(Map<String, Integer> labels, List<Tag> tags) {
            var all = new ArrayList<Tag>(tags.size() + labels.size());
            tags.stream().filter(tag -> !labels.containsKey(tag.getKey())).forEach(all::add);
            labels.forEach((label, at) -> {
                if (at >= 0) {
                    all.add(Tag.of(label, values.get(at)));
                }
            });
            return all;
        }
    }

    private MetricRules(List<MetricRule> said) {
        this.said = List.copyOf(said);
        for (var metric : Metric.values()) {
            if (metric != Metric.UNRECOGNIZED) {
                var rules = rules(metric);
                if (rules.disabled || !rules.labels.isEmpty()) {
                    byMetric.put(metric, rules);
                }
            }
        }
    }

    static MetricRules of(List<MetricRule> said) {
        return said.isEmpty() ? NONE : new MetricRules(said);
    }

    private Rules rules(Metric metric) {
        var disabled = false;
        var labels = new LinkedHashMap<String, Integer>();
        for (var rule : said) {
            if (rule.getMetricsCount() == 0 || rule.getMetricsList().contains(metric)) {
                disabled = rule.hasDisabled() ? rule.getDisabled() : disabled;
                rule.getLabelsList()
                        .forEach(label ->
                                labels.put(label.getName(), label.getValue().isEmpty() ? -1 : place(label.getValue())));
            }
        }
        return new Rules(disabled, labels);
    }

    private int place(String expression) {
        var known = expressions.indexOf(expression);
        if (known >= 0) {
            return known;
        }
        expressions.add(expression);
        compiled.add(compile(expression));
        return expressions.size() - 1;
    }

    /// Null for what cannot be understood, of which its author has been told.
    private static @Nullable Expression compile(String expression) {
        try {
            return Expression.parse(expression, Operators::regex);
        } catch (IllegalArgumentException broken) {
            return null;
        }
    }

    /// @param entry asked only if it is needed
    Values of(Supplier<AccessEntry> entry) {
        if (compiled.isEmpty()) {
            return said.isEmpty() ? Values.NONE : new Values(this, List.of());
        }
        var of = new RequestAttributes(entry.get());
        return new Values(this, compiled.stream().map(one -> value(one, of)).toList());
    }

    private static String value(@Nullable Expression expression, RequestAttributes of) {
        if (expression != null && expression.evaluate(of) instanceof Expression.Result.Value value) {
            var text = value.text();
            return text.length() > MAX_VALUE ? text.substring(0, MAX_VALUE) : text;
        }
        return "unknown";
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof MetricRules rules && said.equals(rules.said);
    }

    @Override
    public int hashCode() {
        return said.hashCode();
    }
}
