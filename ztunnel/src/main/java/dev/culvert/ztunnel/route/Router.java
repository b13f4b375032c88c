package dev.culvert.ztunnel.route;

import dev.culvert.hbone.failure.FailureReason;
import dev.culvert.hbone.headers.Authority;
import dev.culvert.mesh.model.identity.SpiffeId;
import dev.culvert.mesh.model.state.MeshSnapshot;
import dev.culvert.mesh.model.workload.Addresses;
import dev.culvert.mesh.model.workload.GatewayAddress;
import dev.culvert.mesh.model.workload.LoadBalancing;
import dev.culvert.mesh.model.workload.Service;
import dev.culvert.mesh.model.workload.Workload;
import dev.culvert.ztunnel.route.Endpoints.Candidate;
import dev.culvert.ztunnel.route.Route.About;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/// Decides where one outbound connection goes, over one snapshot (Istio ztunnel's order). Pure but for the dice.
public final class Router {
    private static final int HBONE_PORT = 15008;

    private final MeshSnapshot mesh;
    private final Workload client;
    private final Set<String> excluded;
    private final RandomGenerator random;
    private final Endpoints endpoints;

    /// @param excluded endpoints (workload uids) that failed already
    public Router(MeshSnapshot mesh, Workload client, Set<String> excluded, RandomGenerator random) {
        this.mesh = mesh;
        this.client = client;
        this.excluded = excluded;
        this.random = random;
        this.endpoints = new Endpoints(mesh, client, excluded, random);
    }

    public Route route(InetSocketAddress dst) {
        var ip = dst.getAddress();
        var workload = mesh.workloadAt(client.network(), ip);
        var service = mesh.serviceAt(client.network(), ip, client.namespace());
        if (workload.isEmpty() && service.isPresent()) {
            var waypoint = waypointOf(service.get());
            if (waypoint.isPresent()) {
                return throughWaypoint(waypoint.get(), dst, service.get());
            }
        }
        if (service.isPresent()) {
            return toService(service.get(), dst);
        }
        return workload.map(found -> toWorkload(found, dst))
                .orElseGet(() -> new Route.Plain(
                        dst, new About(null, null, Addresses.text(dst) + " is not in the mesh: passed on as dialled")));
    }

    private Route toService(Service service, InetSocketAddress dst) {
        if (service.loadBalancing().mode() == LoadBalancing.Mode.PASSTHROUGH) {
            return new Route.Plain(
                    dst, new About(null, service, service.hostname() + " passes connections on as dialled"));
        }
        var chosen = endpoints.choose(service, dst.getPort(), false);
        if (chosen.isEmpty()) {
            return new Route.Refused(
                    FailureReason.NO_HEALTHY_UPSTREAM,
                    new About(null, service, "no healthy upstream: " + Addresses.text(dst)));
        }
        return direct(chosen.get(), service, dst);
    }

    private Route toWorkload(Workload workload, InetSocketAddress dst) {
        var waypoint = workload.waypoint();
        if (waypoint.isPresent() && !isOwnWaypoint(waypoint.get())) {
            return throughWaypoint(waypoint.get(), dst, null);
        }
        if (excluded.contains(workload.uid())) {
            return new Route.Refused(
                    FailureReason.NO_HEALTHY_UPSTREAM,
                    new About(workload, null, "no healthy upstream: " + Addresses.text(dst)));
        }
        return direct(new Candidate(workload, dst.getPort()), null, dst);
    }

    private Route direct(Candidate chosen, @Nullable Service service, InetSocketAddress dst) {
        var workload = chosen.workload();
        if (!workload.network().equals(client.network())) {
            return new Route.Refused(
                    FailureReason.UNSUPPORTED,
                    new About(workload, service, workload.name() + " is on network " + workload.network()));
        }
        var ip = address(workload, service, dst.getAddress());
        if (ip.isEmpty()) {
            return new Route.Refused(
                    FailureReason.NO_HEALTHY_UPSTREAM,
                    new About(workload, service, workload.name() + " has no address of a family that may be used"));
        }
        var target = new InetSocketAddress(ip.get(), chosen.targetPort());
        var name = workload.namespace() + "/" + workload.name();
        if (!workload.speaksHbone()) {
            return new Route.Plain(target, new About(workload, service, name + " is not enrolled: plain TCP to it"));
        }
        return new Route.Hbone(
                new InetSocketAddress(ip.get(), HBONE_PORT),
                new Authority.Address(target),
                accepted(workload, service),
                new About(workload, service, "HBONE to " + name + " at " + Addresses.text(target)));
    }

