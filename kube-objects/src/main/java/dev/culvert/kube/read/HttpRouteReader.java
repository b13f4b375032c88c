package dev.culvert.kube.read;

import dev.culvert.kube.object.HttpRoute;
import dev.culvert.kube.object.HttpRule;
import dev.culvert.kube.object.HttpRule.Action;
import dev.culvert.kube.object.HttpRule.Destination;
import dev.culvert.kube.object.HttpRule.Forward;
import dev.culvert.kube.object.HttpRule.Header;
import dev.culvert.kube.object.HttpRule.Headers;
import dev.culvert.kube.object.HttpRule.Match;
import dev.culvert.kube.object.HttpRule.Named;
import dev.culvert.kube.object.HttpRule.PathChange;
import dev.culvert.kube.object.HttpRule.Redirect;
import dev.culvert.kube.object.HttpRule.Retry;
import dev.culvert.kube.object.HttpRule.Text;
import dev.culvert.kube.object.HttpRule.TextKind;
import dev.culvert.kube.object.HttpRule.Unsupported;
import dev.culvert.kube.object.Metadata;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Reads HTTPRoutes. What is not supported yet refuses the rule's requests, or is left out with a warning where it
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
        object.knowing(KnownFields.OBJECT_SPEC);
        var spec = object.childOrEmpty("spec").knowing(KnownFields.HTTP_ROUTE);
        var parents = spec.children("parentRefs").stream()
                .map(parent -> parent(parent, metadata))
                .toList();
        if (parents.stream().noneMatch(HttpRoute.Parent::isService)) {
            spec.warning(
                    "parentRefs",
                    "only routes of a Service are supported yet: this one has no effect",
                    "write a parentRef with group: \"\", kind: Service and its name");
        }
        return new HttpRoute(
                metadata,
                parents,
                spec.children("rules").stream().map(HttpRouteReader::rule).toList(),
                object.place());
    }

    private static HttpRoute.Parent parent(Fields parent, Metadata metadata) {
        parent.knowing(KnownFields.PARENT_REF);
        return new HttpRoute.Parent(
                parent.text("group", GROUP),
                parent.text("kind", "Gateway"),
                parent.text("namespace", metadata.namespace()),
                parent.requiredText("name"),
                RuleFields.port(parent, "port"));
    }

    private static HttpRule rule(Fields rule) {
        rule.knowing(KnownFields.ROUTE_RULE);
        var filters = new Filters();
        rule.children("filters").forEach(filters::read);
        if (rule.has("sessionPersistence")) {
            rule.warning(
                    "sessionPersistence",
                    rule.named("sessionPersistence") + " is not supported yet: it has no effect",
                    "remove it");
        }
        return new HttpRule(
                rule.text("name", ""),
                rule.children("matches").stream().map(HttpRouteReader::match).toList(),
                filters.request,
                filters.response,
                filters.action(rule),
                rule.place());
    }

    private static Match match(Fields match) {
        match.knowing(KnownFields.ROUTE_MATCH);
        var path = match.child("path").map(value -> {
            value.knowing(KnownFields.TYPED_VALUE);
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
                Optional.empty());
    }

    /// Of several with one name the first counts.
    private static List<Named> named(Fields match, String field, boolean lower) {
        var found = new ArrayList<Named>();
        var names = new HashSet<String>();
        for (var entry : match.children(field)) {
            entry.knowing(KnownFields.TYPED_VALUE);
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

        void read(Fields filter) {
            filter.knowing(KnownFields.ROUTE_FILTER);
            var type = filter.requiredText("type");
            switch (type) {
                case "RequestHeaderModifier" -> request = headers(filter.childOrEmpty("requestHeaderModifier"));
                case "ResponseHeaderModifier" -> response = headers(filter.childOrEmpty("responseHeaderModifier"));
                case "RequestRedirect" -> redirect = redirect(filter.childOrEmpty("requestRedirect"));
                case "URLRewrite" -> rewrite(filter.childOrEmpty("urlRewrite"));
                case "RequestMirror", "CORS" ->
                    filter.warning(
                            "type",
                            "filter " + type + " is not supported yet: requests pass as if it were not there",
                            "remove it");
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
            filter.knowing(KnownFields.HEADER_FILTER);
            return new Headers(
                    filter.texts("remove").stream()
                            .map(name -> RuleFields.headerName(filter, "remove", name))
                            .toList(),
                    list(filter, "set"),
                    list(filter, "add"));
        }

        private static List<Header> list(Fields filter, String field) {
            return filter.children(field).stream()
                    .map(entry -> entry.knowing(KnownFields.HEADER))
                    .map(entry -> RuleFields.header(entry, "name", entry.requiredText("name"), entry.text("value", "")))
                    .toList();
        }

        private static Redirect redirect(Fields filter) {
            filter.knowing(KnownFields.REDIRECT_FILTER);
            return new Redirect(
                    filter.integer("statusCode", 301, 308).orElse(302),
                    filter.text("scheme", ""),
                    filter.text("hostname", ""),
                    RuleFields.port(filter, "port").orElse(0),
                    path(filter));
        }

        private void rewrite(Fields filter) {
            filter.knowing(KnownFields.REWRITE_FILTER);
            authority = filter.text("hostname").orElse(null);
            path = path(filter).orElse(null);
        }

        private static Optional<PathChange> path(Fields filter) {
            return filter.child("path").map(path -> {
                path.knowing(KnownFields.PATH_MODIFIER);
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
            var timeouts = rule.childOrEmpty("timeouts").knowing(KnownFields.TIMEOUTS);
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
        retry.knowing(KnownFields.ROUTE_RETRY);
        var codes = retry.integers("codes", 400, 599);
        return new Retry(
                retry.integer("attempts", 0, 100).orElse(DEFAULT_ATTEMPTS),
                perTry,
                CONDITIONS,
                codes,
                RuleFields.duration(retry, "backoff"));
    }

    private static Destination backend(Fields backend) {
        backend.knowing(KnownFields.BACKEND_REF);
        var filters = new Filters();
        backend.children("filters").forEach(filters::read);
        var kind = backend.text("kind", "Service");
        var group = backend.text("group", "");
        var broken = "";
        if (!kind.equals("Service") || !group.isEmpty()) {
            broken = "a backend of kind " + kind + " is not supported";
        } else if (filters.redirect != null || filters.authority != null || filters.unsupported != null) {
            broken = "only header filters of one backend are supported";
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
                broken);
    }
}
