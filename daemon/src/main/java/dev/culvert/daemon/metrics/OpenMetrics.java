package dev.culvert.daemon.metrics;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tag;
import java.io.IOException;
import java.io.Writer;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// Writes declared families of a registry as OpenMetrics text, to the letter of Istio's node proxy: whole numbers
/// without a point, bounds as `1.0`, a full stop after the help, labels in the declared order, and no family without
/// a sample. Meters that no family declares are not written. For one thread.
///
/// A family is looked up under its name, with or without `_total`.
public final class OpenMetrics {
    private final Writer out;
    private final Map<String, List<Meter>> meters = new HashMap<>();

    private OpenMetrics(Writer out) {
        this.out = out;
    }

    public static void write(List<MetricFamily> families, MeterRegistry registry, Writer out) throws IOException {
        var writer = new OpenMetrics(out);
        registry.forEachMeter(meter -> writer.meters
                .computeIfAbsent(meter.getId().getName(), _ -> new ArrayList<>())
                .add(meter));
        for (var family : families) {
            writer.family(family);
        }
        out.write("# EOF\n");
    }

    private void family(MetricFamily family) throws IOException {
        var found = new ArrayList<Meter>();
        found.addAll(meters.getOrDefault(family.base(), List.of()));
        if (!family.name().equals(family.base())) {
            found.addAll(meters.getOrDefault(family.name(), List.of()));
        }
        found.removeIf(meter -> !family.zeros() && value(meter) == 0);
        if (found.isEmpty()) {
            return;
        }
        out.write("# HELP " + family.base() + " " + family.help() + ".\n");
        out.write("# TYPE " + family.base() + " " + family.type().name().toLowerCase(Locale.ROOT) + "\n");
        if (!family.unit().isEmpty()) {
            out.write("# UNIT " + family.base() + " " + family.unit() + "\n");
        }
        for (var meter : found) {
            samples(family, meter);
        }
    }

    private void samples(MetricFamily family, Meter meter) throws IOException {
        var labels = labels(family, meter.getId());
        if (meter instanceof DistributionSummary histogram) {
            histogram(family, histogram, labels);
        } else {
            sample(family.name(), labels, whole(value(meter)));
        }
    }

    private static double value(Meter meter) {
        return switch (meter) {
            case Counter counter -> counter.count();
            case FunctionCounter counter -> counter.count();
            case Gauge gauge -> gauge.value();
            case DistributionSummary histogram -> histogram.count();
            default ->
                throw new IllegalStateException(
                        meter.getId().getName() + ": " + meter.getClass() + " cannot be written");
        };
    }

    private void histogram(MetricFamily family, DistributionSummary histogram, String labels) throws IOException {
        var snapshot = histogram.takeSnapshot();
        sample(family.name() + "_sum", labels, point(snapshot.total()));
        sample(family.name() + "_count", labels, Long.toString(snapshot.count()));
        for (var bucket : snapshot.histogramCounts()) {
            sample(family.name() + "_bucket", bound(point(bucket.bucket()), labels), whole(bucket.count()));
        }
        sample(family.name() + "_bucket", bound("+Inf", labels), Long.toString(snapshot.count()));
    }

    private static String bound(String text, String labels) {
        return "le=\"" + text + "\"" + (labels.isEmpty() ? "" : "," + labels);
    }

    private void sample(String name, String labels, String value) throws IOException {
        out.write(name);
        if (!labels.isEmpty()) {
            out.write('{');
            out.write(labels);
            out.write('}');
        }
        out.write(' ');
        out.write(value);
        out.write('\n');
    }

    /// The declared labels first, in their order; a meter's others follow.
    private static String labels(MetricFamily family, Meter.Id id) {
        var tags = new ArrayList<>(id.getTags());
        var order = family.labels();
        tags.sort(Comparator.comparingInt(
                tag -> order.contains(tag.getKey()) ? order.indexOf(tag.getKey()) : order.size()));
        var text = new StringBuilder();
        for (Tag tag : tags) {
            text.append(text.isEmpty() ? "" : ",").append(tag.getKey()).append("=\"");
            escape(text, tag.getValue());
            text.append('"');
        }
        return text.toString();
    }

    private static void escape(StringBuilder text, String value) {
        for (var i = 0; i < value.length(); i++) {
            var c = value.charAt(i);
            switch (c) {
                case '\\' -> text.append("\\\\");
                case '"' -> text.append("\\\"");
                case '\n' -> text.append("\\n");
                default -> text.append(c);
            }
        }
    }

    private static String whole(double value) {
        return value == Math.rint(value) && Math.abs(value) < 1L << 53 ? Long.toString((long) value) : point(value);
    }

    private static String point(double value) {
        if (Double.isNaN(value) || Double.isInfinite(value)) {
            return Double.isNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf";
        }
        var text = BigDecimal.valueOf(value).stripTrailingZeros().toPlainString();
        return text.contains(".") ? text : text + ".0";
    }
}
