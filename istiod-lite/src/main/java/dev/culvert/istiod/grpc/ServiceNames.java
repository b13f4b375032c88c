package dev.culvert.istiod.grpc;

import dev.culvert.istiod.ambient.ServiceTranslation;
import dev.culvert.istiod.ambient.TranslationSettings;
import dev.culvert.kube.object.ObjectSet;
import dev.culvert.kube.object.Service;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// Finds the port of a Service that a client means. Immutable.
final class ServiceNames {
    private final Map<String, Service> byHostname = new HashMap<>();
    private final String domain;

    /// A port that a Service has.
    record Target(Service service, int port) {}

    ServiceNames(ObjectSet objects, TranslationSettings settings) {
        domain = settings.clusterDomain();
        for (var service : objects.services()) {
            if (service.type() != Service.Type.EXTERNAL_NAME) {
                byHostname.put(ServiceTranslation.hostname(service, settings), service);
            }
        }
    }

    /// @param dialled `host:port`; the host is a Service's full name, or one of its short ones: `name`,
    /// `name.namespace`, `name.namespace.svc`
    Optional<Target> dialled(String dialled, String namespace) {
        var colon = dialled.lastIndexOf(':');
        if (colon < 0) {
            return Optional.empty();
        }
        var host = dialled.substring(0, colon).toLowerCase(Locale.ROOT);
        return Ports.parse(dialled.substring(colon + 1))
                .flatMap(port ->
                        named(full(host.endsWith(".") ? host.substring(0, host.length() - 1) : host, namespace), port));
    }

    private String full(String host, String namespace) {
        var parts = host.split("\\.", -1);
        return switch (parts.length) {
            case 1 -> host + "." + namespace + ".svc." + domain;
            case 2 -> host + ".svc." + domain;
            case 3 -> parts[2].equals("svc") ? host + "." + domain : host;
            default -> host;
        };
    }

    /// @param hostname the full one
    Optional<Target> named(String hostname, int port) {
        return Optional.ofNullable(byHostname.get(hostname))
                .filter(service -> service.ports().stream()
                        .anyMatch(one -> one.number() == port && one.protocol().equals("TCP")))
                .map(service -> new Target(service, port));
    }
}
