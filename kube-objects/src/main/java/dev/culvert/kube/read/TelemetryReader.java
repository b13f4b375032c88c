package dev.culvert.kube.read;

import dev.culvert.kube.object.Metadata;
import dev.culvert.kube.object.Telemetry;
import dev.culvert.kube.object.Telemetry.AccessLogging;
import dev.culvert.kube.object.Telemetry.Metric;
import dev.culvert.kube.object.Telemetry.Metrics;
import dev.culvert.kube.object.Telemetry.Mode;
import dev.culvert.kube.object.Telemetry.Tag;
import dev.culvert.kube.object.Telemetry.Tracing;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/// Reads Telemetry objects.
final class TelemetryReader {
    private static final Set<String> SPEC =
            Set.of("accessLogging", "metrics", "selector", "targetRef", "targetRefs", "tracing");
    private static final Set<String> ACCESS_LOGGING = Set.of("disabled", "filter", "match", "providers");
    private static final Set<String> TRACING = Set.of(
            "customTags",
            "disableContextPropagation",
            "disableSpanReporting",
            "enableIstioTags",
            "match",
            "providers",
            "randomSamplingPercentage",
            "useRequestIdForTraceSampling");
    private static final Set<String> METRICS = Set.of("overrides", "providers", "reportingInterval");
    private static final Set<String> OVERRIDE = Set.of("disabled", "match", "tagOverrides");
    private static final Set<String> MATCH = Set.of("customMetric", "metric", "mode");
    private static final Map<String, Boolean> OPERATIONS = Map.of("UPSERT", true, "REMOVE", false);
    private static final Pattern LABEL = Pattern.compile("[a-zA-Z_][a-zA-Z0-9_]{0,127}");

    private TelemetryReader() {}

    static Telemetry telemetry(Fields object, Metadata metadata) {
        object.knowing(KnownFields.OBJECT_SPEC);
        var spec = object.childOrEmpty("spec").knowing(SPEC);
        var targets = PolicyReader.targets(spec);
        if (!targets.isEmpty() && spec.has("selector")) {
            spec.error("selector", "only one of spec.targetRefs and spec.selector can be set", "remove one of them");
        }
        return new Telemetry(
                metadata,
                spec.childOrEmpty("selector")
                        .knowing(KnownFields.WORKLOAD_SELECTOR)
                        .textMap("matchLabels"),
                targets,
                spec.children("accessLogging").stream()
                        .map(TelemetryReader::accessLogging)
                        .toList(),
                spec.children("tracing").stream().map(TelemetryReader::tracing).toList(),
                spec.children("metrics").stream().map(TelemetryReader::metrics).toList(),
                object.place());
    }

    private static AccessLogging accessLogging(Fields fields) {
        fields.knowing(ACCESS_LOGGING);
        return new AccessLogging(
                mode(fields.childOrEmpty("match").knowing(Set.of("mode"))),
                providers(fields),
                flag(fields, "disabled"),
                fields.childOrEmpty("filter").knowing(Set.of("expression")).text("expression", ""));
    }

    private static Mode mode(Fields match) {
        var mode = match.oneOf("mode", Fields.words(Mode.values())).orElse(Mode.CLIENT_AND_SERVER);
        if (mode == Mode.CLIENT) {
            match.warning(
                    "mode",
                    match.named("mode") + " CLIENT has no effect: a waypoint stands on the side of the server",
                    "write SERVER, or leave it out");
        }
        return mode;
    }

    private static List<String> providers(Fields fields) {
        return fields.children("providers").stream()
                .map(one -> one.knowing(Set.of("name")).requiredText("name"))
                .toList();
    }

    private static Optional<Boolean> flag(Fields fields, String name) {
        return fields.has(name) ? Optional.of(fields.flag(name)) : Optional.empty();
    }

    // ---- traces ----

