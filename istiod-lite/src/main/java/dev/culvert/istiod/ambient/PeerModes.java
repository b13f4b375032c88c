package dev.culvert.istiod.ambient;

import dev.culvert.kube.object.PeerAuthentication;
import dev.culvert.kube.object.PeerAuthentication.Mode;
import dev.culvert.kube.object.Problem;
import dev.culvert.protos.security.Action;
import dev.culvert.protos.security.Authorization;
import dev.culvert.protos.security.Clause;
import dev.culvert.protos.security.Match;
import dev.culvert.protos.security.Rule;
import dev.culvert.protos.security.Scope;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// Which pods accept plaintext, by all PeerAuthentications together, said as policies that deny whoever has no
/// identity.
final class PeerModes {
    static final String STRICT_NAME = "istio_converted_static_strict";
    static final String CONVERTED = "converted_peer_authentication_";
    private static final Comparator<PeerAuthentication> OLDEST = Comparator.comparing(
                    (PeerAuthentication one) -> one.metadata().created().orElse(Instant.MAX))
            .thenComparing(PeerAuthentication::name);

    private final Map<String, List<PeerAuthentication>> byNamespace;
    private final String rootNamespace;
    private final Map<String, Authorization> policies = new TreeMap<>();

    PeerModes(List<PeerAuthentication> all, String rootNamespace, PolicyReach reach, List<Problem> problems) {
        var sorted = all.stream().sorted(OLDEST).toList();
        this.byNamespace = sorted.stream().collect(Collectors.groupingBy(PeerAuthentication::namespace));
        this.rootNamespace = rootNamespace;
        if (!all.isEmpty()) {
            policies.put(strictKey(), authorization(rootNamespace, STRICT_NAME, List.of(rule(clause(anonymous())))));
        }
        for (var one : sorted) {
            ineffective(one).or(() -> reach.check(one, one.selector())).ifPresent(problems::add);
            converted(one).ifPresent(policy -> policies.put(convertedKey(one), policy));
        }
    }

    /// By resource name.
    Map<String, Authorization> policies() {
        return policies;
    }

    /// The policy that a workload has to list, if it does not accept all plaintext.
    Optional<String> key(String namespace, Map<String, String> labels) {
        var own = namespace.equals(rootNamespace)
                ? Optional.<PeerAuthentication>empty()
                : of(namespace).stream().filter(one -> one.selects(labels)).findFirst();
        var converted = own.map(this::convertedKey).filter(policies::containsKey);
        if (converted.isPresent()) {
            return converted;
        }
        var mode = own.map(this::base).orElseGet(() -> ofNamespace(namespace));
        return mode == Mode.STRICT ? Optional.of(strictKey()) : Optional.empty();
    }

    private String strictKey() {
        return rootNamespace + "/" + STRICT_NAME;
    }

    private String convertedKey(PeerAuthentication one) {
        return one.namespace() + "/" + CONVERTED + one.name();
    }

    private Mode base(PeerAuthentication selecting) {
        return selecting.mode() == Mode.UNSET ? ofNamespace(selecting.namespace()) : selecting.mode();
    }

    private Mode ofNamespace(String namespace) {
        return Stream.of(namespace, rootNamespace)
                .map(this::widest)
                .flatMap(Optional::stream)
                .map(PeerAuthentication::mode)
                .filter(mode -> mode != Mode.UNSET)
                .findFirst()
                .orElse(Mode.PERMISSIVE);
    }

    /// The oldest that is for the whole namespace.
    private Optional<PeerAuthentication> widest(String namespace) {
        return of(namespace).stream().filter(one -> one.selector().isEmpty()).findFirst();
    }

    private List<PeerAuthentication> of(String namespace) {
        return byNamespace.getOrDefault(namespace, List.of());
    }

    /// What a mode for single ports comes to, where it differs from the mode of the rest.
    private Optional<Authorization> converted(PeerAuthentication one) {
        if (one.selector().isEmpty() || one.namespace().equals(rootNamespace)) {
            return Optional.empty();
        }
        var strict = base(one) == Mode.STRICT;
        var differing = new TreeMap<>(one.ports())
                .entrySet().stream()
                        .filter(port -> port.getValue() != Mode.UNSET && (port.getValue() == Mode.STRICT) != strict)
                        .map(Map.Entry::getKey)
                        .toList();
        if (differing.isEmpty()) {
            return Optional.empty();
        }
        var rules = strict
                ? List.of(allBut(differing))
                : differing.stream().map(PeerModes::only).toList();
        return Optional.of(authorization(one.namespace(), CONVERTED + one.name(), rules));
    }

    private static Rule only(int port) {
        return rule(clause(anonymous().toBuilder().addDestinationPorts(port).build()));
    }

    private static Rule allBut(List<Integer> ports) {
        var rule = Rule.newBuilder().addClauses(clause(anonymous()));
        ports.forEach(port -> rule.addClauses(
                clause(Match.newBuilder().addNotDestinationPorts(port).build())));
        return rule.build();
    }

    private static Match anonymous() {
        return Match.newBuilder().addNotPrincipals(Strings.presence()).build();
    }

    private static Clause clause(Match match) {
        return Clause.newBuilder().addMatches(match).build();
    }

    private static Rule rule(Clause clause) {
        return Rule.newBuilder().addClauses(clause).build();
    }

    private static Authorization authorization(String namespace, String name, List<Rule> rules) {
        return Authorization.newBuilder()
                .setNamespace(namespace)
                .setName(name)
                .setScope(Scope.WORKLOAD_SELECTOR)
                .setAction(Action.DENY)
                .addAllRules(rules)
                .build();
    }

    private Optional<Problem> ineffective(PeerAuthentication one) {
        if (!one.selector().isEmpty() && one.namespace().equals(rootNamespace)) {
            return Optional.of(noEffect(
                    one,
                    "a selector means nothing in the root namespace " + rootNamespace,
                    "move it to the pods' namespace"));
        }
        return widest(one.namespace())
                .filter(winner -> one.selector().isEmpty() && !winner.equals(one))
                .map(winner -> noEffect(
                        one, winner.key() + " at " + winner.place() + " is older and wins", "remove one of them"));
    }

    private static Problem noEffect(PeerAuthentication one, String why, String fix) {
        return Problem.unused(one.place(), one.key().toString(), why, fix);
    }
}
