package dev.culvert.istiod.waypoint;

import com.google.re2j.Pattern;
import dev.culvert.istiod.ambient.TranslationSettings;
import dev.culvert.kube.object.MeshConfig;
import dev.culvert.kube.object.MeshTelemetry;
import dev.culvert.kube.object.MeshTelemetry.Form;
import dev.culvert.kube.object.MeshTelemetry.Receiver;
import dev.culvert.kube.object.ObjectSet;
import dev.culvert.kube.object.Telemetry;
import dev.culvert.kube.object.Telemetry.Mode;
import dev.culvert.mesh.model.telemetry.Expression;
import dev.culvert.protos.waypoint.AccessLog;
import dev.culvert.protos.waypoint.Collector;
import dev.culvert.protos.waypoint.LabelRule;
import dev.culvert.protos.waypoint.Metric;
import dev.culvert.protos.waypoint.MetricRule;
import dev.culvert.protos.waypoint.Named;
import dev.culvert.protos.waypoint.OwnForm;
import dev.culvert.protos.waypoint.SpanRules;
import dev.culvert.protos.waypoint.SpanTag;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/// Merges what the mesh's configuration and Telemetry objects say, as Istio does: a list of providers replaces the one
/// farther away, labels add up, of all else the nearest counts.
final class TelemetryMerge {
    /// The provider that is there without being declared.
    static final String ENVOY = "envoy";
    /// Stands for whatever the mesh logs where no provider is named.
    private static final String MESH = "";
    private static final int PARTS_OF_A_PERCENT = 10_000;

    private final MeshTelemetry mesh;

    TelemetryMerge(ObjectSet objects, TranslationSettings settings) {
        mesh = MeshConfig.of(objects, settings.rootNamespace())
                .map(MeshConfig::telemetry)
                .orElse(MeshTelemetry.NONE);
    }

    /// @param objects the nearest last
    /// @return empty if nobody says anything
    Optional<dev.culvert.protos.waypoint.Telemetry> of(List<Telemetry> objects) {
        if (mesh.equals(MeshTelemetry.NONE) && objects.isEmpty()) {
            return Optional.empty();
        }
        return Optional.of(dev.culvert.protos.waypoint.Telemetry.newBuilder()
                .addAllAccessLogs(logs(objects))
                .setSpans(spans(objects))
                .addAllMetrics(metrics(objects))
                .build());
    }

    private static boolean isForServers(Mode mode) {
        return mode != Mode.CLIENT;
    }

    // ---- access logs ----

    private record Said(boolean disabled, String filter) {}

    private List<AccessLog> logs(List<Telemetry> objects) {
        var base = ofMesh();
        var inForce = new HashSet<>(base);
        for (var object : objects) {
            var named = logging(object)
                    .flatMap(one -> one.providers().stream())
                    .map(TelemetryMerge::folded)
                    .toList();
            if (!named.isEmpty()) {
                inForce.clear();
                inForce.addAll(named);
            }
        }
        var said = new LinkedHashMap<String, Said>();
        base.stream().filter(inForce::contains).forEach(name -> said.put(name, new Said(false, "")));
        var parents = base;
        for (var object : objects) {
            for (var one : logging(object).toList()) {
                parents = one.providers().isEmpty()
                        ? parents
                        : one.providers().stream().map(TelemetryMerge::folded).toList();
                parents.stream()
                        .filter(inForce::contains)
                        .forEach(name ->
                                said.put(name, new Said(one.disabled().orElse(false), understood(one.filter()))));
            }
        }
        var logs = new ArrayList<AccessLog>();
        said.forEach((name, one) -> {
            if (!one.disabled) {
                log(name).ifPresent(log -> logs.add(log.setFilter(one.filter).build()));
            }
        });
        return logs;
    }

    private static Stream<Telemetry.AccessLogging> logging(Telemetry object) {
        return object.accessLogging().stream().filter(one -> isForServers(one.mode()));
    }

    private static String folded(String provider) {
        return provider.toLowerCase(Locale.ROOT);
    }

    /// Who gets lines where no Telemetry says so.
    private List<String> ofMesh() {
        if (!mesh.defaults().accessLogging().isEmpty()) {
            return mesh.defaults().accessLogging().stream()
                    .map(TelemetryMerge::folded)
                    .toList();
        }
        return mesh.file().filter(String::isEmpty).isPresent() ? List.of() : List.of(MESH);
    }

    private Optional<AccessLog.Builder> log(String name) {
        if (name.equals(MESH)) {
            return Optional.of(
                    mesh.file().isPresent()
                            ? form(mesh.form())
                            : AccessLog.newBuilder().setOwn(OwnForm.getDefaultInstance()));
        }
        return mesh.provider(name)
                .<Optional<AccessLog.Builder>>map(provider -> provider instanceof Receiver.FileLog file
                        ? Optional.of(form(file.form().orElse(mesh.form())))
                        : Optional.empty())
                .orElseGet(() -> name.equals(ENVOY) ? Optional.of(form(mesh.form())) : Optional.empty());
    }

