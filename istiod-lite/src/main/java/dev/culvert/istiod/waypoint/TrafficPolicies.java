package dev.culvert.istiod.waypoint;

import dev.culvert.istiod.ambient.MeshService;
import dev.culvert.istiod.ambient.MeshServices;
import dev.culvert.istiod.ambient.TranslationSettings;
import dev.culvert.kube.object.DestinationRule;
import dev.culvert.kube.object.DestinationRule.Policies;
import dev.culvert.kube.object.ObjectSet;
import dev.culvert.kube.object.Problem;
import dev.culvert.kube.object.TrafficPolicy;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// Which DestinationRule is for a Service, and what it says of a port and a subset.
final class TrafficPolicies {
    private final ObjectSet objects;
    private final MeshServices services;
    private final TranslationSettings settings;
    private final Map<String, List<DestinationRule>> byHost;
    private final List<DestinationRule> ofWildcards;
    private final Set<DestinationRule> used = new HashSet<>();

    TrafficPolicies(ObjectSet objects, TranslationSettings settings, MeshServices services) {
        this.objects = objects;
        this.services = services;
        this.settings = settings;
        var all = objects.all(DestinationRule.class);
        byHost = all.stream().filter(rule -> !isWildcard(rule)).collect(Collectors.groupingBy(this::name));
        ofWildcards = all.stream().filter(TrafficPolicies::isWildcard).toList();
    }

    private static boolean isWildcard(DestinationRule rule) {
        return rule.host().startsWith("*");
    }

    /// The labels of a subset.
    Optional<Map<String, String>> subset(MeshService service, String name, String waypointNamespace) {
        return rules(service, waypointNamespace).stream()
                .flatMap(rule -> Optional.ofNullable(rule.subsets().get(name)).stream())
                .map(DestinationRule.Subset::labels)
                .findFirst();
    }

    /// Empty if nothing is said.
    Optional<dev.culvert.protos.waypoint.TrafficPolicy> of(
            MeshService service, int port, String subset, String waypointNamespace) {
        var to = TrafficTranslation.translate(said(service, port, subset, waypointNamespace)).toBuilder();
        if (!to.getPool().hasConnectTimeout()) {
            MeshDefaults.connect(objects, settings)
                    .ifPresent(time -> to.getPoolBuilder().setConnectTimeout(RuleTranslation.duration(time)));
        }
        return Optional.of(to.build())
                .filter(policy -> !policy.equals(dev.culvert.protos.waypoint.TrafficPolicy.getDefaultInstance()));
    }

    /// What DestinationRules say.
    TrafficPolicy said(MeshService service, int port, String subset, String waypointNamespace) {
        var rules = rules(service, waypointNamespace);
        if (rules.isEmpty()) {
            return TrafficPolicy.NONE;
        }
        var top = rules.getFirst().policies();
        var own = rules.stream()
                .flatMap(rule -> Optional.ofNullable(rule.subsets().get(subset)).stream())
                .map(DestinationRule.Subset::policies)
                .findFirst()
                .orElse(Policies.NONE);
        return merged(top, own, port);
    }

    /// A port's entry replaces the policy that it stands in; a subset's blocks replace those of the whole.
    private static TrafficPolicy merged(Policies top, Policies subset, int port) {
        var ofPort = subset.ports().get(port);
        if (ofPort != null) {
            return ofPort;
        }
        return subset.all().over(top.ports().getOrDefault(port, top.all()));
    }

    /// Of the first of these namespaces that has any: the waypoint's, the Service's, the root. The whole name comes
    /// before wildcards, the longest first; of several with one name the oldest is the first and the others only
    /// add their subsets.
    private List<DestinationRule> rules(MeshService service, String waypointNamespace) {
        var hostname = service.hostname();
        for (var namespace : List.of(waypointNamespace, service.namespace(), settings.rootNamespace())) {
            var found = Stream.concat(
                            byHost.getOrDefault(hostname, List.of()).stream(),
                            ofWildcards.stream().filter(rule -> hostname.endsWith(suffix(rule))))
                    .filter(rule -> rule.namespace().equals(namespace)
                            && MeshDefaults.shows(rule, waypointNamespace, objects, settings))
                    .sorted(Comparator.comparing(TrafficPolicies::isWildcard)
                            .thenComparing(Comparator.comparingInt((DestinationRule rule) ->
                                            rule.host().length())
                                    .reversed())
                            .thenComparing(RouteTables.OLDEST))
                    .toList();
            if (!found.isEmpty()) {
                var all = sameHost(found);
                used.addAll(all);
                return all;
            }
        }
        return List.of();
    }

    /// Names those that nobody has asked for.
    void check(List<Problem> problems) {
        for (var rule : objects.all(DestinationRule.class)) {
            if (!used.contains(rule) && !rule.host().isEmpty()) {
                var known = isWildcard(rule) ? services.isAnyEndingIn(suffix(rule)) : services.isKnown(name(rule));
                problems.add(Problem.unused(
                        rule.place(),
                        rule.key().toString(),
                        known
                                ? "no waypoint sends requests to " + rule.host() + " by what it says"
                                : "there is no Service " + rule.host() + ", and no ServiceEntry has that host",
                        known
                                ? "label the Service or its namespace istio.io/use-waypoint: NAME, write the rule in its"
                                        + " namespace or the waypoint's, and look at exportTo and at other rules of that host;"
                                        + " gRPC clients that dial xds:/// need no waypoint"
                                : "correct the host"));
            }
        }
    }

    private List<DestinationRule> sameHost(List<DestinationRule> found) {
        var first = name(found.getFirst());
        return found.stream()
                .filter(rule -> name(rule).equals(first))
                .sorted(RouteTables.OLDEST)
                .toList();
    }

    private String name(DestinationRule rule) {
        return RouteTables.full(rule.host(), rule.namespace(), settings);
    }

    private String suffix(DestinationRule rule) {
        return name(rule).substring(1);
    }
}
