package dev.culvert.kube.read;

import dev.culvert.kube.object.AuthorizationPolicy;
import dev.culvert.kube.object.AuthorizationPolicy.Action;
import dev.culvert.kube.object.AuthorizationPolicy.Condition;
import dev.culvert.kube.object.AuthorizationPolicy.Operation;
import dev.culvert.kube.object.AuthorizationPolicy.Rule;
import dev.culvert.kube.object.AuthorizationPolicy.Source;
import dev.culvert.kube.object.AuthorizationPolicy.Target;
import dev.culvert.kube.object.AuthorizationPolicy.Values;
import dev.culvert.kube.object.IpBlock;
import dev.culvert.kube.object.KubeObject;
import dev.culvert.kube.object.Metadata;
import dev.culvert.kube.object.PeerAuthentication;
import dev.culvert.kube.object.PeerAuthentication.Mode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;

/// Reads PeerAuthentications and AuthorizationPolicies.
final class PolicyReader {
    private static final int MAX_PORT = 65535;
    private static final String DRY_RUN = "istio.io/dry-run";
    private static final Set<String> CONDITIONS = Set.of(
            "source.ip",
            "remote.ip",
            "source.namespace",
            "source.principal",
            "source.serviceAccount",
            "source.trustDomain",
            "destination.ip",
            "destination.port",
            "connection.sni",
            "request.auth.principal",
            "request.auth.audiences",
            "request.auth.presenter");
    private static final List<String> CONDITION_FAMILIES =
            List.of("request.headers[", "request.auth.claims[", "experimental.envoy.filters.");

    private PolicyReader() {}

    static PeerAuthentication peerAuthentication(Fields object, Metadata metadata) {
        object.knowing(KnownFields.OBJECT_SPEC);
        var spec = object.childOrEmpty("spec").knowing(KnownFields.PEER_AUTHENTICATION);
        var selector = selector(spec);
        var ports = ports(spec);
        if (!ports.isEmpty() && selector.isEmpty()) {
            spec.error("portLevelMtls", "spec.portLevelMtls needs a selector", "add spec.selector.matchLabels");
        }
        return new PeerAuthentication(metadata, selector, mode(spec.childOrEmpty("mtls")), ports, object.place());
    }

    private static Map<Integer, Mode> ports(Fields spec) {
        var found = new TreeMap<Integer, Mode>();
        var all = spec.childOrEmpty("portLevelMtls");
        for (var name : all.names()) {
            try {
                found.put(port(name), mode(all.childOrEmpty(name)));
            } catch (IllegalArgumentException notAPort) {
                all.error(name, all.named(name) + " is not a port", "write a number 1..65535");
            }
        }
        return found;
    }

    private static Mode mode(Fields mtls) {
        return mtls.knowing(KnownFields.MTLS)
                .oneOf("mode", Fields.words(Mode.values()))
                .orElse(Mode.UNSET);
    }

    private static Map<String, String> selector(Fields spec) {
        var selector = spec.childOrEmpty("selector").knowing(KnownFields.WORKLOAD_SELECTOR);
        var labels = selector.textMap("matchLabels");
        labels.forEach((key, value) -> {
            if (key.contains("*") || value.contains("*")) {
                selector.error(
                        "matchLabels", "a selector takes no wildcard: " + key + ": " + value, "write whole labels");
            }
        });
        return labels;
    }

    static AuthorizationPolicy authorizationPolicy(Fields object, Metadata metadata) {
        object.knowing(KnownFields.OBJECT_SPEC);
        var spec = object.childOrEmpty("spec").knowing(KnownFields.AUTHORIZATION_POLICY);
        var action = spec.oneOf("action", Fields.words(Action.values())).orElse(Action.ALLOW);
        var rules = spec.children("rules").stream().map(PolicyReader::rule).toList();
        var selector = selector(spec);
        var targets = targets(spec);
        if (!selector.isEmpty() && !targets.isEmpty()) {
            spec.error("selector", "only one of spec.targetRefs and spec.selector can be set", "remove one of them");
        }
        if (spec.has("provider") != (action == Action.CUSTOM)) {
            spec.error("provider", "spec.provider goes with action CUSTOM, and only with it", "remove it, or add it");
        }
        if (action == Action.DENY && rules.isEmpty()) {
            spec.warning("rules", "a DENY without rules never denies", "write `rules: [{}]` to deny everything");
        }
        return new AuthorizationPolicy(metadata, selector, targets, action, rules, isDryRun(metadata), object.place());
    }

    static List<Target> targets(Fields spec) {
        var targets = new ArrayList<>(spec.children("targetRefs"));
        spec.child("targetRef").ifPresent(targets::add);
        return targets.stream()
                .map(target -> target.knowing(KnownFields.TARGET_REF))
                .map(target -> new Target(
                        target.text("group", "").equals("core") ? "" : target.text("group", ""),
                        target.requiredText("kind"),
                        target.requiredText("name")))
                .toList();
    }

    /// What a policy covers.
    private record Scope(Map<String, String> selector, List<Target> targets) {
        private static final Scope NAMESPACE = new Scope(Map.of(), List.of());
    }

    /// Where it is not clear what a policy covers, that is its whole namespace.
    ///
    /// @param object read into `document`, and nothing else is
    private static Scope scope(Fields object, Document document) {
        var spec = object.childOrEmpty("spec");
        var scope = new Scope(selector(spec), targets(spec));
        var isBoth = !scope.selector.isEmpty() && !scope.targets.isEmpty();
        return isBoth || document.hasErrors() ? Scope.NAMESPACE : scope;
    }

