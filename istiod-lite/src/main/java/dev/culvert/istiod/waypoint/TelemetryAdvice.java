package dev.culvert.istiod.waypoint;

import dev.culvert.istiod.ambient.L7Targets;
import dev.culvert.istiod.ambient.TranslationSettings;
import dev.culvert.kube.object.KubeObject;
import dev.culvert.kube.object.MeshConfig;
import dev.culvert.kube.object.MeshTelemetry.Form;
import dev.culvert.kube.object.MeshTelemetry.Receiver;
import dev.culvert.kube.object.ObjectSet;
import dev.culvert.kube.object.Problem;
import dev.culvert.kube.object.Telemetry;
import dev.culvert.mesh.model.telemetry.LogFormat;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/// Names what of Telemetry objects and of the mesh's own settings for them has no effect.
final class TelemetryAdvice {
    private static final Pattern QUOTED = Pattern.compile("\"((?:[^\"\\\\]|\\\\.)*)\"");

    private final ObjectSet objects;
    private final TranslationSettings settings;
    private final List<Problem> problems;
    private final TelemetryMerge merge;

    TelemetryAdvice(ObjectSet objects, TranslationSettings settings, List<Problem> problems, TelemetryMerge merge) {
        this.objects = objects;
        this.settings = settings;
        this.problems = problems;
        this.merge = merge;
    }

    /// After all scopes have been asked for.
    void check(TelemetryScopes scopes) {
        MeshConfig.of(objects, settings.rootNamespace()).ifPresent(this::check);
        for (var object : objects.all(Telemetry.class)) {
            check(object);
            if (!scopes.isUsed(object)) {
                unused(object);
            }
        }
    }

    private void warn(KubeObject object, String what, String fix) {
        problems.add(Problem.warning(object.place(), object.key().toString(), what, fix));
    }

    private void error(KubeObject object, String what, String fix) {
        problems.add(Problem.error(object.place(), object.key().toString(), what, fix));
    }

    private void unused(Telemetry object) {
        var missing = object.targetRefs().stream()
                .filter(target -> !L7Targets.exists(object, target, objects, settings.rootNamespace()))
                .toList();
        var why = !missing.isEmpty()
                ? "TargetNotFound: " + missing.getFirst() + " in namespace " + object.namespace()
                : !object.selector().isEmpty()
                        ? "no gateway's pods have the labels of spec.selector, and node proxies are not configured by it"
                        : object.targetRefs().isEmpty()
                                ? "another Telemetry is for this whole namespace and older, or no waypoint and no gateway"
                                        + " serves it; node proxies are not configured by it"
                                : "no waypoint and no gateway serves what targetRefs name";
        problems.add(Problem.unused(
                object.place(),
                object.key().toString(),
                why,
                "bind it by targetRefs to a Service with a waypoint, or to a Gateway"));
    }

    // ---- Telemetry ----

    private void check(Telemetry object) {
        for (var one : object.accessLogging()) {
            TelemetryMerge.problem(one.filter())
                    .ifPresent(why -> error(
                            object,
                            "accessLogging.filter.expression \"" + one.filter() + "\": " + why
                                    + ": everything is logged",
                            "write an expression such as response.code >= 400"));
            one.providers().stream()
                    .filter(name -> !merge.isLog(name))
                    .forEach(
                            name -> unknown(object, "accessLogging", name, "one of kind envoyFileAccessLog, or envoy"));
            if (one.providers().isEmpty() && !one.disabled().orElse(false) && !merge.logsByItself()) {
                warn(
                        object,
                        "accessLogging names no provider, and the mesh has none: nothing is logged",
                        "write providers: [{name: envoy}]");
            }
        }
        for (var one : object.tracing()) {
            one.providers().stream()
                    .skip(1)
                    .forEach(name -> warn(
                            object,
                            "tracing.providers: " + name + " gets no spans: the first one counts",
                            "remove it"));
            one.providers().stream()
                    .limit(1)
                    .filter(name -> merge.collector(name).isEmpty())
                    .forEach(name -> unknown(object, "tracing", name, "one of kind opentelemetry with http"));
        }
        for (var one : object.metrics()) {
            one.providers().stream()
                    .filter(name -> !merge.isForMetrics(name))
                    .forEach(name -> unknown(object, "metrics", name, "prometheus"));
            one.overrides()
                    .forEach(
                            override -> override.tags()
                                    .forEach(
                                            (tag, value) -> TelemetryMerge.problem(value)
                                                    .ifPresent(
                                                            why -> error(
                                                                    object,
                                                                    "tagOverrides." + tag + " \"" + value + "\": " + why
                                                                            + ": the label stays as it was",
                                                                    "write an expression such as request.method; a text needs quotes of its own, 'nine'"))));
        }
    }

    private void unknown(Telemetry object, String part, String name, String kind) {
        warn(
                object,
                part + ".providers: " + name + " is told nothing: there is no such provider that can be served",
                "declare it under extensionProviders of the ConfigMap istio as " + kind);
    }

    // ---- the mesh ----

    private void check(MeshConfig mesh) {
        var said = mesh.telemetry();
        format(mesh, "accessLogFormat", said.form());
        said.providers().stream()
                .filter(Receiver.FileLog.class::isInstance)
                .map(Receiver.FileLog.class::cast)
                .forEach(file -> file.form().ifPresent(form -> format(mesh, "provider " + file.name(), form)));
        said.defaults().accessLogging().stream()
                .filter(name -> !merge.isLog(name))
                .forEach(name -> unknownDefault(mesh, "accessLogging", name));
        said.defaults().tracing().stream()
                .limit(1)
                .filter(name -> merge.collector(name).isEmpty())
                .forEach(name -> unknownDefault(mesh, "tracing", name));
    }

    private void unknownDefault(MeshConfig mesh, String part, String name) {
        warn(
                mesh,
                "defaultProviders." + part + ": " + name
                        + " is told nothing: there is no such provider that can be served",
                "declare it under extensionProviders");
    }

    private void format(MeshConfig mesh, String where, Form form) {
        var unknown = new ArrayList<String>();
        for (var text : form.json() ? quoted(form.format()) : List.of(form.format())) {
            try {
                unknown.addAll(LogFormat.parse(text).unknown());
            } catch (IllegalArgumentException broken) {
                error(
                        mesh,
                        where + ": " + broken.getMessage() + ": Istio's default format is used",
                        "write %% for a percent sign");
            }
        }
        if (!unknown.isEmpty()) {
            warn(
                    mesh,
                    where + ": " + String.join(", ", unknown.stream().distinct().toList())
                            + " is not known here and is printed as -",
                    "remove it");
        }
    }

    /// The texts of a JSON object, names among them.
    private static List<String> quoted(String json) {
        return QUOTED.matcher(json).results().map(found -> found.group(1)).toList();
    }
}
