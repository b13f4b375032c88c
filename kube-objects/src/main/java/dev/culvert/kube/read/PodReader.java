package dev.culvert.kube.read;

import dev.culvert.kube.object.Container;
import dev.culvert.kube.object.Literals;
import dev.culvert.kube.object.Metadata;
import dev.culvert.kube.object.Pod;
import dev.culvert.kube.object.PodSpec;
import dev.culvert.kube.object.PortRef;
import dev.culvert.kube.object.Probe;
import java.net.InetAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// Reads pods and their templates.
final class PodReader {
    private static final int MAX_PORT = 65535;

    private PodReader() {}

    static Pod pod(Fields object, Metadata metadata) {
        object.knowing(KnownFields.OBJECT_SPEC);
        var status = object.childOrEmpty("status").knowing(KnownFields.POD_STATUS);
        return new Pod(
                metadata,
                spec(object.childOrEmpty("spec")),
                status.text("phase", ""),
                addresses(status),
                ready(status),
                object.place());
    }

    private static List<InetAddress> addresses(Fields status) {
        var addresses = new ArrayList<InetAddress>();
        status.parsed("podIP", "an IP address", Literals::address).ifPresent(addresses::add);
        for (var one : status.children("podIPs")) {
            one.knowing(KnownFields.POD_IP)
                    .parsed("ip", "an IP address", Literals::address)
                    .filter(address -> !addresses.contains(address))
                    .ifPresent(addresses::add);
        }
        return addresses;
    }

    private static boolean ready(Fields status) {
        return status.children("conditions").stream()
                .map(condition -> condition.knowing(KnownFields.CONDITION))
                .filter(condition -> condition.requiredText("type").equals("Ready"))
                .anyMatch(condition -> condition.requiredText("status").equals("True"));
    }

    static PodSpec spec(Fields spec) {
        spec.knowing(KnownFields.POD_SPEC);
        var sidecars = spec.children("initContainers").stream()
                .filter(init -> init.text("restartPolicy", "").equals("Always"))
                .map(PodReader::container)
                .toList();
        return new PodSpec(
                spec.text("nodeName", ""),
                spec.textMap("nodeSelector"),
                spec.text("serviceAccountName")
                        .or(() -> spec.text("serviceAccount"))
                        .orElse("default"),
                spec.flag("hostNetwork"),
                containers(spec),
                sidecars);
    }

    private static List<Container> containers(Fields spec) {
        var names = new HashSet<String>();
        var containers = new ArrayList<Container>();
        for (var fields : spec.children("containers")) {
            var container = container(fields);
            if (!names.add(container.name())) {
                fields.error("name", "two containers are named " + container.name(), "rename one of them");
            }
            containers.add(container);
        }
        if (containers.isEmpty()) {
            spec.error("containers", spec.named("containers") + " is empty", "add a container");
        }
        return containers;
    }

    private static Container container(Fields container) {
        container.knowing(KnownFields.CONTAINER);
        return new Container(
                container.requiredText("name"),
                container.text("image", ""),
                container.texts("command"),
                container.texts("args"),
                container.children("env").stream().map(PodReader::env).toList(),
                container.text("workingDir", ""),
                container.children("ports").stream().map(PodReader::port).toList(),
                container.child("readinessProbe").flatMap(PodReader::probe),
                container.child("livenessProbe").flatMap(PodReader::probe),
                container.child("startupProbe").flatMap(PodReader::probe),
                hooks(container));
    }

    private static List<Probe.Check> hooks(Fields container) {
        var lifecycle = container.childOrEmpty("lifecycle").knowing(KnownFields.LIFECYCLE);
        return Stream.of("postStart", "preStop")
                .flatMap(name -> lifecycle.child(name).stream())
                .flatMap(hook -> check(hook.knowing(KnownFields.HOOK)).stream())
                .toList();
    }

    private static Container.EnvVar env(Fields env) {
        env.knowing(KnownFields.ENV);
        var source = env.childOrEmpty("valueFrom").knowing(KnownFields.ENV_SOURCE);
        var field = source.childOrEmpty("fieldRef").knowing(KnownFields.FIELD_REF);
        return new Container.EnvVar(env.requiredText("name"), env.text("value", ""), field.text("fieldPath", ""));
    }

    private static Container.Port port(Fields port) {
        port.knowing(KnownFields.CONTAINER_PORT);
        if (!port.has("containerPort")) {
            port.error("containerPort", port.named("containerPort") + " is missing", "add it");
        }
        return new Container.Port(
                port.text("name", ""),
                port.integer("containerPort", 1, MAX_PORT).orElse(0),
                port.text("protocol", "TCP"));
    }

    private static Optional<Probe> probe(Fields probe) {
        probe.knowing(KnownFields.PROBE);
        return check(probe)
                .map(check -> new Probe(
                        check,
                        seconds(probe, "initialDelaySeconds", 0),
                        seconds(probe, "periodSeconds", 10),
                        seconds(probe, "timeoutSeconds", 1),
                        probe.integer("failureThreshold", 1, Integer.MAX_VALUE).orElse(3)));
    }

    private static Optional<Probe.Check> check(Fields probe) {
        if (probe.has("httpGet")) {
            var http = probe.childOrEmpty("httpGet").knowing(KnownFields.HTTP_GET);
            var tls = http.text("scheme", "HTTP").equals("HTTPS");
            return Optional.of(
                    new Probe.Check.Http(http.text("host", ""), portRef(http, "port"), http.text("path", "/"), tls));
        }
        if (probe.has("tcpSocket")) {
            var tcp = probe.childOrEmpty("tcpSocket").knowing(KnownFields.TCP_SOCKET);
            return Optional.of(new Probe.Check.Tcp(tcp.text("host", ""), portRef(tcp, "port")));
        }
        if (probe.has("exec")) {
            return Optional.of(new Probe.Check.Exec(
                    probe.childOrEmpty("exec").knowing(KnownFields.EXEC).texts("command")));
        }
        return probe.child("grpc")
                .map(grpc -> new Probe.Check.Grpc(grpc.knowing(KnownFields.GRPC)
                        .integer("port", 1, MAX_PORT)
                        .orElse(0)));
    }

    private static Duration seconds(Fields probe, String name, int otherwise) {
        return Duration.ofSeconds(probe.integer(name, 0, Integer.MAX_VALUE).orElse(otherwise));
    }

    static PortRef portRef(Fields fields, String name) {
        if (!fields.has(name)) {
            fields.error(name, fields.named(name) + " is missing", "add it");
            return new PortRef.Numbered(0);
        }
        return fields.isInteger(name)
                ? new PortRef.Numbered(fields.integer(name, 1, MAX_PORT).orElse(0))
                : new PortRef.Named(fields.text(name, ""));
    }
}
