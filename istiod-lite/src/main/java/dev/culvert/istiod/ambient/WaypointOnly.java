package dev.culvert.istiod.ambient;

import dev.culvert.kube.object.ObjectSet;
import dev.culvert.kube.object.Problem;
import dev.culvert.protos.security.Action;
import dev.culvert.protos.security.Authorization;
import dev.culvert.protos.security.Clause;
import dev.culvert.protos.security.Match;
import dev.culvert.protos.security.Rule;
import dev.culvert.protos.security.Scope;
import dev.culvert.protos.security.StringMatch;
import dev.culvert.protos.workload.Address;
import dev.culvert.protos.workload.GatewayAddress;
import dev.culvert.protos.workload.Port;
import dev.culvert.protos.workload.PortList;
import dev.culvert.protos.workload.Workload;
import dev.culvert.protos.workload.WorkloadOrBuilder;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/// What is governed by an L7 policy takes connections from its waypoint only: a DENY for each governed Service, on the
/// ports that it leads to, and for each governed pod. Without a waypoint it denies everyone. The names hold characters
/// that no object's name has.
final class WaypointOnly {
    private static final String NAME = "culvert_only_waypoint_";

    private record Governed(MeshService service, Waypoints.Binding binding) {
        /// An entry may have the name of a Service.
        String policyName() {
            return NAME + (service.isEntry() ? "_entry_" : "") + service.name();
        }
    }

    private final ObjectSet objects;
    private final TranslationSettings settings;
    private final Waypoints waypoints;
    /// By the Service's xDS name.
    private final Map<String, Governed> services = new TreeMap<>();

    private final Map<String, TreeSet<Integer>> targetPorts = new TreeMap<>();
    private final Map<String, Authorization> policies = new TreeMap<>();

    WaypointOnly(ObjectSet objects, TranslationSettings settings, Waypoints waypoints, EntryServices entries) {
        this.objects = objects;
        this.settings = settings;
        this.waypoints = waypoints;
        objects.services().forEach(service -> look(MeshService.of(service, settings)));
        entries.published().forEach(one -> look(MeshService.of(one)));
    }

    private void look(MeshService service) {
        var binding = waypoints.of(service);
        if (L7Targets.isGoverned(service, binding, objects, settings)) {
            services.put(service.key(), new Governed(service, binding));
        }
    }

    /// The waypoint that a host of a ServiceEntry is told with. Who answers for it may be outside of the mesh, where
    /// no node proxy refuses those who come past the waypoint; so those of the callers do where it is missing.
    Optional<GatewayAddress> gate(MeshService service) {
        var binding = waypoints.of(service);
        return binding.waypoint()
                .map(waypoints::address)
                .or(() -> Optional.ofNullable(services.get(service.key()))
                        .map(_ -> waypoints.nobody(service.namespace())));
    }

    /// The waypoint of who answers for what is governed, for those who call its own address: there is none, so that
    /// they are refused.
    Optional<GatewayAddress> around(WorkloadOrBuilder endpoint) {
        return endpoint.getServicesMap().keySet().stream().anyMatch(services::containsKey)
                ? Optional.of(waypoints.nobody(endpoint.getNamespace()))
                : Optional.empty();
    }

    /// The policies that a workload has to list, which are made as workloads come.
    List<String> keys(Waypoints.Binding own, Workload workload) {
        var keys = new ArrayList<String>();
        var called = services.isEmpty() ? Map.<String, PortList>of() : new TreeMap<>(workload.getServicesMap());
        called.forEach((name, ports) -> {
            var governed = services.get(name);
            if (governed != null && ports.getPortsCount() > 0) {
                var all = targetPorts.computeIfAbsent(name, _ -> new TreeSet<>());
                ports.getPortsList().stream().map(Port::getTargetPort).forEach(all::add);
                keys.add(put(governed.service.namespace(), governed.policyName(), governed.binding, all));
            }
        });
        if (L7Targets.ofGateway(own, objects, settings).stream().anyMatch(L7Targets::decides)) {
            keys.add(put(workload.getNamespace(), NAME + "_" + own.wanted().replace('/', '_'), own, Set.of()));
        }
        return keys;
    }

    /// @param ports empty for all
    private String put(String namespace, String name, Waypoints.Binding binding, Set<Integer> ports) {
        var rule = Rule.newBuilder();
        binding.waypoint()
                .map(waypoints::principal)
                .ifPresent(principal -> rule.addClauses(clause(Match.newBuilder()
                        .addNotPrincipals(StringMatch.newBuilder().setExact(principal)))));
        if (!ports.isEmpty()) {
            rule.addClauses(clause(Match.newBuilder().addAllDestinationPorts(ports)));
        }
        var key = namespace + "/" + name;
        policies.put(
                key,
                Authorization.newBuilder()
                        .setName(name)
                        .setNamespace(namespace)
                        .setScope(Scope.WORKLOAD_SELECTOR)
                        .setAction(Action.DENY)
                        .addRules(rule)
                        .build());
        return key;
    }

    private static Clause clause(Match.Builder match) {
        return Clause.newBuilder().addMatches(match).build();
    }

    Map<String, Authorization> policies() {
        return policies;
    }

    /// Other Services that lead to a governed port: their requests pass the waypoint without the policy.
    ///
    /// @param addresses of workloads
    void check(Collection<Address> addresses, List<Problem> problems) {
        if (services.isEmpty()) {
            return;
        }
        for (var address : addresses) {
            var workload = address.getWorkload();
            workload.getServicesMap().forEach((name, ports) -> {
                if (!services.containsKey(name)) {
                    ports.getPortsList().stream()
                            .flatMap(port -> governedBy(workload, port.getTargetPort()).stream())
                            .findFirst()
                            .ifPresent(governed -> problems.add(Problem.warning(
                                    governed.service.object().place(),
                                    governed.service.object().key().toString(),
                                    "an L7 policy governs it, but Service " + name
                                            + " leads to the same port of the same pods and is not governed",
                                    "bind the policy to that Service too, or to the waypoint's Gateway")));
                }
            });
        }
    }

    private Optional<Governed> governedBy(Workload workload, int targetPort) {
        return new TreeMap<>(workload.getServicesMap())
                .entrySet().stream()
                        .filter(entry -> services.containsKey(entry.getKey()))
                        .filter(entry -> entry.getValue().getPortsList().stream()
                                .anyMatch(port -> port.getTargetPort() == targetPort))
                        .map(entry -> services.get(entry.getKey()))
                        .findFirst();
    }
}
