package dev.culvert.kube.read;

import dev.culvert.kube.object.Gateway;
import dev.culvert.kube.object.Gateway.From;
import dev.culvert.kube.object.Gateway.Infrastructure;
import dev.culvert.kube.object.Gateway.Listener;
import dev.culvert.kube.object.GatewayClass;
import dev.culvert.kube.object.LabelSelector;
import dev.culvert.kube.object.LabelSelector.Operator;
import dev.culvert.kube.object.LabelSelector.Requirement;
import dev.culvert.kube.object.Metadata;
import java.util.ArrayList;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Reads Gateways of the Gateway API.
final class GatewayReader {
    private static final Map<String, From> FROM = Map.of("Same", From.SAME, "All", From.ALL, "Selector", From.SELECTOR);
    private static final Map<String, Operator> OPERATORS = Map.of(
            "In",
            Operator.IN,
            "NotIn",
            Operator.NOT_IN,
            "Exists",
            Operator.EXISTS,
            "DoesNotExist",
            Operator.DOES_NOT_EXIST);
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
                infrastructure(spec, metadata),
                object.place());
        if (gateway.isWaypoint()) {
            check(spec, gateway);
        }
        if (gateway.isIngress() && spec.has("tls")) {
            spec.error(
                    "tls",
                    spec.named("tls") + " is not supported yet: clients would get in without certificate",
                    "remove it");
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

    private static Infrastructure infrastructure(Fields spec, Metadata metadata) {
        if (!spec.has("infrastructure")) {
            return new Infrastructure(metadata.labels(), metadata.annotations(), Optional.empty(), "");
        }
        var said = spec.childOrEmpty("infrastructure").knowing(RouteFields.INFRASTRUCTURE);
        var labels = said.textMap("labels");
        var annotations = said.textMap("annotations");
        if (!said.has("parametersRef")) {
            return new Infrastructure(labels, annotations, Optional.empty(), "");
        }
        var ref = said.childOrEmpty("parametersRef").knowing(RouteFields.PARAMETERS_REF);
        var kind = ref.requiredText("kind");
        var name = ref.requiredText("name");
        if (ref.text("group", "").isEmpty() && kind.equals("ConfigMap")) {
            return new Infrastructure(labels, annotations, Optional.of(name), "");
        }
        ref.warning(
                "kind",
                "parameters of a Gateway are in a ConfigMap: what runs for it stays as it was",
                "write group: \"\" and kind: ConfigMap");
        return new Infrastructure(labels, annotations, Optional.empty(), kind + " " + name);
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
        var selector = namespaces.childOrEmpty("selector").knowing(KnownFields.LABEL_SELECTOR);
        var kinds = routes.children("kinds").stream()
                .map(kind -> kind.knowing(RouteFields.ROUTE_KIND))
                .map(kind -> new Gateway.RouteKind(
                        kind.text("group", "gateway.networking.k8s.io"), kind.requiredText("kind")))
                .toList();
        return new Gateway.Allowed(namespaces.oneOf("from", FROM).orElse(From.SAME), selector(selector), kinds);
    }

    private static LabelSelector selector(Fields selector) {
        var requirements = new ArrayList<Requirement>();
        for (var one : selector.children("matchExpressions")) {
            one.knowing(RouteFields.REQUIREMENT);
            var values = one.texts("values");
            var key = one.requiredText("key");
            one.oneOf("operator", OPERATORS).ifPresent(operator -> {
                var needsValues = operator == Operator.IN || operator == Operator.NOT_IN;
                if (needsValues == values.isEmpty()) {
                    one.error(
                            "values",
                            one.named("values") + (needsValues ? " is missing" : " has no meaning with this operator"),
                            needsValues ? "add it" : "remove it");
                }
                requirements.add(new Requirement(key, operator, Set.copyOf(values)));
            });
            if (!one.has("operator")) {
                one.error("operator", one.named("operator") + " is missing", "write In, NotIn, Exists or DoesNotExist");
            }
        }
        return new LabelSelector(selector.textMap("matchLabels"), requirements);
    }
}
