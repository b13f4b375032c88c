package dev.culvert.waypoint.upstream;

import dev.culvert.mesh.model.identity.SpiffeId;
import dev.culvert.mesh.model.state.MeshSnapshot;
import dev.culvert.mesh.model.workload.LoadBalancing;
import dev.culvert.mesh.model.workload.NamespacedHostname;
import dev.culvert.mesh.model.workload.Service;
import dev.culvert.mesh.model.workload.Workload;
import dev.culvert.protos.waypoint.Backend;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Takes turns among the endpoints of each Service. Confined to one loop.
public final class Endpoints {
    private static final int MAX_TURNS = 10_000;

    private final Map<NamespacedHostname, Integer> turns = new HashMap<>();

    /// One endpoint.
    /// @param accepted whom it may be; for a workload that speaks HBONE
    public record Endpoint(Workload workload, InetSocketAddress address, Set<SpiffeId> accepted) {
        public Endpoint {
            accepted = Set.copyOf(accepted);
        }
    }

    /// @param tried workload uids not to choose again while there are others
    public Optional<Endpoint> choose(MeshSnapshot mesh, Backend backend, Set<String> tried) {
        var key = new NamespacedHostname(backend.getNamespace(), backend.getHostname());
        var service = mesh.service(key);
        if (service.isEmpty()) {
            return Optional.empty();
        }
        var all = eligible(mesh, service.get(), backend);
        var fresh =
                all.stream().filter(one -> !tried.contains(one.workload.uid())).toList();
        var from = fresh.isEmpty() ? all : fresh;
        if (from.isEmpty()) {
            return Optional.empty();
        }
        if (turns.size() > MAX_TURNS) {
            turns.clear();
        }
        var turn = turns.merge(key, 1, Integer::sum);
        return Optional.of(from.get(Math.floorMod(turn, from.size())));
    }

    private static List<Endpoint> eligible(MeshSnapshot mesh, Service service, Backend backend) {
        var subset = backend.hasSubset() ? Set.copyOf(backend.getSubset().getWorkloadsList()) : null;
        var found = new ArrayList<Endpoint>();
        for (var endpoint : mesh.endpoints(service.key()).values()) {
            var workload = mesh.workload(endpoint.workloadUid()).orElse(null);
            var own = endpoint.ports().getOrDefault(backend.getPort(), 0);
            var port = own != 0 ? own : service.ports().getOrDefault(backend.getPort(), 0);
            if (workload != null
                    && port != 0
                    && !workload.addresses().isEmpty()
                    && isHealthy(workload, service)
                    && (subset == null || subset.contains(workload.uid()))) {
                found.add(endpoint(workload, service, port));
            }
        }
        found.sort(Comparator.comparing(one -> one.workload.uid()));
        return found;
    }

    private static boolean isHealthy(Workload workload, Service service) {
        return workload.healthy() || service.loadBalancing().healthPolicy() == LoadBalancing.HealthPolicy.ALLOW_ALL;
    }

    private static Endpoint endpoint(Workload workload, Service service, int port) {
        var accepted = new HashSet<SpiffeId>();
        accepted.add(workload.identity());
        service.subjectAltNames().forEach(san -> SpiffeId.parse(san).ifPresent(accepted::add));
        return new Endpoint(workload, new InetSocketAddress(workload.addresses().getFirst(), port), accepted);
    }

    /// A pod that was called by its own address.
    public static Endpoint of(Workload workload, InetSocketAddress dialled) {
        return new Endpoint(workload, dialled, Set.of(workload.identity()));
    }
}
