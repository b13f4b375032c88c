package dev.culvert.istiod.waypoint;

import com.google.protobuf.ByteString;
import com.google.protobuf.Duration;
import com.google.re2j.Pattern;
import com.google.re2j.PatternSyntaxException;
import dev.culvert.istiod.ambient.MeshService;
import dev.culvert.istiod.ambient.TranslationSettings;
import dev.culvert.istiod.ambient.WorkloadTranslation;
import dev.culvert.kube.object.HttpRule;
import dev.culvert.kube.object.HttpRule.PathChange;
import dev.culvert.kube.object.HttpRule.Text;
import dev.culvert.kube.object.HttpRule.TextKind;
import dev.culvert.kube.object.KubeObject;
import dev.culvert.kube.object.ObjectSet;
import dev.culvert.kube.object.Problem;
import dev.culvert.protos.waypoint.Backend;
import dev.culvert.protos.waypoint.Cookie;
import dev.culvert.protos.waypoint.Cors;
import dev.culvert.protos.waypoint.DirectResponse;
import dev.culvert.protos.waypoint.Fault;
import dev.culvert.protos.waypoint.Forward;
import dev.culvert.protos.waypoint.HashKey;
import dev.culvert.protos.waypoint.Header;
import dev.culvert.protos.waypoint.HeaderOperations;
import dev.culvert.protos.waypoint.LoadBalancer;
import dev.culvert.protos.waypoint.Mirror;
import dev.culvert.protos.waypoint.NamedMatch;
import dev.culvert.protos.waypoint.PathMatch;
import dev.culvert.protos.waypoint.Redirect;
import dev.culvert.protos.waypoint.RegexRewrite;
import dev.culvert.protos.waypoint.RequestMatch;
import dev.culvert.protos.waypoint.Retry;
import dev.culvert.protos.waypoint.Rewrite;
import dev.culvert.protos.waypoint.Route;
import dev.culvert.protos.waypoint.Sources;
import dev.culvert.protos.waypoint.TextMatch;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Turns the rules of one object into routes of a port.
final class RuleTranslation {
    /// Where the routes are used.
    /// @param called null at the edge of the mesh
    /// @param waypointNamespace of the Gateway whose pods use them
    record At(@Nullable MeshService called, String waypointNamespace, int port) {}

    private final ObjectSet objects;
    private final TranslationSettings settings;
    private final List<Problem> problems;
    private final Destinations destinations;
    private final KubeObject object;

    RuleTranslation(
            ObjectSet objects,
            TranslationSettings settings,
            List<Problem> problems,
            Destinations destinations,
            KubeObject object) {
        this.destinations = destinations;
        this.objects = objects;
        this.settings = settings;
        this.problems = problems;
        this.object = object;
    }

    /// What a request gets whose rule cannot be carried out.
    static int refusal(KubeObject object) {
        return object instanceof dev.culvert.kube.object.Route ? 500 : 503;
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
        rule.extras().cors().ifPresent(cors -> to.setCors(cors(cors, rule)));
        rule.extras().fault().ifPresent(fault -> to.setFault(fault(fault)));
        switch (rule.action()) {
            case HttpRule.Forward forward
            when forward.newPath()
                    .filter(path -> !isExpression(path.regex(), rule, "its requests are refused"))
                    .isPresent() ->
                to.setDirectResponse(DirectResponse.newBuilder().setStatus(refusal(object)));
            case HttpRule.Forward forward -> {
                to.setForward(forward(forward, rule, at));
                mirrors(rule, at).forEach(to::addMirrors);
            }
            case HttpRule.Redirect redirect -> to.setRedirect(redirect(redirect));
            case HttpRule.Respond respond ->
                to.setDirectResponse(DirectResponse.newBuilder()
                        .setStatus(respond.status())
                        .setBody(ByteString.copyFromUtf8(respond.body())));
            case HttpRule.Unsupported _, HttpRule.Delegate _ ->
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
            match.headers().forEach(named -> to.addHeaders(header(named)));
            match.withoutHeaders().forEach(named -> to.addHeaders(header(named).setInvert(true)));
            source(match.source(), to);
            match.queryParameters().forEach(named -> to.addQueryParameters(named(named)));
            return Optional.of(to.build());
        } catch (PatternSyntaxException bad) {
            problems.add(badExpression(bad, rule, "its condition matches nothing"));
            return Optional.empty();
        }
    }

    /// Pods are told by their uids: a waypoint knows no labels.
    private void source(HttpRule.Source source, RequestMatch.Builder to) {
        to.setSourceNamespace(source.namespace());
        if (!source.labels().isEmpty()) {
            to.setSources(Sources.newBuilder()
                    .addAllWorkloads(objects.pods().stream()
                            .filter(pod -> pod.metadata()
                                            .labels()
                                            .entrySet()
                                            .containsAll(source.labels().entrySet())
                                    && !pod.finished())
                            .map(pod -> WorkloadTranslation.uid(pod, settings))
                            .sorted()
                            .toList()));
        }
    }

