package dev.culvert.kube.read;

import dev.culvert.kube.object.HttpRoute;
import dev.culvert.kube.object.HttpRule;
import dev.culvert.kube.object.HttpRule.Action;
import dev.culvert.kube.object.HttpRule.Cors;
import dev.culvert.kube.object.HttpRule.Destination;
import dev.culvert.kube.object.HttpRule.Forward;
import dev.culvert.kube.object.HttpRule.Header;
import dev.culvert.kube.object.HttpRule.Headers;
import dev.culvert.kube.object.HttpRule.Match;
import dev.culvert.kube.object.HttpRule.Mirror;
import dev.culvert.kube.object.HttpRule.Named;
import dev.culvert.kube.object.HttpRule.PathChange;
import dev.culvert.kube.object.HttpRule.PortFrom;
import dev.culvert.kube.object.HttpRule.Redirect;
import dev.culvert.kube.object.HttpRule.Retry;
import dev.culvert.kube.object.HttpRule.Source;
import dev.culvert.kube.object.HttpRule.Text;
import dev.culvert.kube.object.HttpRule.TextKind;
import dev.culvert.kube.object.HttpRule.Unsupported;
import dev.culvert.kube.object.Kind;
import dev.culvert.kube.object.Metadata;
import dev.culvert.kube.object.ParentRef;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// Reads HTTPRoutes and GRPCRoutes. What is not supported yet refuses the rule's requests, or is left out with a
/// warning where it
/// decides nothing.
final class HttpRouteReader {
    private static final String GROUP = "gateway.networking.k8s.io";
    private static final Map<String, TextKind> PATHS =
            Map.of("Exact", TextKind.EXACT, "PathPrefix", TextKind.SEGMENTS, "RegularExpression", TextKind.REGEX);
    private static final Map<String, TextKind> VALUES =
            Map.of("Exact", TextKind.EXACT, "RegularExpression", TextKind.REGEX);
    private static final List<String> CONDITIONS =
            List.of("connect-failure", "refused-stream", "unavailable", "cancelled");
    private static final int DEFAULT_ATTEMPTS = 2;

    private HttpRouteReader() {}

    static HttpRoute route(Fields object, Metadata metadata) {
        return route(object, metadata, Kind.HTTP_ROUTE, HttpRouteReader::match);
    }

    static HttpRoute grpcRoute(Fields object, Metadata metadata) {
        return route(object, metadata, Kind.GRPC_ROUTE, HttpRouteReader::grpcMatch);
    }

    private static HttpRoute route(Fields object, Metadata metadata, Kind kind, Function<Fields, Match> matches) {
        object.knowing(KnownFields.OBJECT_SPEC);
        var spec = object.childOrEmpty("spec").knowing(RouteFields.HTTP_ROUTE);
        var parents = parents(spec, metadata, ParentRef::isGateway);
        return new HttpRoute(
                metadata,
                kind,
                parents,
                Hostnames.all(spec, "hostnames"),
                spec.children("rules").stream().map(rule -> rule(rule, matches)).toList(),
                object.place());
    }

    /// @param further parents that have an effect, beside Services and ServiceEntries
    static List<ParentRef> parents(Fields spec, Metadata metadata, Predicate<ParentRef> further) {
        var parents = spec.children("parentRefs").stream()
                .map(parent -> parent(parent, metadata))
                .toList();
        if (parents.stream().noneMatch(further.or(ParentRef::isCalled))) {
            spec.warning(
                    "parentRefs",
                    "a route of none of these parents is supported yet: this one has no effect",
                    "write a parentRef with group: \"\", kind: Service and its name");
        }
        return parents;
    }

    private static ParentRef parent(Fields parent, Metadata metadata) {
        parent.knowing(RouteFields.PARENT_REF);
        return new ParentRef(
                parent.text("group", GROUP),
                parent.text("kind", "Gateway"),
                parent.text("namespace", metadata.namespace()),
                parent.requiredText("name"),
                RuleFields.port(parent, "port"),
                parent.text("sectionName"));
    }

    private static HttpRule rule(Fields rule, Function<Fields, Match> matches) {
        rule.knowing(RouteFields.ROUTE_RULE);
        var filters = new Filters();
        rule.children("filters").forEach(filters::read);
        return new HttpRule(
                rule.text("name", ""),
                rule.children("matches").stream().map(matches).toList(),
                filters.request,
                filters.response,
                new HttpRule.Extras(
                        Optional.empty(),
                        filters.mirrors,
                        Optional.ofNullable(filters.cors),
                        rule.child("sessionPersistence").map(SessionReader::session)),
                filters.action(rule),
                rule.place());
    }

