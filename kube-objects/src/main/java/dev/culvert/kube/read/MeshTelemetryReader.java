package dev.culvert.kube.read;

import dev.culvert.kube.object.MeshTelemetry;
import dev.culvert.kube.object.MeshTelemetry.Defaults;
import dev.culvert.kube.object.MeshTelemetry.Form;
import dev.culvert.kube.object.MeshTelemetry.Receiver;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/// Reads of the mesh's configuration what it says of access logs, traces and metrics.
final class MeshTelemetryReader {
    static final Set<String> FIELDS = Set.of(
            "accessLogEncoding",
            "accessLogFile",
            "accessLogFormat",
            "defaultProviders",
            "enableTracing",
            "extensionProviders");
    private static final Pattern HOST = Pattern.compile("[A-Za-z0-9]([-A-Za-z0-9.]{0,252}[A-Za-z0-9])?");
    private static final Pattern PATH = Pattern.compile("[-A-Za-z0-9._~/]{1,1024}");
    private static final String STDOUT = "/dev/stdout";
    private static final Map<String, Boolean> ENCODINGS = Map.of("TEXT", false, "JSON", true);
    /// What to write instead.
    private static final Map<String, String> OTHERS = Map.ofEntries(
            Map.entry("datadog", "write opentelemetry: Datadog's agent takes OTLP"),
            Map.entry("envoyExtAuthzGrpc", "write ALLOW or DENY policies"),
            Map.entry("envoyExtAuthzHttp", "write ALLOW or DENY policies"),
            Map.entry("envoyHttpAls", "write envoyFileAccessLog, and let an agent on the node collect the lines"),
            Map.entry("envoyOtelAls", "write envoyFileAccessLog, and let an agent on the node collect the lines"),
            Map.entry("envoyTcpAls", "write envoyFileAccessLog, and let an agent on the node collect the lines"),
            Map.entry("lightstep", "write opentelemetry"),
            Map.entry("opencensus", "write opentelemetry"),
            Map.entry("sds", "put certificates into Secrets"),
            Map.entry("skywalking", "write opentelemetry: SkyWalking's collector takes OTLP"),
            Map.entry("stackdriver", "write opentelemetry"),
            Map.entry("zipkin", "write opentelemetry: a collector passes spans on to Zipkin"));

    private MeshTelemetryReader() {}

    static MeshTelemetry telemetry(Fields mesh) {
        var file = mesh.text("accessLogFile");
        if (file.filter(one -> !one.isEmpty() && !one.equals(STDOUT)).isPresent()) {
            elsewhere(mesh, "accessLogFile");
        }
        var defaults = mesh.childOrEmpty("defaultProviders").knowing(Set.of("accessLogging", "metrics", "tracing"));
        return new MeshTelemetry(
                file,
                new Form(
                        mesh.oneOf("accessLogEncoding", ENCODINGS).orElse(false),
                        mesh.text("accessLogFormat", "").stripTrailing()),
                !mesh.has("enableTracing") || mesh.flag("enableTracing"),
                mesh.childOrEmpty("defaultConfig").childOrEmpty("tracing").number("sampling", 0, 100),
                mesh.children("extensionProviders").stream()
                        .map(MeshTelemetryReader::provider)
                        .toList(),
                new Defaults(defaults.texts("accessLogging"), defaults.texts("tracing"), defaults.texts("metrics")));
    }

    private static void elsewhere(Fields fields, String name) {
        fields.warning(
                name,
                fields.named(name) + ": lines of the access log go to the process's standard output, to no other file",
                "write " + STDOUT);
    }

    private static Receiver provider(Fields provider) {
        var name = provider.requiredText("name");
        for (var what : provider.names()) {
            var said = what.equals("name") ? Optional.<Fields>empty() : provider.child(what);
            if (said.isPresent()) {
                return provider(provider, name, what, said.get());
            }
        }
        return new Receiver.Other(name, "nothing");
    }

    private static Receiver provider(Fields provider, String name, String what, Fields said) {
        return switch (what) {
            case "envoyFileAccessLog" -> file(name, said);
            case "opentelemetry" -> collector(name, said);
            case "prometheus" -> new Receiver.Other(name, what);
            default -> {
                provider.warning(
                        what,
                        provider.named(what) + " has no effect here",
                        OTHERS.getOrDefault(what, "write one of envoyFileAccessLog, opentelemetry and prometheus"));
                yield new Receiver.Other(name, what);
            }
        };
    }

    private static Receiver file(String name, Fields said) {
        said.knowing(Set.of("logFormat", "omitEmptyValues", "path"));
        if (!said.text("path", STDOUT).equals(STDOUT)) {
            elsewhere(said, "path");
        }
        if (!said.has("logFormat")) {
            return new Receiver.FileLog(name, Optional.empty());
        }
        var format = said.childOrEmpty("logFormat").knowing(Set.of("labels", "text"));
        return new Receiver.FileLog(
                name,
                Optional.of(
                        format.has("labels")
                                ? new Form(true, json(format.childOrEmpty("labels")))
                                : new Form(false, format.text("text", "").stripTrailing())));
    }

    /// The same object as JSON.
    private static String json(Fields labels) {
        var text = new StringBuilder("{");
        for (var name : labels.names()) {
            text.append(text.length() == 1 ? "" : ",");
            quote(text, name);
            text.append(':');
            if (labels.isMapping(name)) {
                text.append(json(labels.childOrEmpty(name)));
            } else {
                quote(text, labels.text(name, ""));
            }
        }
        return text.append('}').toString();
    }

    private static void quote(StringBuilder to, String text) {
        to.append('"');
        text.chars().forEach(c -> {
            if (c == '"' || c == '\\') {
                to.append('\\').append((char) c);
            } else if (c < ' ') {
                to.append(String.format("\\u%04x", c));
            } else {
                to.append((char) c);
            }
        });
        to.append('"');
    }

    private static Receiver collector(String name, Fields said) {
        said.knowing(
                Set.of("dynatraceSampler", "grpc", "http", "maxTagLength", "port", "resourceDetectors", "service"));
        for (var without : List.of("dynatraceSampler", "maxTagLength", "resourceDetectors")) {
            if (said.has(without)) {
                said.warning(without, said.named(without) + " has no effect here", "remove it");
            }
        }
        var service = said.requiredText("service");
        var http = said.childOrEmpty("http").knowing(Set.of("headers", "path", "timeout"));
        if (http.has("headers")) {
            http.warning("headers", http.named("headers") + " have no effect here", "remove them");
        }
        if (!said.has("http")) {
            said.warning(
                    "service",
                    "spans are sent by HTTP only, not by gRPC: nobody is told of traces by provider " + name,
                    "add http: {path: /v1/traces}, with the collector's port for HTTP, such as 4318");
        }
        var host = service.substring(service.indexOf('/') + 1);
        if (!HOST.matcher(host).matches()) {
            said.error(
                    "service", said.named("service") + ": \"" + host + "\" is no host", "write a Service's full name");
        }
        var path = http.text("path", "/v1/traces");
        if (!PATH.matcher(path).matches()) {
            http.error("path", http.named("path") + ": \"" + path + "\" is no path", "write one such as /v1/traces");
        }
        return new Receiver.Collector(
                name,
                host,
                said.integer("port", 1, 65535).orElse(4318),
                said.has("http") ? path : "",
                RuleFields.duration(http, "timeout"));
    }
}