    private static AccessLog.Builder form(Form form) {
        return form.json()
                ? AccessLog.newBuilder().setJson(form.format())
                : AccessLog.newBuilder().setText(form.format());
    }

    /// An expression that cannot be understood is left out, of which its author is told.
    private static String understood(String expression) {
        return problem(expression).isEmpty() ? expression : "";
    }

    static Optional<String> problem(String expression) {
        try {
            if (!expression.isEmpty()) {
                Expression.parse(expression, pattern -> Pattern.compile(pattern)::matches);
            }
            return Optional.empty();
        } catch (IllegalArgumentException broken) {
            return Optional.of(String.valueOf(broken.getMessage()));
        }
    }

    // ---- traces ----

    private SpanRules spans(List<Telemetry> objects) {
        var to = SpanRules.newBuilder();
        if (!mesh.tracing()) {
            return to.setDisabled(true).build();
        }
        mesh.sampling().ifPresent(percent -> to.setShare(share(percent)));
        var provider = mesh.defaults().tracing();
        var tags = new LinkedHashMap<String, Telemetry.Tag>();
        for (var object : objects) {
            for (var one : object.tracing()) {
                if (isForServers(one.mode())) {
                    one.disabled().ifPresent(to::setDisabled);
                    one.percentage().ifPresent(percent -> to.setShare(share(percent)));
                    provider = one.providers().isEmpty() ? provider : one.providers();
                    tags.putAll(one.tags());
                }
            }
        }
        tags.forEach((name, tag) -> to.addTags(tag(name, tag)));
        if (!provider.isEmpty()) {
            collector(provider.getFirst()).ifPresentOrElse(to::setCollector, () -> to.setDisabled(true));
        }
        return to.build();
    }

    private static int share(double percent) {
        return (int) Math.round(percent * PARTS_OF_A_PERCENT);
    }

    private static SpanTag tag(String name, Telemetry.Tag tag) {
        var to = SpanTag.newBuilder().setName(name);
        switch (tag) {
            case Telemetry.Tag.Literal(var value) -> to.setLiteral(value);
            case Telemetry.Tag.Header(var header, var otherwise) ->
                to.setHeader(Named.newBuilder().setName(header).setOtherwise(otherwise));
            case Telemetry.Tag.Environment(var variable, var otherwise) ->
                to.setEnvironment(Named.newBuilder().setName(variable).setOtherwise(otherwise));
        }
        return to.build();
    }

    /// Only the one that is named gets spans, else nobody.
    Optional<Collector> collector(String name) {
        return mesh.provider(name)
                .filter(Receiver.Collector.class::isInstance)
                .map(Receiver.Collector.class::cast)
                .filter(one -> !one.path().isEmpty())
                .map(one -> {
                    var path = one.path().startsWith("/") ? one.path() : "/" + one.path();
                    var to = Collector.newBuilder().setUrl("http://" + one.host() + ":" + one.port() + path);
                    one.timeout().ifPresent(time -> to.setTimeout(RuleTranslation.duration(time)));
                    return to.build();
                });
    }

    /// Whether lines go to it.
    boolean isLog(String name) {
        return log(folded(name)).isPresent();
    }

    /// Whether a Telemetry that names no provider for its access log reaches somebody.
    boolean logsByItself() {
        return !ofMesh().isEmpty();
    }

    // ---- metrics ----

    /// Whether it is who asks for metrics here.
    boolean isForMetrics(String name) {
        return mesh.provider(name)
                .map(provider ->
                        provider instanceof Receiver.Other other && other.what().equals("prometheus"))
                .orElse(name.equalsIgnoreCase("prometheus"));
    }

    private List<MetricRule> metrics(List<Telemetry> objects) {
        return objects.stream()
                .flatMap(object -> object.metrics().stream())
                .filter(one ->
                        one.providers().isEmpty() || one.providers().stream().anyMatch(this::isForMetrics))
                .flatMap(one -> one.overrides().stream())
                .filter(one -> isForServers(one.mode()))
                .map(TelemetryMerge::rule)
                .toList();
    }

    private static MetricRule rule(Telemetry.Adjustment said) {
        var to = MetricRule.newBuilder();
        said.metric().ifPresent(metric -> to.addMetrics(Metric.valueOf(metric.name())));
        said.disabled().ifPresent(to::setDisabled);
        for (Map.Entry<String, String> tag : said.tags().entrySet()) {
            if (problem(tag.getValue()).isEmpty()) {
                to.addLabels(LabelRule.newBuilder().setName(tag.getKey()).setValue(tag.getValue()));
            }
        }
        return to.build();
    }
}