    /// A method is a path: `/service/method`.
    private static Match grpcMatch(Fields match) {
        match.knowing(RouteFields.GRPC_MATCH);
        var path = match.child("method").map(method -> {
            method.knowing(RouteFields.GRPC_METHOD);
            var regex = method.oneOf("type", VALUES).orElse(TextKind.EXACT) == TextKind.REGEX;
            var service = method.text("service", "");
            var name = method.text("method", "");
            if (regex) {
                return new Text(
                        TextKind.REGEX,
                        "/" + (service.isEmpty() ? "[^/]+" : service) + "/" + (name.isEmpty() ? ".+" : name));
            }
            if (service.isEmpty()) {
                return name.isEmpty()
                        ? new Text(TextKind.PREFIX, "/")
                        : new Text(TextKind.REGEX, "/[^/]+/" + Pattern.quote(name));
            }
            return name.isEmpty()
                    ? new Text(TextKind.PREFIX, "/" + service + "/")
                    : new Text(TextKind.EXACT, "/" + service + "/" + name);
        });
        return new Match(
                path,
                false,
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                named(match, "headers", true),
                List.of(),
                List.of(),
                Optional.empty(),
                Source.ANY,
                List.of());
    }

    private static Match match(Fields match) {
        match.knowing(RouteFields.ROUTE_MATCH);
        var path = match.child("path").map(value -> {
            value.knowing(RouteFields.TYPED_VALUE);
            var kind = value.oneOf("type", PATHS).orElse(TextKind.SEGMENTS);
            var text = value.text("value", "/");
            if (kind != TextKind.REGEX && !text.startsWith("/")) {
                value.error("value", value.named("value") + " must begin with /", "write /" + text);
            }
            return new Text(kind, text);
        });
        return new Match(
                path,
                false,
                match.text("method").map(method -> new Text(TextKind.EXACT, method)),
                Optional.empty(),
                Optional.empty(),
                named(match, "headers", true),
                List.of(),
                named(match, "queryParams", false),
                Optional.empty(),
                Source.ANY,
                List.of());
    }

    /// Of several with one name the first counts.
    private static List<Named> named(Fields match, String field, boolean lower) {
        var found = new ArrayList<Named>();
        var names = new HashSet<String>();
        for (var entry : match.children(field)) {
            entry.knowing(RouteFields.TYPED_VALUE);
            var name = entry.requiredText("name");
            var key = lower ? name.toLowerCase(Locale.ROOT) : name;
            if (names.add(key)) {
                var kind = entry.oneOf("type", VALUES).orElse(TextKind.EXACT);
                found.add(new Named(key, new Text(kind, entry.text("value", ""))));
            }
        }
        return found;
    }

    /// What the filters of a rule or backend amount to.
    private static final class Filters {
        private Headers request = Headers.NONE;
        private Headers response = Headers.NONE;
        private @Nullable Redirect redirect;
        private @Nullable String authority;
        private @Nullable PathChange path;
        private @Nullable String unsupported;
        private @Nullable Cors cors;
        private final List<Mirror> mirrors = new ArrayList<>();

        void read(Fields filter) {
            filter.knowing(RouteFields.ROUTE_FILTER);
            var type = filter.requiredText("type");
            switch (type) {
                case "RequestHeaderModifier" -> request = headers(filter.childOrEmpty("requestHeaderModifier"));
                case "ResponseHeaderModifier" -> response = headers(filter.childOrEmpty("responseHeaderModifier"));
                case "RequestRedirect" -> redirect = redirect(filter.childOrEmpty("requestRedirect"));
                case "URLRewrite" -> rewrite(filter.childOrEmpty("urlRewrite"));
                case "RequestMirror" -> mirrors.add(mirror(filter.childOrEmpty("requestMirror")));
                case "CORS" -> cors = cors(filter.childOrEmpty("cors"));
                default -> {
                    filter.warning(
                            "type",
                            "filter " + type + " is not supported yet: requests of this rule are refused with 500",
                            "remove it");
                    unsupported = "filter " + type;
                }
            }
        }

        private static Headers headers(Fields filter) {
            filter.knowing(RouteFields.HEADER_FILTER);
            return new Headers(
                    filter.texts("remove").stream()
                            .map(name -> RuleFields.headerName(filter, "remove", name))
                            .toList(),
                    list(filter, "set"),
                    list(filter, "add"));
        }

        private static List<Header> list(Fields filter, String field) {
            return filter.children(field).stream()
                    .map(entry -> entry.knowing(RouteFields.HEADER))
                    .map(entry -> RuleFields.header(entry, "name", entry.requiredText("name"), entry.text("value", "")))
                    .toList();
        }

        private static Mirror mirror(Fields filter) {
            filter.knowing(RouteFields.MIRROR_FILTER);
            var fraction = filter.child("fraction").map(part -> {
                part.knowing(RouteFields.FRACTION);
                var whole = part.integer("denominator", 1, Integer.MAX_VALUE).orElse(100);
                return (double) part.integer("numerator", 0, Integer.MAX_VALUE).orElse(0) / whole;
            });
            var percent = filter.integer("percent", 0, 100).map(value -> value / 100.0);
            var share = Math.min(1.0, fraction.or(() -> percent).orElse(1.0));
            return new Mirror(backend(filter.childOrEmpty("backendRef")), (int) (share * VirtualServiceExtras.ALL));
        }

