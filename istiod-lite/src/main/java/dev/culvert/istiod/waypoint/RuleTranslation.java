package dev.culvert.istiod.waypoint;

import com.google.protobuf.ByteString;
import com.google.protobuf.Duration;
import com.google.re2j.Pattern;
import com.google.re2j.PatternSyntaxException;
import dev.culvert.istiod.ambient.TranslationSettings;
import dev.culvert.kube.object.HttpRoute;
import dev.culvert.kube.object.HttpRule;
import dev.culvert.kube.object.HttpRule.PathChange;
import dev.culvert.kube.object.HttpRule.Text;
import dev.culvert.kube.object.HttpRule.TextKind;
import dev.culvert.kube.object.KubeObject;
import dev.culvert.kube.object.ObjectSet;
import dev.culvert.kube.object.Problem;
import dev.culvert.kube.object.Service;
import dev.culvert.protos.waypoint.DirectResponse;
import dev.culvert.protos.waypoint.Forward;
import dev.culvert.protos.waypoint.Header;
import dev.culvert.protos.waypoint.HeaderOperations;
import dev.culvert.protos.waypoint.NamedMatch;
import dev.culvert.protos.waypoint.PathMatch;
import dev.culvert.protos.waypoint.Redirect;
import dev.culvert.protos.waypoint.RequestMatch;
import dev.culvert.protos.waypoint.Retry;
import dev.culvert.protos.waypoint.Rewrite;
import dev.culvert.protos.waypoint.Route;
import dev.culvert.protos.waypoint.TextMatch;
import java.util.List;
import java.util.Optional;

/// Turns the rules of one object into routes of a port.
final class RuleTranslation {
    /// Where the routes are used.
    record At(Service service, String waypointNamespace, int port) {}

    private final ObjectSet objects;
    private final TranslationSettings settings;
    private final List<Problem> problems;
    private final KubeObject object;

    RuleTranslation(ObjectSet objects, TranslationSettings settings, List<Problem> problems, KubeObject object) {
        this.objects = objects;
        this.settings = settings;
        this.problems = problems;
        this.object = object;
    }

    /// What a request gets whose rule cannot be carried out.
    static int refusal(KubeObject object) {
        return object instanceof HttpRoute ? 500 : 503;
    }

    /// Empty if none of its conditions can hold here.
    Optional<Route> translate(HttpRule rule, int index, At at) {
        var matches = rule.matches().stream()
                .filter(match -> match.port().map(port -> port == at.port).orElse(true))
                .flatMap(match -> match(match, rule).stream())
                .toList();
        if (matches.isEmpty() && !rule.matches().isEmpty()) {
            return Optional.empty();
        }
        var to = Route.newBuilder()
                .setName(rule.name().isEmpty() ? object.namespace() + "." + object.name() + "." + index : rule.name())
                .addAllMatches(matches)
                .setRequestHeaders(headers(rule.request()))
                .setResponseHeaders(headers(rule.response()));
        switch (rule.action()) {
            case HttpRule.Forward forward -> to.setForward(forward(forward, rule, at));
            case HttpRule.Redirect redirect -> to.setRedirect(redirect(redirect));
            case HttpRule.Respond respond ->
                to.setDirectResponse(DirectResponse.newBuilder()
                        .setStatus(respond.status())
                        .setBody(ByteString.copyFromUtf8(respond.body())));
            case HttpRule.Unsupported _ ->
                to.setDirectResponse(DirectResponse.newBuilder().setStatus(refusal(object)));
        }
        return Optional.of(to.build());
    }

    // ---- conditions ----

    /// Empty if an expression in it is not one of RE2: then it matches nothing.
    private Optional<RequestMatch> match(HttpRule.Match match, HttpRule rule) {
        try {
            var to = RequestMatch.newBuilder();
            match.path().ifPresent(path -> to.setPath(path(path).setIgnoreCase(match.ignorePathCase())));
            match.method().ifPresent(text -> to.setMethod(text(text)));
            match.scheme().ifPresent(text -> to.setScheme(text(text)));
            match.authority().ifPresent(text -> to.setAuthority(text(text)));
            match.headers().forEach(named -> to.addHeaders(named(named)));
            match.withoutHeaders().forEach(named -> to.addHeaders(named(named).setInvert(true)));
            match.queryParameters().forEach(named -> to.addQueryParameters(named(named)));
            return Optional.of(to.build());
        } catch (PatternSyntaxException bad) {
            problems.add(Problem.error(
                    rule.place(),
                    object.key().toString(),
                    "\"" + bad.getPattern() + "\" is not an RE2 expression (" + bad.getDescription()
                            + "): its condition matches nothing",
                    "correct it; RE2 has no look-around and no back references"));
            return Optional.empty();
        }
    }

