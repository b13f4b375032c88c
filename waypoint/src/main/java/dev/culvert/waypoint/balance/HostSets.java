package dev.culvert.waypoint.balance;

import dev.culvert.mesh.model.identity.SpiffeId;
import dev.culvert.mesh.model.state.MeshSnapshot;
import dev.culvert.mesh.model.workload.GatewayAddress;
import dev.culvert.mesh.model.workload.LoadBalancing;
import dev.culvert.mesh.model.workload.NamespacedHostname;
import dev.culvert.mesh.model.workload.Service;
import dev.culvert.mesh.model.workload.Workload;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// Makes a [HostSet] of what the mesh says, of ejections and of the time.
final class HostSets {
    private static final int HBONE_PORT = 15008;
    private static final long FOREVER = 3_600_000_000_000L;
    private static final long WARMUP_STEP = 500_000_000L;
    /// A level spills over when less than 100/140 of it is healthy, as in Envoy.
    private static final double OVERPROVISIONING = 1.4;

    private final MeshSnapshot mesh;
    private final ClusterSpec spec;
    private final @Nullable Workload self;
    private final long nowNanos;

    /// @param self this waypoint, if the mesh knows it
    HostSets(MeshSnapshot mesh, ClusterSpec spec, @Nullable Workload self, long nowNanos) {
        this.mesh = mesh;
        this.spec = spec;
        this.self = self;
        this.nowNanos = nowNanos;
    }

    /// @param hosts what is remembered of an endpoint, by uid
    HostSet make(int generation, Function<String, Host> hosts) {
        var service = service();
        if (service.isEmpty()) {
            return new HostSet(mesh, spec, generation, nowNanos + FOREVER, 0, List.of());
        }
        var localities =
                new Localities(spec.traffic().locality(), self, service.get().loadBalancing());
        var members = members(service.get(), hosts);
        var byPriority = new TreeMap<Integer, List<HostSet.Member>>();
        for (var member : members) {
            var priority = localities.priority(member.endpoint().workload());
            if (priority >= 0) {
                byPriority.computeIfAbsent(priority, _ -> new ArrayList<>()).add(member);
            }
        }
        return new HostSet(
                mesh,
                spec,
                generation,
                nowNanos + validNanos(members),
                members.size(),
                levels(List.copyOf(byPriority.values()), localities.shares()));
    }

    // ---- who there is ----

    private Optional<Service> service() {
        return mesh.service(
                new NamespacedHostname(spec.key().namespace(), spec.key().hostname()));
    }

    /// All that the mesh has.
    List<HostSet.Member> members(Function<String, Host> hosts) {
        return service().map(service -> members(service, hosts)).orElse(List.of());
    }

    private List<HostSet.Member> members(Service service, Function<String, Host> hosts) {
        var found = spec.throughWaypoint() ? ofWaypoint(service, hosts) : own(service, hosts);
        found.sort(Comparator.comparing(one -> one.endpoint().workload().uid()));
        return found;
    }

    /// Pods of the Service's waypoint; none if it has no waypoint or no address to ask for.
    private List<HostSet.Member> ofWaypoint(Service service, Function<String, Host> hosts) {
        var found = new ArrayList<HostSet.Member>();
        var waypoint = service.waypoint().flatMap(this::waypoint);
        if (waypoint.isEmpty() || service.vips().isEmpty()) {
            return found;
        }
        var called = new InetSocketAddress(
                service.vips().getFirst().address(), spec.key().port());
        for (var endpoint : mesh.endpoints(waypoint.get().key()).values()) {
            var workload = mesh.workload(endpoint.workloadUid()).orElse(null);
            if (workload != null
                    && !workload.addresses().isEmpty()
                    && workload.speaksHbone(HBONE_PORT)
                    && isHealthy(workload, waypoint.get())) {
                var pod = endpoint(workload, waypoint.get(), HBONE_PORT);
                found.add(new HostSet.Member(
                        hosts.apply(workload.uid()), new Endpoint(workload, pod.address(), pod.accepted(), called)));
            }
        }
        return found;
    }

    private Optional<Service> waypoint(GatewayAddress address) {
        return switch (address.destination()) {
            case GatewayAddress.ByHostname(var name) -> mesh.service(name);
            case GatewayAddress.ByAddress(var at) -> mesh.serviceAt(at.network(), at.address(), "");
        };
    }