    private static Tracing tracing(Fields fields) {
        fields.knowing(TRACING);
        if (fields.has("disableContextPropagation") && fields.flag("disableContextPropagation")) {
            VirtualServiceReader.notYet(fields, "disableContextPropagation", "headers of traces are passed on");
        }
        if (fields.has("enableIstioTags") && !fields.flag("enableIstioTags")) {
            VirtualServiceReader.notYet(fields, "enableIstioTags", "tags with Istio's names are written");
        }
        if (fields.has("useRequestIdForTraceSampling") && fields.flag("useRequestIdForTraceSampling")) {
            VirtualServiceReader.notYet(
                    fields, "useRequestIdForTraceSampling", "the headers of the trace say whether it is sampled");
        }
        var tags = new LinkedHashMap<String, Tag>();
        var all = fields.childOrEmpty("customTags");
        for (var name : all.names()) {
            tag(all.childOrEmpty(name)).ifPresent(tag -> tags.put(name, tag));
        }
        return new Tracing(
                mode(fields.childOrEmpty("match").knowing(Set.of("mode"))),
                providers(fields),
                fields.number("randomSamplingPercentage", 0, 100),
                flag(fields, "disableSpanReporting"),
                tags);
    }

    private static Optional<Tag> tag(Fields tag) {
        tag.knowing(Set.of("environment", "formatter", "header", "literal"));
        if (tag.has("literal")) {
            return Optional.of(new Tag.Literal(
                    tag.childOrEmpty("literal").knowing(Set.of("value")).requiredText("value")));
        }
        for (var kind : List.of("header", "environment")) {
            if (tag.has(kind)) {
                var said = tag.childOrEmpty(kind).knowing(Set.of("name", "defaultValue"));
                var name = said.requiredText("name");
                var otherwise = said.text("defaultValue", "");
                return Optional.of(
                        kind.equals("header") ? new Tag.Header(name, otherwise) : new Tag.Environment(name, otherwise));
            }
        }
        if (tag.has("formatter")) {
            VirtualServiceReader.notYet(tag, "formatter", "the tag is left out: write literal, header or environment");
        } else {
            tag.error("", "a tag is neither literal nor header nor environment", "add one of these");
        }
        return Optional.empty();
    }

    // ---- metrics ----

    private static Metrics metrics(Fields fields) {
        fields.knowing(METRICS);
        if (fields.has("reportingInterval")) {
            VirtualServiceReader.notYet(fields, "reportingInterval", "what is under way is counted every 5 s");
        }
        return new Metrics(
                providers(fields),
                fields.children("overrides").stream()
                        .map(TelemetryReader::override)
                        .toList());
    }

    private static Telemetry.Adjustment override(Fields fields) {
        fields.knowing(OVERRIDE);
        var match = fields.childOrEmpty("match").knowing(MATCH);
        var mode = mode(match);
        if (match.has("customMetric")) {
            match.error("customMetric", match.named("customMetric") + ": there are Istio's metrics only", "name one");
        }
        var all = match.text("metric", "ALL_METRICS").equals("ALL_METRICS");
        return new Telemetry.Adjustment(
                mode,
                all ? Optional.empty() : match.oneOf("metric", Fields.words(Metric.values())),
                flag(fields, "disabled"),
                tags(fields.childOrEmpty("tagOverrides")));
    }

    private static Map<String, String> tags(Fields overrides) {
        var tags = new LinkedHashMap<String, String>();
        for (var name : overrides.names()) {
            var one = overrides.childOrEmpty(name).knowing(Set.of("operation", "value"));
            if (!LABEL.matcher(name).matches() || name.startsWith("__") || name.equals("le")) {
                overrides.error(name, overrides.named(name) + " is no name of a label", "write letters, digits and _");
            }
            var upsert = one.oneOf("operation", OPERATIONS).orElse(true);
            tags.put(name, upsert ? one.requiredText("value") : "");
        }
        return tags;
    }
}
