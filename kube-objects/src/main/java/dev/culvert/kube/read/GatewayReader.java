package dev.culvert.kube.read;

import dev.culvert.kube.object.Gateway;
import dev.culvert.kube.object.Gateway.From;
import dev.culvert.kube.object.Gateway.Frontend;
import dev.culvert.kube.object.Gateway.Infrastructure;
import dev.culvert.kube.object.Gateway.Listener;
import dev.culvert.kube.object.Gateway.ObjectRef;
import dev.culvert.kube.object.GatewayClass;
import dev.culvert.kube.object.Metadata;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Reads Gateways of the Gateway API.
final class GatewayReader {
    private static final Map<String, From> FROM = Map.of("Same", From.SAME, "All", From.ALL, "Selector", From.SELECTOR);
    private static final String ACCOUNT = "gateway.istio.io/service-account";
    private static final String NAME = "gateway.istio.io/name-override";

    private static final String TERMINATE_MODE = "gateway.istio.io/tls-terminate-mode";

    private GatewayReader() {}

    static Gateway gateway(Fields object, Metadata metadata) {
        object.knowing(KnownFields.OBJECT_SPEC);
        var spec = object.childOrEmpty("spec").knowing(RouteFields.GATEWAY);
        var gateway = new Gateway(
                metadata,
                spec.requiredText("gatewayClassName"),
                spec.children("listeners").stream()
                        .map(listener -> listener(listener, metadata))
                        .toList(),
                frontend(spec, metadata),
                infrastructure(object, spec, metadata),
                object.place());
        if (gateway.isWaypoint()) {
            check(spec, gateway);
        }
        if (gateway.isWaypoint() || gateway.isIngress()) {
            checkCommon(object, spec, gateway);
        } else {
            object.warning(
                    "kind",
                    "class " + gateway.className() + " is not supported yet: nothing runs for it",
                    "write gatewayClassName istio-waypoint, culvert-waypoint, istio or culvert, or do not count on it");
        }
        return gateway;
    }

    static GatewayClass gatewayClass(Fields object, Metadata metadata) {
        object.knowing(KnownFields.OBJECT_SPEC);
        var spec = object.childOrEmpty("spec").knowing(RouteFields.GATEWAY_CLASS);
        return new GatewayClass(metadata, spec.requiredText("controllerName"), object.place());
    }

    private static void check(Fields spec, Gateway gateway) {
        for (var listener : gateway.listeners()) {
            if (listener.port() != Gateway.HBONE_PORT || !listener.protocol().equals("HBONE")) {
                spec.error(
                        "listeners",
                        "a waypoint has a single listener on port 15008 with protocol HBONE, not " + listener.protocol()
                                + " on " + listener.port(),
                        "write port: 15008 and protocol: HBONE");
            }
        }
    }

    private static void checkCommon(Fields object, Fields spec, Gateway gateway) {
        for (var annotation : new String[] {ACCOUNT, NAME}) {
            if (gateway.metadata().annotation(annotation).isPresent()) {
                object.error("metadata", "annotation " + annotation + " is not supported yet", "remove it");
            }
        }
        if (spec.has("addresses")) {
            spec.warning("addresses", spec.named("addresses") + " is not supported yet and is ignored", "remove it");
        }
    }

    // ---- clients' certificates ----

    private static Frontend frontend(Fields spec, Metadata metadata) {
        var tls = spec.childOrEmpty("tls").knowing(RouteFields.GATEWAY_TLS);
        if (tls.has("backend")) {
            tls.error("backend", tls.named("backend") + " is not supported yet", "remove it");
        }
        var said = tls.childOrEmpty("frontend").knowing(RouteFields.FRONTEND);
        if (tls.has("frontend") && !said.has("default")) {
            tls.error("frontend", said.named("default") + " is missing", "write default, which may be {}");
        }
        var ports = new HashMap<Integer, List<ObjectRef>>();
        for (var one : said.children("perPort")) {
            one.knowing(RouteFields.FRONTEND_PORT);
            if (!one.has("port")) {
                one.error("port", one.named("port") + " is missing", "add it");
            }
            one.integer("port", 1, 65535).ifPresent(port -> {
                if (ports.put(port, authorities(one.childOrEmpty("tls"), metadata)) != null) {
                    one.error("port", "port " + port + " is written twice", "keep one of them");
                }
            });
        }
        return new Frontend(authorities(said.childOrEmpty("default"), metadata), ports);
    }