        private static Cors cors(Fields filter) {
            filter.knowing(RouteFields.CORS_FILTER);
            return new Cors(
                    filter.texts("allowOrigins").stream().map(Filters::origin).toList(),
                    filter.texts("allowMethods"),
                    filter.texts("allowHeaders"),
                    filter.texts("exposeHeaders"),
                    Optional.of(Duration.ofSeconds(
                            filter.integer("maxAge", 1, Integer.MAX_VALUE).orElse(5))),
                    filter.flag("allowCredentials"),
                    true);
        }

        /// `*` is any origin that has a scheme and a host; inside of one it is any beginning of a host.
        private static Text origin(String text) {
            if (!text.contains("*")) {
                return new Text(TextKind.EXACT, text);
            }
            if (text.equals("*")) {
                return new Text(TextKind.REGEX, "[A-Za-z][A-Za-z0-9+.-]*://[^/]+");
            }
            var star = text.indexOf('*');
            return new Text(
                    TextKind.REGEX,
                    Pattern.quote(text.substring(0, star)) + "[^/]+" + Pattern.quote(text.substring(star + 1)));
        }

        private static Redirect redirect(Fields filter) {
            filter.knowing(RouteFields.REDIRECT_FILTER);
            return new Redirect(
                    filter.integer("statusCode", 301, 308).orElse(302),
                    filter.text("scheme", ""),
                    filter.text("hostname", ""),
                    RuleFields.port(filter, "port").orElse(0),
                    filter.has("scheme") ? PortFrom.SCHEME : PortFrom.DIALLED,
                    path(filter));
        }

        private void rewrite(Fields filter) {
            filter.knowing(RouteFields.REWRITE_FILTER);
            authority = filter.text("hostname").orElse(null);
            path = path(filter).orElse(null);
        }

        private static Optional<PathChange> path(Fields filter) {
            return filter.child("path").map(path -> {
                path.knowing(RouteFields.PATH_MODIFIER);
                var prefix = path.requiredText("type").equals("ReplacePrefixMatch");
                return new PathChange(prefix, path.text(prefix ? "replacePrefixMatch" : "replaceFullPath", ""));
            });
        }

        Action action(Fields rule) {
            if (unsupported != null) {
                return new Unsupported(unsupported);
            }
            if (redirect != null) {
                return redirect;
            }
            var timeouts = rule.childOrEmpty("timeouts").knowing(RouteFields.TIMEOUTS);
            var request = RuleFields.duration(timeouts, "request");
            var perTry = RuleFields.duration(timeouts, "backendRequest");
            var retry = rule.child("retry").map(fields -> retry(fields, perTry));
            return new Forward(
                    rule.children("backendRefs").stream()
                            .map(HttpRouteReader::backend)
                            .toList(),
                    request.or(() -> retry.isPresent() ? Optional.empty() : perTry),
                    retry,
                    Optional.ofNullable(authority),
                    Optional.ofNullable(path));
        }
    }

    private static Retry retry(Fields retry, Optional<Duration> perTry) {
        retry.knowing(RouteFields.ROUTE_RETRY);
        var codes = retry.integers("codes", 400, 599);
        return new Retry(
                retry.integer("attempts", 0, 100).orElse(DEFAULT_ATTEMPTS),
                perTry,
                CONDITIONS,
                codes,
                RuleFields.duration(retry, "backoff"),
                false);
    }

    static Destination backend(Fields backend) {
        backend.knowing(RouteFields.BACKEND_REF);
        var filters = new Filters();
        backend.children("filters").forEach(filters::read);
        var kind = backend.text("kind", "Service");
        var group = backend.text("group", "");
        var byName = kind.equals("Hostname") && group.equals("networking.istio.io");
        var broken = "";
        if (!byName && (!kind.equals("Service") || !group.isEmpty())) {
            broken = "a backend of kind " + kind + " is not supported";
        } else if (backend.text("name", "").contains(".") != byName) {
            broken = byName
                    ? "a backend of kind Hostname needs a name with a dot in it"
                    : "a Service's name has no dot; one that has is of kind Hostname, group networking.istio.io";
        } else if (byName && backend.has("namespace")) {
            broken = "a backend of kind Hostname has no namespace";
        } else if (filters.redirect != null
                || filters.path != null
                || filters.unsupported != null
                || filters.cors != null
                || !filters.mirrors.isEmpty()) {
            broken = "only filters that change headers or the host name of one backend are supported";
        } else if (!backend.has("port")) {
            broken = "the backend names no port";
        }
        if (!broken.isEmpty()) {
            backend.warning("kind", broken + ": its share of the requests is answered with 500", "correct it");
        }
        return new Destination(
                backend.requiredText("name"),
                backend.text("namespace", ""),
                RuleFields.port(backend, "port"),
                "",
                RuleFields.weight(backend, 1),
                filters.request,
                filters.response,
                Optional.ofNullable(filters.authority),
                broken);
    }
}
