package dev.culvert.istiod.grpc;

import com.google.protobuf.BoolValue;
import com.google.re2j.Pattern;
import dev.culvert.protos.envoy.HeaderMatcher;
import dev.culvert.protos.envoy.RegexMatcher;
import dev.culvert.protos.envoy.RouteMatch;
import dev.culvert.protos.envoy.StringMatcher;
import dev.culvert.protos.waypoint.NamedMatch;
import dev.culvert.protos.waypoint.PathMatch;
import dev.culvert.protos.waypoint.RequestMatch;
import dev.culvert.protos.waypoint.TextMatch;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// One match of a route as gRPC clients see it: they know path and metadata. What every call has alike (POST, no
/// query) is decided here; what a client cannot see is left out, and the result covers more calls than the author
/// meant.
final class Conditions {
    private static final int MAX_ALTERNATIVES = 32;
    private static final String METHOD = "POST";
    private static final String SCHEME = "http";
    private static final String IGNORING_CASE = "(?i)";
    /// Set by gRPC itself after the choice of a route.
    private static final Set<String> UNSEEN = Set.of("host", "te", "user-agent");

    /// Calls that match one of these.
    /// @param exact whether these are all that the author meant and no others
    record Covered(List<RouteMatch> alternatives, boolean exact) {
        static final Covered NOTHING = new Covered(List.of(), true);

        Covered {
            alternatives = List.copyOf(alternatives);
        }
    }

    private final Viewer viewer;
    private List<RouteMatch> alternatives = List.of();
    private boolean exact = true;

    private Conditions(Viewer viewer) {
        this.viewer = viewer;
    }

    static Covered of(RequestMatch match, Viewer viewer) {
        return new Conditions(viewer).covered(match);
    }

    /// Every call.
    static RouteMatch any() {
        return sensitive().setPrefix("").build();
    }

    private Covered covered(RequestMatch match) {
        if (neverHolds(match)) {
            return Covered.NOTHING;
        }
        alternatives = paths(match.getPath());
        exact &= !match.hasAuthority();
        match.getHeadersList().forEach(this::header);
        return new Covered(alternatives, exact);
    }

    private boolean neverHolds(RequestMatch match) {
        return (match.hasMethod() && !holds(match.getMethod(), METHOD))
                || (match.hasScheme() && !holds(match.getScheme(), SCHEME))
                || match.getQueryParametersList().stream().anyMatch(named -> !named.getInvert())
                || (!match.getSourceNamespace().isEmpty()
                        && !match.getSourceNamespace().equals(viewer.namespace()))
                || (match.hasSources() && !isAmong(match.getSources().getWorkloadsList()));
    }

    /// A caller that nobody knows may be one of them.
    private boolean isAmong(List<String> workloads) {
        if (viewer.workload().isEmpty()) {
            exact = false;
            return true;
        }
        return workloads.contains(viewer.workload());
    }

    private static boolean holds(TextMatch match, String text) {
        var value = match.getIgnoreCase() ? IGNORING_CASE : "";
        return switch (match.getKindCase()) {
            case EXACT -> Pattern.matches(value + Pattern.quote(match.getExact()), text);
            case PREFIX -> Pattern.matches(value + Pattern.quote(match.getPrefix()) + ".*", text);
            case SUFFIX -> Pattern.matches(value + ".*" + Pattern.quote(match.getSuffix()), text);
            case REGEX -> Pattern.matches(value + match.getRegex(), text);
            case PRESENT, TEMPLATE, KIND_NOT_SET -> true;
        };
    }

    // ---- path ----

    private static RouteMatch.Builder sensitive() {
        return RouteMatch.newBuilder().setCaseSensitive(BoolValue.of(true));
    }

    private static List<RouteMatch> paths(PathMatch path) {
        var to = RouteMatch.newBuilder().setCaseSensitive(BoolValue.of(!path.getIgnoreCase()));
        return switch (path.getKindCase()) {
            case EXACT -> List.of(to.setPath(path.getExact()).build());
            case PREFIX -> List.of(to.setPrefix(path.getPrefix()).build());
            case SEGMENTS -> segments(path.getSegments(), to);
            case REGEX ->
                List.of(to.setSafeRegex(regex(path.getRegex(), path.getIgnoreCase()))
                        .build());
            case KIND_NOT_SET -> List.of(any());
        };
    }

    private static List<RouteMatch> segments(String path, RouteMatch.Builder to) {
        var whole = path.endsWith("/") ? path.substring(0, path.length() - 1) : path;
        var below = to.clone().setPrefix(whole + "/").build();
        return whole.isEmpty() ? List.of(below) : List.of(to.setPath(whole).build(), below);
    }

    private static RegexMatcher regex(String expression, boolean ignoreCase) {
        return RegexMatcher.newBuilder()
                .setRegex(ignoreCase ? IGNORING_CASE + expression : expression)
                .build();
    }

    // ---- metadata ----

    private void header(NamedMatch header) {
        var name = header.getName();
        var choices = !header.getClaimList().isEmpty() || !isSeen(name)
                ? Optional.<List<HeaderMatcher>>empty()
                : choices(header);
        if (choices.isEmpty() || alternatives.size() * choices.get().size() > MAX_ALTERNATIVES) {
            exact = false;
            return;
        }
        var product = new ArrayList<RouteMatch>();
        for (var one : alternatives) {
            choices.get()
                    .forEach(choice ->
                            product.add(one.toBuilder().addHeaders(choice).build()));
        }
        alternatives = product;
    }

    private static boolean isSeen(String name) {
        return !name.startsWith(":") && !name.startsWith("grpc-") && !name.endsWith("-bin") && !UNSEEN.contains(name);
    }

    /// One of them must hold. For a client no text is that of a missing header, so its absence is a choice of its
    /// own.
    private static Optional<List<HeaderMatcher>> choices(NamedMatch header) {
        var to = HeaderMatcher.newBuilder().setName(header.getName());
        if (!header.hasValue()) {
            return Optional.of(List.of(
                    to.setPresentMatch(true).setInvertMatch(header.getInvert()).build()));
        }
        var absent = to.clone().setPresentMatch(true).setInvertMatch(true).build();
        return text(header.getValue()).map(value -> {
            var compared =
                    to.setStringMatch(value).setInvertMatch(header.getInvert()).build();
            return header.getInvert() ? List.of(absent, compared) : List.of(compared);
        });
    }

    private static Optional<StringMatcher> text(TextMatch match) {
        var to = StringMatcher.newBuilder();
        var ignoreCase = match.getIgnoreCase();
        return switch (match.getKindCase()) {
            case EXACT ->
                Optional.of(
                        to.setExact(match.getExact()).setIgnoreCase(ignoreCase).build());
            case PREFIX ->
                Optional.of(to.setPrefix(match.getPrefix())
                        .setIgnoreCase(ignoreCase)
                        .build());
            case SUFFIX ->
                Optional.of(to.setSuffix(match.getSuffix())
                        .setIgnoreCase(ignoreCase)
                        .build());
            case REGEX ->
                Optional.of(to.setSafeRegex(regex(match.getRegex(), ignoreCase)).build());
            case PRESENT -> Optional.of(to.setSafeRegex(regex("(?s).+", false)).build());
            case TEMPLATE, KIND_NOT_SET -> Optional.empty();
        };
    }
}