    private static PathMatch.Builder path(Text path) {
        var to = PathMatch.newBuilder();
        return switch (path.kind()) {
            case EXACT -> to.setExact(path.value());
            case PREFIX -> to.setPrefix(path.value());
            case SEGMENTS -> to.setSegments(path.value());
            case REGEX -> to.setRegex(checked(path.value()));
            case PRESENT -> to.setPrefix("/");
        };
    }

    private static TextMatch text(Text text) {
        var to = TextMatch.newBuilder();
        return switch (text.kind()) {
            case EXACT -> to.setExact(text.value()).build();
            case PREFIX, SEGMENTS -> to.setPrefix(text.value()).build();
            case REGEX -> to.setRegex(checked(text.value())).build();
            case PRESENT -> to.setPresent(true).build();
        };
    }

    private static String checked(String regex) {
        return Pattern.compile(regex).pattern();
    }

    private static NamedMatch.Builder named(HttpRule.Named named) {
        var to = NamedMatch.newBuilder().setName(named.name());
        return named.text().kind() == TextKind.PRESENT ? to : to.setValue(text(named.text()));
    }

    // ---- actions ----

    private Forward forward(HttpRule.Forward forward, HttpRule rule, At at) {
        var backends = new Backends(objects, settings, problems, object);
        var to = Forward.newBuilder();
        var several = forward.destinations().size() > 1;
        for (var destination : forward.destinations()) {
            var backend = backends.translate(destination, rule, at);
            // A lone destination of a VirtualService takes everything, whatever its weight.
            var weight = several || object instanceof HttpRoute ? destination.weight() : 1;
            to.addBackends(backend.setWeight(weight));
        }
        forward.timeout().filter(timeout -> !timeout.isZero()).ifPresent(timeout -> to.setTimeout(duration(timeout)));
        to.setRetry(forward.retry().map(RuleTranslation::retry).orElseGet(RouteTables::defaultRetry));
        if (forward.newAuthority().isPresent() || forward.newPath().isPresent()) {
            var rewrite = Rewrite.newBuilder();
            forward.newAuthority().ifPresent(rewrite::setAuthority);
            forward.newPath().ifPresent(path -> {
                if (path.prefixOnly()) {
                    rewrite.setPrefix(path.value());
                } else {
                    rewrite.setFull(path.value());
                }
            });
            to.setRewrite(rewrite);
        }
        return to.build();
    }

    private static Retry retry(HttpRule.Retry retry) {
        var to = Retry.newBuilder()
                .setAttempts(retry.attempts())
                .addAllConditions(
                        retry.conditions().isEmpty() && retry.codes().isEmpty()
                                ? RouteTables.RETRY_CONDITIONS
                                : retry.conditions())
                .addAllStatusCodes(retry.codes());
        retry.perTryTimeout().filter(one -> !one.isZero()).ifPresent(one -> to.setPerTryTimeout(duration(one)));
        retry.backoff().ifPresent(one -> to.setBackoff(duration(one)));
        return to.build();
    }

    private static Redirect redirect(HttpRule.Redirect redirect) {
        var to = Redirect.newBuilder()
                .setStatus(redirect.code())
                .setScheme(redirect.scheme())
                .setAuthority(redirect.authority())
                .setPort(redirect.port());
        redirect.newPath().ifPresent(path -> setPath(to, path));
        return to.build();
    }

    private static void setPath(Redirect.Builder to, PathChange path) {
        if (path.prefixOnly()) {
            to.setPrefix(path.value());
        } else {
            to.setFull(path.value());
        }
    }

    static HeaderOperations headers(HttpRule.Headers headers) {
        return HeaderOperations.newBuilder()
                .addAllRemove(headers.remove())
                .addAllSet(headers.set().stream().map(RuleTranslation::header).toList())
                .addAllAdd(headers.add().stream().map(RuleTranslation::header).toList())
                .build();
    }

    private static Header header(HttpRule.Header header) {
        return Header.newBuilder()
                .setName(header.name())
                .setValue(header.value())
                .build();
    }

    private static Duration duration(java.time.Duration duration) {
        return Duration.newBuilder()
                .setSeconds(duration.toSeconds())
                .setNanos(duration.toNanosPart())
                .build();
    }
}