    private List<HostSet.Member> own(Service service, Function<String, Host> hosts) {
        var found = new ArrayList<HostSet.Member>();
        for (var endpoint : mesh.endpoints(service.key()).values()) {
            var workload = mesh.workload(endpoint.workloadUid()).orElse(null);
            var own = endpoint.ports().getOrDefault(spec.key().port(), 0);
            var port = own != 0 ? own : service.ports().getOrDefault(spec.key().port(), 0);
            if (workload != null
                    && port != 0
                    && workload.capacity() > 0
                    && (!workload.addresses().isEmpty() || !workload.hostname().isEmpty())
                    && isHealthy(workload, service)
                    && (spec.workloads() == null || spec.workloads().contains(workload.uid()))) {
                found.add(new HostSet.Member(hosts.apply(workload.uid()), endpoint(workload, service, port)));
            }
        }
        return found;
    }

    private static boolean isHealthy(Workload workload, Service service) {
        return workload.healthy() || service.loadBalancing().healthPolicy() == LoadBalancing.HealthPolicy.ALLOW_ALL;
    }

    private static Endpoint endpoint(Workload workload, Service service, int port) {
        var accepted = new HashSet<SpiffeId>();
        accepted.add(workload.identity());
        service.subjectAltNames().forEach(san -> SpiffeId.parse(san).ifPresent(accepted::add));
        var address = workload.addresses().isEmpty()
                ? InetSocketAddress.createUnresolved(workload.hostname(), port)
                : new InetSocketAddress(workload.addresses().getFirst(), port);
        return new Endpoint(workload, address, accepted);
    }

    /// Until the first ejection ends or somebody has warmed up a bit more.
    private long validNanos(List<HostSet.Member> members) {
        var valid = FOREVER;
        for (var member : members) {
            var ejected = member.host().ejectedForNanos(nowNanos);
            if (ejected > 0) {
                valid = Math.min(valid, ejected);
            }
            if (member.host().ageNanos(nowNanos) < spec.traffic().warmup().nanos()) {
                valid = Math.min(valid, WARMUP_STEP);
            }
        }
        return valid;
    }

    // ---- who gets how much ----

    private List<HostSet.Level> levels(List<List<HostSet.Member>> all, Map<String, Integer> shares) {
        var health = new double[all.size()];
        var sum = 0.0;
        for (var i = 0; i < health.length; i++) {
            health[i] = Math.min(
                    100,
                    100
                            * OVERPROVISIONING
                            * healthy(all.get(i)).size()
                            / all.get(i).size());
            sum += health[i];
        }
        var outlier = spec.traffic().outlier();
        var threshold = outlier == null ? 50 : outlier.minHealthPercent();
        var levels = new ArrayList<HostSet.Level>();
        var left = 100.0;
        for (var i = 0; i < health.length; i++) {
            var members = all.get(i);
            var healthy = healthy(members);
            var panic = sum < 100 && 100.0 * healthy.size() / members.size() < threshold;
            var load = sum == 0 ? 100.0 / health.length : Math.min(left, sum < 100 ? health[i] * 100 / sum : health[i]);
            var used = panic ? members : healthy;
            left -= load;
            if (!used.isEmpty() && load > 0) {
                levels.add(new HostSet.Level(load, parts(used, shares)));
            }
        }
        return levels.stream().filter(level -> !level.parts().isEmpty()).toList();
    }

    private List<HostSet.Member> healthy(List<HostSet.Member> members) {
        return members.stream()
                .filter(member -> !member.host().isEjected(nowNanos))
                .toList();
    }

    private List<HostSet.Part> parts(List<HostSet.Member> members, Map<String, Integer> shares) {
        if (shares.isEmpty()) {
            return List.of(part(100, members));
        }
        var left = new ArrayList<>(members);
        var parts = new ArrayList<HostSet.Part>();
        shares.forEach((pattern, share) -> {
            var inside = left.stream()
                    .filter(member -> Localities.covers(
                            pattern, member.endpoint().workload().place().locality()))
                    .toList();
            left.removeAll(inside);
            if (!inside.isEmpty()) {
                parts.add(part(share, inside));
            }
        });
        return parts;
    }

    private HostSet.Part part(double share, List<HostSet.Member> members) {
        var weights = new double[members.size()];
        for (var i = 0; i < weights.length; i++) {
            weights[i] = members.get(i).endpoint().workload().capacity()
                    * warmth(members.get(i).host());
        }
        var traffic = spec.traffic();
        return new HostSet.Part(share, new HostSet.Picker(traffic.algorithm(), traffic.tableSize(), members, weights));
    }

    private double warmth(Host host) {
        var warmup = spec.traffic().warmup();
        var age = host.ageNanos(nowNanos);
        if (age >= warmup.nanos()) {
            return 1;
        }
        return Math.max(warmup.minimum(), Math.pow((double) age / warmup.nanos(), 1 / warmup.aggression()));
    }
}