    private static Set<SpiffeId> accepted(Workload workload, @Nullable Service service) {
        var ids = new HashSet<SpiffeId>();
        ids.add(workload.identity());
        if (service != null) {
            service.subjectAltNames().forEach(san -> SpiffeId.parse(san).ifPresent(ids::add));
        }
        return ids;
    }

    /// The dialled address if it is one of the workload's; else one of the service's families, the dialled one first.
    private static Optional<InetAddress> address(Workload workload, @Nullable Service service, InetAddress dialled) {
        if (workload.addresses().contains(dialled)) {
            return Optional.of(dialled);
        }
        var allowed = workload.addresses().stream()
                .filter(ip -> service == null || isAllowed(service.ipFamilies(), ip))
                .toList();
        return allowed.stream()
                .filter(ip -> ip.getClass() == dialled.getClass())
                .findFirst()
                .or(() -> allowed.stream().findFirst());
    }

    private static boolean isAllowed(Service.IpFamilies families, InetAddress ip) {
        return switch (families) {
            case AUTOMATIC, DUAL -> true;
            case IPV4_ONLY -> ip instanceof Inet4Address;
            case IPV6_ONLY -> !(ip instanceof Inet4Address);
        };
    }

    private Optional<GatewayAddress> waypointOf(Service service) {
        var weighted = service.weightedWaypoints();
        var total =
                weighted.stream().mapToLong(Service.WeightedWaypoint::weight).sum();
        if (total <= 0) {
            return service.waypoint();
        }
        var ticket = random.nextLong(total);
        for (var candidate : weighted) {
            ticket -= candidate.weight();
            if (ticket < 0) {
                return Optional.of(candidate.destination());
            }
        }
        return service.waypoint();
    }

    private boolean isOwnWaypoint(GatewayAddress waypoint) {
        return resolve(waypoint)
                .map(chosen -> chosen.workload().identity().equals(client.identity())
                        && chosen.workload().addresses().stream().anyMatch(client.addresses()::contains))
                .orElse(false);
    }

    /// A waypoint that cannot be resolved is an error: there is no way around it.
    private Route throughWaypoint(GatewayAddress waypoint, InetSocketAddress dst, @Nullable Service service) {
        var chosen = resolve(waypoint);
        if (chosen.isEmpty()) {
            return new Route.Refused(
                    FailureReason.NO_HEALTHY_UPSTREAM,
                    new About(null, service, "waypoint " + waypoint.destination() + " has no endpoint"));
        }
        var workload = chosen.get().workload();
        var ip = address(workload, null, dst.getAddress());
        if (ip.isEmpty() || !workload.network().equals(client.network())) {
            return new Route.Refused(
                    FailureReason.UNSUPPORTED,
                    new About(workload, service, "waypoint " + workload.name() + " is on another network"));
        }
        var own = waypoint.destination() instanceof GatewayAddress.ByHostname(var name)
                ? mesh.service(name).orElse(null)
                : null;
        return new Route.Hbone(
                new InetSocketAddress(ip.get(), chosen.get().targetPort()),
                new Authority.Address(dst),
                accepted(workload, own),
                new About(workload, service, "through waypoint " + workload.namespace() + "/" + workload.name()));
    }

    private Optional<Candidate> resolve(GatewayAddress waypoint) {
        var port = waypoint.hboneMtlsPort() == 0 ? HBONE_PORT : waypoint.hboneMtlsPort();
        return switch (waypoint.destination()) {
            case GatewayAddress.ByHostname(var name) ->
                mesh.service(name).flatMap(service -> waypointEndpoint(service, port));
            case GatewayAddress.ByAddress(var address) -> {
                var service = mesh.serviceAt(address.network(), address.address(), client.namespace());
                yield service.isPresent()
                        ? waypointEndpoint(service.get(), port)
                        : mesh.workloadAt(address.network(), address.address())
                                .map(workload -> new Candidate(workload, port));
            }
        };
    }

    private Optional<Candidate> waypointEndpoint(Service service, int port) {
        return endpoints.choose(service, port, true);
    }

    /// The proxy's own ports, which nobody may be sent to by way of loopback.
    public static boolean isOwnPort(int port) {
        return List.of(15001, 15006, HBONE_PORT).contains(port);
    }
}