    private static NamedMatch.Builder header(HttpRule.Named named) {
        var to = named(named);
        return named.name().startsWith("@") ? to.addAllClaim(PolicyRules.claim(named.name())) : to;
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
        var backends = new Backends(objects, destinations, problems, object);
        var to = Forward.newBuilder();
        var several = forward.destinations().size() > 1;
        for (var destination : forward.destinations()) {
            var backend = backends.translate(destination, rule.place(), at);
            // A lone destination of a VirtualService takes everything, whatever its weight.
            var weight = several || object instanceof dev.culvert.kube.object.Route ? destination.weight() : 1;
            rule.extras().session().ifPresent(session -> stick(backend, session));
            to.addBackends(backend.setWeight(weight));
        }
        to.setSticky(rule.extras().session().isPresent());
        forward.timeout().filter(timeout -> !timeout.isZero()).ifPresent(timeout -> to.setTimeout(duration(timeout)));
        to.setRetry(forward.retry().map(RuleTranslation::retry).orElseGet(() -> MeshDefaults.retry(objects, settings)));
        if (forward.newAuthority().isPresent() || forward.newPath().isPresent()) {
            var rewrite = Rewrite.newBuilder();
            forward.newAuthority().ifPresent(rewrite::setAuthority);
            forward.newPath().ifPresent(path -> {
                if (!path.regex().isEmpty()) {
                    rewrite.setRegex(
                            RegexRewrite.newBuilder().setPattern(path.regex()).setSubstitution(path.value()));
                } else if (path.prefixOnly()) {
                    rewrite.setPrefix(path.value());
                } else {
                    rewrite.setFull(path.value());
                }
            });
            to.setRewrite(rewrite);
        }
        return to.build();
    }

    /// A session goes before what a DestinationRule says of balancing.
    private static void stick(Backend.Builder backend, HttpRule.Session session) {
        backend.getTrafficBuilder()
                .getLoadBalancerBuilder()
                .setKind(LoadBalancer.Kind.RING_HASH)
                .setHash(
                        session.byHeader()
                                ? HashKey.newBuilder().setSessionHeader(session.name())
                                : HashKey.newBuilder()
                                        .setCookie(Cookie.newBuilder()
                                                .setName(session.name())
                                                .setPath("/")
                                                .setTtl(duration(session.lifetime()))));
    }

    private boolean isExpression(String text, HttpRule rule, String effect) {
        try {
            return !checked(text).isEmpty() || text.isEmpty();
        } catch (PatternSyntaxException bad) {
            problems.add(badExpression(bad, rule, effect));
            return false;
        }
    }

    private Problem badExpression(PatternSyntaxException bad, HttpRule rule, String effect) {
        return Problem.error(
                rule.place(),
                object.key().toString(),
                "\"" + bad.getPattern() + "\" is not an RE2 expression (" + bad.getDescription() + "): " + effect,
                "correct it; RE2 has no look-around and no back references");
    }

    // ---- beside the way ----

    /// A copy that has nowhere to go is not made.
    private List<Mirror> mirrors(HttpRule rule, At at) {
        var backends = new Backends(objects, destinations, problems, object);
        return rule.extras().mirrors().stream()
                .map(mirror -> Mirror.newBuilder()
                        .setShare(mirror.share())
                        .setBackend(backends.translate(mirror.to(), rule.place(), at)
                                .setWeight(1))
                        .build())
                .filter(mirror -> mirror.getBackend().getBrokenStatus() == 0)
                .toList();
    }

    private static Fault fault(HttpRule.Fault fault) {
        var to = Fault.newBuilder()
                .setDelay(duration(fault.delay()))
                .setDelayShare(fault.delayShare())
                .setAbortStatus(fault.abortStatus())
                .setAbortShare(fault.abortShare());
        fault.abortGrpcStatus().ifPresent(to::setAbortGrpcStatus);
        return to.build();
    }

    private Cors cors(HttpRule.Cors cors, HttpRule rule) {
        var to = Cors.newBuilder()
                .addAllOrigins(cors.origins().stream()
                        .filter(one -> one.kind() != TextKind.REGEX
                                || isExpression(one.value(), rule, "no origin is allowed by it"))
                        .map(RuleTranslation::text)
                        .toList())
                .addAllMethods(cors.methods())
                .addAllHeaders(cors.headers())
                .addAllExposeHeaders(cors.exposeHeaders())
                .setCredentials(cors.credentials())
                .setAnswerAllPreflights(cors.answerAll());
        cors.maxAge().ifPresent(time -> to.setMaxAge(duration(time)));
        return to.build();
    }

    static Retry retry(HttpRule.Retry retry) {
        var to = Retry.newBuilder()
                .setAttempts(retry.attempts())
                .addAllConditions(
                        retry.conditions().isEmpty() && retry.codes().isEmpty()
                                ? MeshDefaults.RETRY_CONDITIONS
                                : retry.conditions())
                .addAllStatusCodes(retry.codes())
                .setSameEndpoint(retry.sameEndpoint());
        retry.perTryTimeout().filter(one -> !one.isZero()).ifPresent(one -> to.setPerTryTimeout(duration(one)));
        retry.backoff().ifPresent(one -> to.setBackoff(duration(one)));
        return to.build();
    }

    private static Redirect redirect(HttpRule.Redirect redirect) {
        var to = Redirect.newBuilder()
                .setStatus(redirect.code())
                .setScheme(redirect.scheme())
                .setAuthority(redirect.authority())
                .setPort(redirect.port())
                .setPortFrom(
                        switch (redirect.portFrom()) {
                            case SENT -> Redirect.PortFrom.SENT;
                            case SCHEME -> Redirect.PortFrom.SCHEME;
                            case DIALLED -> Redirect.PortFrom.DIALLED;
                        });
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

    static Duration duration(java.time.Duration duration) {
        return Duration.newBuilder()
                .setSeconds(duration.toSeconds())
                .setNanos(duration.toNanosPart())
                .build();
    }
}
