package dev.culvert.istiod.waypoint;

import dev.culvert.kube.object.HttpRoute;
import dev.culvert.kube.object.HttpRule;
import dev.culvert.kube.object.HttpRule.Match;
import dev.culvert.kube.object.HttpRule.Source;
import dev.culvert.protos.waypoint.DirectResponse;
import dev.culvert.protos.waypoint.RequestMatch;
import dev.culvert.protos.waypoint.Route;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;

/// The rules of HTTPRoutes and GRPCRoutes, one route for each match, in order of how specific they are.
final class HttpRoutes {
    private static final int NOT_FOUND = 404;

    private final Function<HttpRoute, RuleTranslation> translations;

    HttpRoutes(Function<HttpRoute, RuleTranslation> translations) {
        this.translations = translations;
    }

    /// Routes of the Service's namespace.
    List<Route> ofEverybody(List<HttpRoute> httpRoutes, RuleTranslation.At at) {
        return translate(httpRoutes, at, Source.ANY);
    }

    /// Routes of other namespaces, each for the callers of its own only: these are led by them and by no others.
    List<Route> ofConsumers(List<HttpRoute> httpRoutes, RuleTranslation.At at) {
        var byNamespace = new TreeMap<String, List<HttpRoute>>();
        httpRoutes.forEach(one -> byNamespace
                .computeIfAbsent(one.namespace(), _ -> new ArrayList<>())
                .add(one));
        var routes = new ArrayList<Route>();
        byNamespace.forEach((namespace, ofOne) -> {
            routes.addAll(translate(ofOne, at, new Source(Map.of(), namespace)));
            routes.add(nothing(namespace));
        });
        return routes;
    }

    /// What is left of a namespace's requests when none of its routes matches.
    private static Route nothing(String namespace) {
        return Route.newBuilder()
                .setName(namespace + ".none")
                .addMatches(RequestMatch.newBuilder().setSourceNamespace(namespace))
                .setDirectResponse(DirectResponse.newBuilder().setStatus(NOT_FOUND))
                .build();
    }

    private List<Route> translate(List<HttpRoute> httpRoutes, RuleTranslation.At at, Source source) {
        var candidates = new ArrayList<Candidate>();
        for (var one : httpRoutes) {
            var translation = translations.apply(one);
            for (var i = 0; i < one.rules().size(); i++) {
                var rule = one.rules().get(i);
                for (var match : rule.matches().isEmpty() ? List.of(Match.ANY) : rule.matches()) {
                    translation
                            .translate(only(rule, match.from(source)), i, at)
                            .ifPresent(route -> candidates.add(new Candidate(route, match)));
                }
            }
        }
        return candidates.stream().sorted(MOST_SPECIFIC).map(Candidate::route).toList();
    }

    private static HttpRule only(HttpRule rule, Match match) {
        return new HttpRule(
                rule.name(),
                List.of(match),
                rule.request(),
                rule.response(),
                rule.extras(),
                rule.action(),
                rule.place());
    }

    /// One match of one rule: they are sorted one by one.
    private record Candidate(Route route, Match match) {
        int pathRank() {
            return match.path()
                    .map(path -> switch (path.kind()) {
                        case EXACT -> 0;
                        case PREFIX, SEGMENTS -> 1;
                        case REGEX -> 2;
                        case PRESENT -> 3;
                    })
                    .orElse(1);
        }

        int pathLength() {
            return match.path().map(path -> path.value().length()).orElse(1);
        }
    }

    /// Exact paths before prefixes before expressions, longer before shorter, then method, headers, query parameters;
    /// else as they came: oldest first.
    private static final Comparator<Candidate> MOST_SPECIFIC = Comparator.comparingInt(Candidate::pathRank)
            .thenComparing(Comparator.comparingInt(Candidate::pathLength).reversed())
            .thenComparing(one -> one.match.method().isEmpty())
            .thenComparing(Comparator.comparingInt(
                            (Candidate one) -> one.match.headers().size())
                    .reversed())
            .thenComparing(Comparator.comparingInt(
                            (Candidate one) -> one.match.queryParameters().size())
                    .reversed());
}
