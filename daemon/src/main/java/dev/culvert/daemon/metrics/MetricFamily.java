package dev.culvert.daemon.metrics;

import java.util.List;

/// One metric as the outside sees it; the documents and the text are made from this.
///
/// @param name as samples show it: a counter's ends in `_total`
/// @param labels in the order in which samples show them
/// @param help one sentence without its full stop
/// @param unit empty for none; then the name without `_total` ends with it
/// @param zeros whether a labelled counter is shown that has not counted yet
public record MetricFamily(String name, Type type, List<String> labels, String help, String unit, boolean zeros) {
    private static final String TOTAL = "_total";

    /// What a sample's value does.
    public enum Type {
        COUNTER,
        GAUGE,
        HISTOGRAM
    }

    public MetricFamily {
        labels = List.copyOf(labels);
        if (name.endsWith(TOTAL) != (type == Type.COUNTER)) {
            throw new IllegalArgumentException(name + ": counters end in " + TOTAL + ", others do not");
        }
    }

    public static MetricFamily counter(String name, String help, String... labels) {
        return new MetricFamily(name, Type.COUNTER, List.of(labels), help, "", labels.length == 0);
    }

    public static MetricFamily gauge(String name, String help, String... labels) {
        return new MetricFamily(name, Type.GAUGE, List.of(labels), help, "", true);
    }

    public MetricFamily withUnit(String name) {
        return new MetricFamily(this.name, type, labels, help, name, zeros);
    }

    public MetricFamily withZeros() {
        return new MetricFamily(name, type, labels, help, unit, true);
    }

    /// The family's own name, which a counter's samples extend.
    public String base() {
        return type == Type.COUNTER ? name.substring(0, name.length() - TOTAL.length()) : name;
    }
}
