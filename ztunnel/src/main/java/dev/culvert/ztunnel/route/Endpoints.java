package dev.culvert.ztunnel.route;

import dev.culvert.mesh.model.state.Endpoint;
import dev.culvert.mesh.model.state.MeshSnapshot;
import dev.culvert.mesh.model.workload.LoadBalancing;
import dev.culvert.mesh.model.workload.Service;
import dev.culvert.mesh.model.workload.Workload;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.random.RandomGenerator;

/// The choice of one endpoint of a service (Istio's modes; random, weighted by capacity).
final class Endpoints {
    /// An endpoint that may be chosen, with the target port for the wanted service port.
    record Candidate(Workload workload, int targetPort) {}

    private final MeshSnapshot mesh;
    private final Workload client;
    private final Set<String> excluded;
    private final RandomGenerator random;

    /// @param excluded workload uids not to choose again
    Endpoints(MeshSnapshot mesh, Workload client, Set<String> excluded, RandomGenerator random) {
        this.mesh = mesh;
        this.client = client;
        this.excluded = excluded;
        this.random = random;
    }

    /// @param waypoint whether a waypoint's own address is being resolved: its port need not be a service port
    Optional<Candidate> choose(Service service, int servicePort, boolean waypoint) {
        if (!waypoint && !service.ports().containsKey(servicePort)) {
            return Optional.empty();
        }
        var eligible = new ArrayList<Candidate>();
        for (var endpoint : mesh.endpoints(service.key()).values()) {
            candidate(service, endpoint, servicePort).ifPresent(eligible::add);
        }
        return pick(preferred(eligible, service.loadBalancing()));
    }

    private Optional<Candidate> candidate(Service service, Endpoint endpoint, int servicePort) {
        var workload = mesh.workload(endpoint.workloadUid()).orElse(null);
        if (workload == null || excluded.contains(workload.uid()) || !isUsable(workload, service)) {
            return Optional.empty();
        }
        var target = targetPort(service, endpoint, workload, servicePort);
        return target == 0 ? Optional.empty() : Optional.of(new Candidate(workload, target));
    }

    private boolean isUsable(Workload workload, Service service) {
        var healthy =
                workload.healthy() || service.loadBalancing().healthPolicy() == LoadBalancing.HealthPolicy.ALLOW_ALL;
        var reachable = !workload.addresses().isEmpty()
                || !workload.hostname().isEmpty()
                || (!workload.network().equals(client.network())
                        && workload.tunnel().networkGateway() != null);
        return healthy && reachable;
    }

    /// The endpoint's own mapping wins over the service's (named ports).
    private static int targetPort(Service service, Endpoint endpoint, Workload workload, int servicePort) {
        var own = endpoint.ports().getOrDefault(servicePort, 0);
        if (own != 0) {
            return own;
        }
        var common = service.ports().getOrDefault(servicePort, 0);
        if (common != 0) {
            return common;
        }
        var tunnel = workload.tunnel().application();
        return tunnel != null && tunnel.port() != 0 ? servicePort : 0;
    }

    private List<Candidate> preferred(List<Candidate> eligible, LoadBalancing balancing) {
        return switch (balancing.mode()) {
            case STANDARD, PASSTHROUGH -> eligible;
            case STRICT ->
                eligible.stream()
                        .filter(candidate -> rank(candidate.workload, balancing.routingPreferences())
                                == balancing.routingPreferences().size())
                        .toList();
            case FAILOVER -> highestRank(eligible, balancing.routingPreferences());
        };
    }

    private List<Candidate> highestRank(List<Candidate> eligible, List<LoadBalancing.Scope> scopes) {
        var best = eligible.stream()
                .mapToInt(candidate -> failoverRank(candidate.workload, scopes))
                .max()
                .orElse(0);
        return eligible.stream()
                .filter(candidate -> failoverRank(candidate.workload, scopes) == best)
                .toList();
    }

    /// With NETWORK first, any endpoint of the own network beats any remote one, and remote ones are still compared
    /// by the scopes that follow.
    private int failoverRank(Workload workload, List<LoadBalancing.Scope> scopes) {
        if (scopes.isEmpty() || scopes.getFirst() != LoadBalancing.Scope.NETWORK) {
            return rank(workload, scopes);
        }
        var rest = rank(workload, scopes.subList(1, scopes.size()));
        return same(workload, LoadBalancing.Scope.NETWORK) ? scopes.size() + rest : rest;
    }

    private int rank(Workload workload, List<LoadBalancing.Scope> scopes) {
        var matched = 0;
        while (matched < scopes.size() && same(workload, scopes.get(matched))) {
            matched++;
        }
        return matched;
    }

    private boolean same(Workload workload, LoadBalancing.Scope scope) {
        var here = client.place();
        var there = workload.place();
        return switch (scope) {
            case REGION -> here.locality().region().equals(there.locality().region());
            case ZONE -> here.locality().zone().equals(there.locality().zone());
            case SUBZONE -> here.locality().subzone().equals(there.locality().subzone());
            case NODE -> here.node().equals(there.node());
            case CLUSTER -> here.clusterId().equals(there.clusterId());
            case NETWORK -> here.network().equals(there.network());
        };
    }

    private Optional<Candidate> pick(List<Candidate> candidates) {
        var total = candidates.stream()
                .mapToLong(candidate -> candidate.workload.capacity())
                .sum();
        if (total <= 0) {
            return Optional.empty();
        }
        var ticket = random.nextLong(total);
        for (var candidate : candidates) {
            ticket -= candidate.workload.capacity();
            if (ticket < 0) {
                return Optional.of(candidate);
            }
        }
        return Optional.empty();
    }
}