    /// Empty if nothing is said; what is said and empty is a mistake.
    private static List<ObjectRef> authorities(Fields tls, Metadata metadata) {
        tls.knowing(RouteFields.FRONTEND_TLS);
        if (!tls.has("validation")) {
            return List.of();
        }
        var validation = tls.childOrEmpty("validation").knowing(RouteFields.VALIDATION);
        if (!validation.text("mode", "AllowValidOnly").equals("AllowValidOnly")) {
            validation.error(
                    "mode",
                    validation.named("mode") + " " + validation.text("mode", "")
                            + " is not supported: clients would get in with any certificate",
                    "write AllowValidOnly");
        }
        var refs = validation.children("caCertificateRefs").stream()
                .map(ref -> ref.knowing(RouteFields.SECRET_REF))
                .map(ref -> new ObjectRef(
                        ref.text("group", ""),
                        ref.requiredText("kind"),
                        ref.text("namespace", metadata.namespace()),
                        ref.requiredText("name")))
                .toList();
        if (refs.isEmpty()) {
            validation.error(
                    "caCertificateRefs", validation.named("caCertificateRefs") + " is missing", "name a ConfigMap");
        }
        return refs;
    }

    private static Infrastructure infrastructure(Fields object, Fields spec, Metadata metadata) {
        if (!spec.has("infrastructure")) {
            var proxies =
                    ProxyConfigReader.annotated(object.childOrEmpty("metadata").childOrEmpty("annotations"));
            return new Infrastructure(metadata.labels(), metadata.annotations(), Optional.empty(), "", proxies);
        }
        var said = spec.childOrEmpty("infrastructure").knowing(RouteFields.INFRASTRUCTURE);
        var labels = said.textMap("labels");
        var annotations = said.textMap("annotations");
        var proxies = ProxyConfigReader.annotated(said.childOrEmpty("annotations"));
        if (!said.has("parametersRef")) {
            return new Infrastructure(labels, annotations, Optional.empty(), "", proxies);
        }
        var ref = said.childOrEmpty("parametersRef").knowing(RouteFields.PARAMETERS_REF);
        var kind = ref.requiredText("kind");
        var name = ref.requiredText("name");
        if (ref.text("group", "").isEmpty() && kind.equals("ConfigMap")) {
            return new Infrastructure(labels, annotations, Optional.of(name), "", proxies);
        }
        ref.warning(
                "kind",
                "parameters of a Gateway are in a ConfigMap: what runs for it stays as it was",
                "write group: \"\" and kind: ConfigMap");
        return new Infrastructure(labels, annotations, Optional.empty(), kind + " " + name, proxies);
    }

    private static Listener listener(Fields listener, Metadata metadata) {
        listener.knowing(RouteFields.LISTENER);
        return new Listener(
                listener.text("name", ""),
                listener.integer("port", 1, 65535).orElse(0),
                listener.requiredText("protocol"),
                Hostnames.one(listener, "hostname"),
                listener.child("tls").map(tls -> tls(tls, metadata)),
                allowed(listener.childOrEmpty("allowedRoutes").knowing(RouteFields.ALLOWED_ROUTES)));
    }

    private static Gateway.Tls tls(Fields tls, Metadata metadata) {
        tls.knowing(RouteFields.LISTENER_TLS);
        if (tls.has("frontendValidation")) {
            tls.error(
                    "frontendValidation",
                    tls.named("frontendValidation") + " is not supported yet: clients would get in without certificate",
                    "remove it");
        }
        tls.childOrEmpty("options").names().forEach(option -> {
            if (option.equals(TERMINATE_MODE)) {
                tls.error("options", option + " is not supported yet: clients would get in otherwise", "remove it");
            } else {
                tls.warning("options", option + " is not supported yet and is ignored", "remove it");
            }
        });
        var certificates = tls.children("certificateRefs").stream()
                .map(ref -> ref.knowing(RouteFields.SECRET_REF))
                .map(ref -> new Gateway.ObjectRef(
                        ref.text("group", ""),
                        ref.text("kind", "Secret"),
                        ref.text("namespace", metadata.namespace()),
                        ref.requiredText("name")))
                .toList();
        return new Gateway.Tls(tls.text("mode", "Terminate"), certificates);
    }

    private static Gateway.Allowed allowed(Fields routes) {
        var namespaces = routes.childOrEmpty("namespaces").knowing(RouteFields.ROUTE_NAMESPACES);
        var selector = namespaces.childOrEmpty("selector");
        var kinds = routes.children("kinds").stream()
                .map(kind -> kind.knowing(RouteFields.ROUTE_KIND))
                .map(kind -> new Gateway.RouteKind(
                        kind.text("group", "gateway.networking.k8s.io"), kind.requiredText("kind")))
                .toList();
        return new Gateway.Allowed(
                namespaces.oneOf("from", FROM).orElse(From.SAME), SelectorReader.selector(selector), kinds);
    }
}