    /// What stands for a policy that cannot be read: it lets nobody in to what that covers.
    ///
    /// @return empty if the policy would not have refused anybody
    static Optional<KubeObject> closedPolicy(Fields object, Document document, Metadata metadata) {
        var scope = scope(object, document);
        var action = object.childOrEmpty("spec").text("action", "");
        if (isDryRun(metadata) || action.equals(Action.AUDIT.name())) {
            return Optional.empty();
        }
        var everybody = List.of(new Rule(List.of(), List.of(), List.of(), object.place()));
        return Optional.of(new AuthorizationPolicy(
                metadata, scope.selector, scope.targets, Action.DENY, everybody, false, object.place()));
    }

    /// What stands for a PeerAuthentication that cannot be read: it lets nobody in without mutual TLS.
    static KubeObject strict(Fields object, Document document, Metadata metadata) {
        var selector = scope(object, document).selector;
        return new PeerAuthentication(metadata, selector, Mode.STRICT, Map.of(), object.place());
    }

    private static boolean isDryRun(Metadata metadata) {
        return metadata.annotation(DRY_RUN).filter("true"::equals).isPresent();
    }

    private static Rule rule(Fields rule) {
        rule.knowing(KnownFields.RULE);
        for (var part : KnownFields.RULE) {
            if (rule.has(part) && rule.children(part).isEmpty()) {
                rule.error(part, rule.named(part) + " is an empty list", "remove it, or add an entry");
            }
        }
        return new Rule(
                rule.children("from").stream().map(PolicyReader::source).toList(),
                rule.children("to").stream().map(PolicyReader::operation).toList(),
                rule.children("when").stream().map(PolicyReader::condition).toList(),
                rule.place());
    }

    private static Source source(Fields from) {
        from.knowing(KnownFields.FROM);
        var source = from.childOrEmpty("source").knowing(KnownFields.SOURCE);
        requireSome(from, source, "source");
        var accounts = values(source, "serviceAccounts", "notServiceAccounts");
        var principals = values(source, "principals", "notPrincipals");
        var namespaces = values(source, "namespaces", "notNamespaces");
        if (!accounts.isEmpty() && !(principals.isEmpty() && namespaces.isEmpty())) {
            source.error(
                    "serviceAccounts",
                    source.named("serviceAccounts") + " cannot be set with namespaces or principals",
                    "write the service account as a principal, cluster.local/ns/NAMESPACE/sa/NAME");
        }
        return new Source(
                principals,
                namespaces,
                accounts,
                values(source, "trustDomains", "notTrustDomains"),
                checked(source, "ipBlocks", "notIpBlocks", "an IP address or CIDR", IpBlock::parse),
                values(source, "requestPrincipals", "notRequestPrincipals"),
                checked(source, "remoteIpBlocks", "notRemoteIpBlocks", "an IP address or CIDR", IpBlock::parse));
    }

    private static Operation operation(Fields to) {
        to.knowing(KnownFields.TO);
        var operation = to.childOrEmpty("operation").knowing(KnownFields.OPERATION);
        requireSome(to, operation, "operation");
        return new Operation(
                checked(operation, "ports", "notPorts", "a port 1..65535", PolicyReader::port),
                values(operation, "hosts", "notHosts"),
                values(operation, "methods", "notMethods"),
                values(operation, "paths", "notPaths"));
    }

    /// An entry that names nothing would match everything, or nothing, depending on who reads it: refused, as
    /// by Istio.
    private static void requireSome(Fields entry, Fields content, String name) {
        if (content.names().isEmpty()) {
            entry.error(name, entry.named(name) + " is empty", "name at least one attribute, or remove the entry");
        }
    }

    private static Condition condition(Fields when) {
        when.knowing(KnownFields.WHEN);
        var key = when.requiredText("key");
        if (!CONDITIONS.contains(key) && CONDITION_FAMILIES.stream().noneMatch(key::startsWith)) {
            var hint = Hints.nearest(key, CONDITIONS).map(near -> "did you mean " + near + "?");
            when.error(
                    "key",
                    "unknown condition key " + key,
                    hint.orElse("write a key that Istio knows, such as source.ip"));
        }
        if (!when.has("values") && !when.has("notValues")) {
            when.error("values", when.named("values") + " is missing", "add values or notValues");
        }
        return new Condition(
                key,
                switch (key) {
                    case "source.ip", "destination.ip", "remote.ip" ->
                        checked(when, "values", "notValues", "an IP address or CIDR", IpBlock::parse);
                    case "destination.port" ->
                        checked(when, "values", "notValues", "a port 1..65535", PolicyReader::port);
                    default -> values(when, "values", "notValues");
                });
    }

    private static Values values(Fields fields, String name, String notName) {
        return checked(fields, name, notName, "a value", PolicyReader::notEmpty);
    }

    private static Values checked(Fields fields, String name, String notName, String form, Function<String, ?> parser) {
        return new Values(checked(fields, name, form, parser), checked(fields, notName, form, parser));
    }

    private static List<String> checked(Fields fields, String name, String form, Function<String, ?> parser) {
        var values = fields.parsedList(name, form, text -> {
            var _ = parser.apply(text);
            return text;
        });
        if (fields.has(name) && fields.texts(name).isEmpty()) {
            fields.error(name, fields.named(name) + " is an empty list", "remove it, or add a value");
        }
        return values;
    }

    private static String notEmpty(String text) {
        if (text.isEmpty()) {
            throw new IllegalArgumentException("empty");
        }
        return text;
    }

    private static int port(String text) {
        var port = Integer.parseInt(text);
        if (port < 1 || port > MAX_PORT) {
            throw new IllegalArgumentException("not a port: " + text);
        }
        return port;
    }
}
