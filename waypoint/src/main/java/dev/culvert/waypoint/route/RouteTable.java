package dev.culvert.waypoint.route;

import com.google.re2j.Pattern;
import dev.culvert.protos.waypoint.Backend;
import dev.culvert.protos.waypoint.NamedMatch;
import dev.culvert.protos.waypoint.PathMatch;
import dev.culvert.protos.waypoint.RequestMatch;
import dev.culvert.protos.waypoint.Route;
import dev.culvert.protos.waypoint.TextMatch;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// The routes of one port of a Service, compiled. Immutable.
public final class RouteTable implements HostedRoutes {
    private final List<Compiled> routes;

    /// A route, and how much of the path its match covered.
    /// @param prefix what a prefix rewrite replaces; empty if the match was none of a prefix
    public record Chosen(CompiledRoute compiled, String prefix) {
        public Route route() {
            return compiled.route();
        }

        /// Instead of the request's own, if it is to be another for a backend.
        public Optional<String> authority(Backend backend) {
            var rewrite = route().getForward().getRewrite();
            if (backend.hasAuthority()) {
                return Optional.of(backend.getAuthority());
            }
            return rewrite.hasAuthority() ? Optional.of(rewrite.getAuthority()) : Optional.empty();
        }

        /// Instead of a request's own path, if it is to be another.
        public Optional<String> path(String own) {
            var rewrite = route().getForward().getRewrite();
            return switch (rewrite.getPathCase()) {
                case FULL -> Optional.of(rewrite.getFull());
                case PREFIX ->
                    Optional.of(
                            prefix.isEmpty()
                                    ? rewrite.getPrefix()
                                    : PathRewrite.replacePrefix(own, prefix, rewrite.getPrefix()));
                case REGEX -> Optional.ofNullable(compiled.regex()).map(regex -> regex.rewrite(own));
                case PATH_NOT_SET -> Optional.empty();
            };
        }
    }

    private record Compiled(CompiledRoute route, List<Match> matches) {}

    /// @throws IllegalArgumentException for what cannot be understood
    public RouteTable(List<Route> routes) {
        this.routes = routes.stream()
                .map(route -> new Compiled(
                        CompiledRoute.of(route),
                        route.getMatchesList().stream().map(Match::new).toList()))
                .toList();
    }

    @Override
    public RouteTable of(String authority) {
        return this;
    }

    @Override
    public boolean isMisdirected(String authority, String listener) {
        return false;
    }

    /// In their order.
    @Override
    public List<CompiledRoute> all() {
        return routes.stream().map(Compiled::route).toList();
    }

    /// The first that matches.
    public Optional<Chosen> choose(RequestView request) {
        for (var route : routes) {
            if (route.matches.isEmpty()) {
                return Optional.of(new Chosen(route.route, "/"));
            }
            for (var match : route.matches) {
                if (match.holds(request)) {
                    return Optional.of(new Chosen(route.route, match.prefix(request)));
                }
            }
        }
        return Optional.empty();
    }

    private static final class Match {
        private final @Nullable PathMatch path;
        private final @Nullable Pattern pathRegex;
        private final @Nullable TextMatcher method;
        private final @Nullable TextMatcher scheme;
        private final @Nullable TextMatcher authority;
        private final List<Named> headers;
        private final List<Named> queryParameters;
        private final @Nullable Set<String> sources;
        private final String sourceNamespace;

        Match(RequestMatch match) {
            path = match.hasPath() ? match.getPath() : null;
            if (path != null && path.getKindCase() == PathMatch.KindCase.KIND_NOT_SET) {
                throw new IllegalArgumentException("a path match of an unknown kind");
            }
            pathRegex = path != null && path.hasRegex() ? TextMatcher.compile(path.getRegex()) : null;
            method = matcher(match.hasMethod(), match.getMethod());
            scheme = matcher(match.hasScheme(), match.getScheme());
            authority = matcher(match.hasAuthority(), match.getAuthority());
            headers = match.getHeadersList().stream().map(Named::new).toList();
            queryParameters =
                    match.getQueryParametersList().stream().map(Named::new).toList();
            sources = match.hasSources() ? Set.copyOf(match.getSources().getWorkloadsList()) : null;
            sourceNamespace = match.getSourceNamespace();
        }

        private static @Nullable TextMatcher matcher(boolean present, TextMatch match) {
            return present ? new TextMatcher(match) : null;
        }

        boolean holds(RequestView request) {
            return holdsPath(request.path())
                    && (sources == null || sources.contains(request.callerWorkload()))
                    && (sourceNamespace.isEmpty() || sourceNamespace.equals(request.callerNamespace()))
                    && (method == null || method.matches(request.method()))
                    && (scheme == null || scheme.matches(request.scheme()))
                    && (authority == null || authority.matches(request.authority()))
                    && headers.stream().allMatch(named -> named.holdsHeader(request))
                    && queryParameters.stream().allMatch(named -> named.holdsParameter(request.query()));
        }

        private boolean holdsPath(String given) {
            if (path == null) {
                return true;
            }
            if (pathRegex != null) {
                return pathRegex.matches(given);
            }
            var one = fold(given);
            var wanted = fold(value());
            return switch (path.getKindCase()) {
                case EXACT -> one.equals(wanted);
                case PREFIX -> one.startsWith(wanted);
                case SEGMENTS -> one.equals(wanted) || one.startsWith(wanted.endsWith("/") ? wanted : wanted + "/");
                case REGEX, KIND_NOT_SET -> false;
            };
        }

        private String value() {
            if (path == null) {
                return "";
            }
            return switch (path.getKindCase()) {
                case EXACT -> path.getExact();
                case PREFIX -> path.getPrefix();
                case SEGMENTS -> {
                    var text = path.getSegments();
                    yield text.length() > 1 && text.endsWith("/") ? text.substring(0, text.length() - 1) : text;
                }
                case REGEX, KIND_NOT_SET -> "";
            };
        }

        private String fold(String text) {
            return path != null && path.getIgnoreCase() ? text.toLowerCase(Locale.ROOT) : text;
        }

        String prefix(RequestView request) {
            if (path == null) {
                return "/";
            }
            return path.hasPrefix() || path.hasSegments()
                    ? request.path()
                            .substring(
                                    0, Math.min(value().length(), request.path().length()))
                    : "";
        }
    }

    private static final class Named {
        private final String name;
        private final @Nullable TextMatcher value;
        private final boolean invert;
        private final List<String> claim;

        Named(NamedMatch match) {
            name = match.getName();
            value = match.hasValue() ? new TextMatcher(match.getValue()) : null;
            invert = match.getInvert();
            claim = match.getClaimList();
        }

        /// Several values count as one, joined by commas.
        boolean holdsHeader(RequestView request) {
            if (!claim.isEmpty()) {
                return holdsClaim(request) != invert;
            }
            var values = request.header(name);
            var holds = !values.isEmpty() && (value == null || value.matches(String.join(",", values)));
            return holds != invert;
        }

        /// One of its values must match.
        private boolean holdsClaim(RequestView request) {
            var values = request.claim(claim);
            return value == null ? !values.isEmpty() : values.stream().anyMatch(value::matches);
        }

        boolean holdsParameter(String query) {
            var found = QueryParameters.first(query, name);
            return found.map(text -> value == null || value.matches(text)).orElse(false) != invert;
        }
    }
}
