package dev.culvert.istiod.waypoint;

import dev.culvert.kube.object.HttpRule;
import dev.culvert.kube.object.HttpRule.Delegate;
import dev.culvert.kube.object.HttpRule.Match;
import dev.culvert.kube.object.HttpRule.Text;
import dev.culvert.kube.object.HttpRule.TextKind;
import dev.culvert.kube.object.Kind;
import dev.culvert.kube.object.KubeObject;
import dev.culvert.kube.object.ObjectSet;
import dev.culvert.kube.object.Problem;
import dev.culvert.kube.object.VirtualService;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/// Puts the rules of delegates where a VirtualService names them: each within the conditions of the rule that
/// delegates.
/// One level, as in Istio.
final class Delegates {
    private static final int MAX_MATCHES = 4096;

    private final ObjectSet objects;
    private final List<Problem> problems;
    private final Set<KubeObject> used = new HashSet<>();

    /// @param author in whose namespace its names are
    /// @param index of the rule in its author
    record Resolved(VirtualService author, int index, HttpRule rule) {}

    Delegates(ObjectSet objects, List<Problem> problems) {
        this.objects = objects;
        this.problems = problems;
    }

    /// Those that somebody delegates to.
    Set<KubeObject> used() {
        return used;
    }

    /// @param gateway by which calls come, or `mesh`
    List<Resolved> rules(VirtualService root, String gateway) {
        var all = new ArrayList<Resolved>();
        for (var i = 0; i < root.rules().size(); i++) {
            var said = root.rules().get(i).by(gateway);
            if (said.isEmpty()) {
                continue;
            }
            var rule = said.get();
            if (rule.action() instanceof Delegate delegate) {
                all.addAll(delegated(new Resolved(root, i, rule), delegate, gateway));
            } else {
                all.add(new Resolved(root, i, rule));
            }
        }
        return all;
    }

    private List<Resolved> delegated(Resolved from, Delegate to, String gateway) {
        var root = from.author;
        var rule = from.rule;
        var namespace = to.namespace().isEmpty() ? root.namespace() : to.namespace();
        var found = objects.find(VirtualService.class, Kind.VIRTUAL_SERVICE, namespace, to.name());
        if (found.isEmpty() || !found.get().hosts().isEmpty()) {
            problems.add(Problem.error(
                    rule.place(),
                    root.key().toString(),
                    (found.isEmpty() ? "there is no VirtualService " : "hosts must be empty in VirtualService ")
                            + namespace + "/" + to.name() + " to delegate to: the rule's requests are refused with 503",
                    "correct the delegate"));
            return List.of(from);
        }
        used.add(found.get());
        var all = new ArrayList<Resolved>();
        for (var i = 0; i < found.get().rules().size(); i++) {
            var own = found.get().rules().get(i);
            if (own.action() instanceof Delegate) {
                problems.add(Problem.error(
                        own.place(),
                        found.get().key().toString(),
                        "a delegate delegates no further: the rule's requests are refused with 503",
                        "write the rules here"));
            }
            own.by(gateway)
                    .flatMap(mine -> merged(rule, mine, found.get()))
                    .ifPresent(one -> all.add(new Resolved(found.get(), all.size(), one)));
        }
        return all;
    }

    /// Empty if the two can never hold at once.
    private Optional<HttpRule> merged(HttpRule root, HttpRule own, VirtualService delegate) {
        var matches = matches(root, own);
        if (matches.size() > MAX_MATCHES
                || (matches.isEmpty()
                        && !(root.matches().isEmpty() && own.matches().isEmpty()))) {
            problems.add(Problem.warning(
                    own.place(),
                    delegate.key().toString(),
                    "has no effect: its conditions lie outside of those of the rule that delegates to it",
                    "write conditions that are part of the other's"));
            return Optional.empty();
        }
        return Optional.of(new HttpRule(
                own.name().isEmpty() ? root.name() : own.name(),
                matches,
                joined(root.request(), own.request()),
                joined(root.response(), own.response()),
                extras(root.extras(), own.extras()),
                own.action(),
                own.place()));
    }

    private static List<Match> matches(HttpRule root, HttpRule own) {
        if (root.matches().isEmpty()) {
            return own.matches();
        }
        if (own.matches().isEmpty()) {
            return root.matches();
        }
        return root.matches().stream()
                .flatMap(outer -> own.matches().stream().flatMap(inner -> both(outer, inner).stream()))
                .limit(MAX_MATCHES + 1L)
                .toList();
    }

    /// Paths must be nested; of other single conditions the delegate's may be the same or only one of the two is there.
    private static Optional<Match> both(Match outer, Match inner) {
        if (outer.path().isPresent()
                && inner.path().isPresent()
                && !isWithin(outer.path().get(), inner.path().get())) {
            return Optional.empty();
        }
        var clash = isClash(outer.method(), inner.method())
                || isClash(outer.scheme(), inner.scheme())
                || isClash(outer.authority(), inner.authority())
                || isClash(outer.port(), inner.port());
        var source = source(outer.source(), inner.source());
        if (clash || source.isEmpty()) {
            return Optional.empty();
        }
        return Optional.of(new Match(
                inner.path().or(outer::path),
                inner.path().isPresent() ? inner.ignorePathCase() : outer.ignorePathCase(),
                inner.method().or(outer::method),
                inner.scheme().or(outer::scheme),
                inner.authority().or(outer::authority),
                concat(outer.headers(), inner.headers()),
                concat(outer.withoutHeaders(), inner.withoutHeaders()),
                concat(outer.queryParameters(), inner.queryParameters()),
                inner.port().or(outer::port),
                source.get(),
                List.of()));
    }

    private static boolean isWithin(Text outer, Text inner) {
        return switch (outer.kind()) {
            case PRESENT -> true;
            case EXACT, REGEX -> inner.equals(outer);
            case PREFIX, SEGMENTS ->
                inner.kind() != TextKind.REGEX && inner.value().startsWith(outer.value());
        };
    }

    private static boolean isClash(Optional<?> outer, Optional<?> inner) {
        return outer.isPresent() && inner.isPresent() && !outer.equals(inner);
    }

    private static Optional<HttpRule.Source> source(HttpRule.Source outer, HttpRule.Source inner) {
        if (!outer.namespace().isEmpty()
                && !inner.namespace().isEmpty()
                && !outer.namespace().equals(inner.namespace())) {
            return Optional.empty();
        }
        var labels = new HashMap<>(outer.labels());
        labels.putAll(inner.labels());
        return labels.entrySet().containsAll(outer.labels().entrySet())
                ? Optional.of(new HttpRule.Source(
                        labels, inner.namespace().isEmpty() ? outer.namespace() : inner.namespace()))
                : Optional.empty();
    }

    private static HttpRule.Headers joined(HttpRule.Headers root, HttpRule.Headers own) {
        return new HttpRule.Headers(
                concat(root.remove(), own.remove()), concat(root.set(), own.set()), concat(root.add(), own.add()));
    }

    private static HttpRule.Extras extras(HttpRule.Extras root, HttpRule.Extras own) {
        return new HttpRule.Extras(
                own.fault().or(root::fault),
                own.mirrors().isEmpty() ? root.mirrors() : own.mirrors(),
                own.cors().or(root::cors),
                own.session().or(root::session));
    }

    private static <T> List<T> concat(List<T> some, List<T> more) {
        return Stream.concat(some.stream(), more.stream()).toList();
    }
}
