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
import java.util.function.Function;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/// Decides where one outbound connection goes, over one snapshot (Istio ztunnel's order). Pure but for the dice.
public final class Router {
    private final MeshSnapshot mesh;
    private final Workload client;
    private final Set<String> excluded;
    private final Endpoints endpoints;
    private final Gateways gateways;

    /// @param excluded endpoints (workload uids) that failed already
    public Router(MeshSnapshot mesh, Workload client, Set<String> excluded, RandomGenerator random) {
        this.mesh = mesh;
        this.client = client;
        this.excluded = excluded;
        this.endpoints = new Endpoints(mesh, client, excluded, random);
        this.gateways = new Gateways(mesh, client, endpoints, random);
    }

    public Route route(InetSocketAddress dst) {
        var ip = dst.getAddress();
        var workload = mesh.workloadAt(client.network(), ip);
        var service = mesh.serviceAt(client.network(), ip, client.namespace());
        if (workload.isEmpty() && service.isPresent()) {
            var waypoint = gateways.waypointOf(service.get());
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
            return unreachable(null, service, "no healthy upstream: " + Addresses.text(dst));
        }
        if (isElsewhere(chosen.get().workload())) {
            return throughNetworkGateway(chosen.get().workload(), service, dst, service);
        }
        return direct(chosen.get(), service, dst);
    }

    private Route toWorkload(Workload workload, InetSocketAddress dst) {
        var waypoint = workload.waypoint();
        if (waypoint.isPresent() && !gateways.isOwn(waypoint.get())) {
            return throughWaypoint(waypoint.get(), dst, null);
        }
        if (excluded.contains(workload.uid())) {
            return unreachable(workload, null, "no healthy upstream: " + Addresses.text(dst));
        }
        return direct(new Candidate(workload, dst.getPort()), null, dst);
    }

    private Route direct(Candidate chosen, @Nullable Service service, InetSocketAddress dst) {
        var workload = chosen.workload();
        var name = workload.namespace() + "/" + workload.name();
        return at(workload, service, dst.getAddress(), new About(workload, service, "to " + name), ip -> {
            var target = new InetSocketAddress(ip, chosen.targetPort());
            if (!workload.speaksHbone()) {
                return new Route.Plain(
                        target, new About(workload, service, name + " is not enrolled: plain TCP to it"));
            }
            if (!workload.speaksHbone(target.getPort())) {
                var why = name + " keeps port " + target.getPort() + " out of the mesh: plain TCP to it";
                return new Route.Plain(target, new About(workload, service, why));
            }
            return new Route.Hbone(
                    new InetSocketAddress(ip, Gateways.HBONE_PORT),
                    new Authority.Address(target),
                    accepted(workload, service),
                    new About(workload, service, "HBONE to " + name + " at " + Addresses.text(target)));
        });
    }

    /// A waypoint that cannot be resolved is an error: there is no way around it.
    private Route throughWaypoint(GatewayAddress waypoint, InetSocketAddress dst, @Nullable Service service) {
        var found = gateways.find(waypoint);
        if (found.isEmpty()) {
            return unreachable(null, service, "waypoint " + waypoint.destination() + " has no endpoint");
        }
        var chosen = found.get();
        var workload = chosen.workload();
        var about = new About(workload, service, "through waypoint " + workload.namespace() + "/" + workload.name());
        if (isElsewhere(workload)) {
            return throughNetworkGateway(workload, service, dst, chosen.service());
        }
        return at(
                workload,
                null,
                dst.getAddress(),
                about,
                ip -> new Route.Hbone(
                        new InetSocketAddress(ip, chosen.endpoint().targetPort()),
                        new Authority.Address(dst),
                        accepted(workload, chosen.service()),
                        about));
    }

    private boolean isElsewhere(Workload workload) {
        return !workload.network().equals(client.network());
    }

    /// To a workload of another network, which only that network's gateway can reach.
    /// @param meant the service of the connection, or null: then there is no way
    /// @param answering whose names the remote end may have: the service's, or its waypoint's
    private Route throughNetworkGateway(
            Workload remote, @Nullable Service meant, InetSocketAddress dst, @Nullable Service answering) {
        var name = remote.namespace() + "/" + remote.name() + " of network " + remote.network();
        var gateway = remote.tunnel().networkGateway();
        if (meant == null) {
            return unreachable(remote, null, name + " can be reached by a service only");
        }
        if (gateway == null) {
            return unreachable(remote, meant, name + " has no network gateway");
        }
        var found = gateways.find(gateway);
        if (found.isEmpty()) {
            return unreachable(remote, meant, "network gateway " + gateway.destination() + " has no endpoint");
        }
        var peers = answering == null ? Set.<SpiffeId>of() : alternativeNames(answering);
        if (peers.isEmpty()) {
            var why = "no subject_alt_names say whom to expect as " + name;
            return new Route.Refused(FailureReason.PEER_NOT_TRUSTED, new About(remote, meant, why));
        }
        return inTunnel(found.get(), peers, meant, dst);
    }

    private static Route inTunnel(Gateways.Found gateway, Set<SpiffeId> peers, Service meant, InetSocketAddress dst) {
        var workload = gateway.workload();
        var about = new About(
                workload,
                meant,
                "HBONE in HBONE to network " + workload.network() + " through gateway " + workload.name());
        return at(
                workload,
                null,
                dst.getAddress(),
                about,
                ip -> new Route.DoubleHbone(
                        new InetSocketAddress(ip, gateway.endpoint().targetPort()),
                        new Authority.Host(meant.hostname(), dst.getPort()),
                        accepted(workload, gateway.service()),
                        peers,
                        about));
    }

    private static Route unreachable(@Nullable Workload workload, @Nullable Service service, String why) {
        return new Route.Refused(FailureReason.NO_HEALTHY_UPSTREAM, new About(workload, service, why));
    }

    private static Set<SpiffeId> accepted(Workload workload, @Nullable Service service) {
        var ids = new HashSet<SpiffeId>();
        ids.add(workload.identity());
        if (service != null) {
            ids.addAll(alternativeNames(service));
        }
        return ids;
    }

    private static Set<SpiffeId> alternativeNames(Service service) {
        var ids = new HashSet<SpiffeId>();
        service.subjectAltNames().forEach(san -> SpiffeId.parse(san).ifPresent(ids::add));
        return ids;
    }

    /// The route to a workload's address, or to the one that its name will have.
    private static Route at(
            Workload workload,
            @Nullable Service service,
            InetAddress dialled,
            About about,
            Function<InetAddress, Route> then) {
        var ip = address(workload, service, dialled);
        if (ip.isPresent()) {
            return then.apply(ip.get());
        }
        if (workload.addresses().isEmpty() && !workload.hostname().isEmpty()) {
            return new Route.ByName(workload.hostname(), then, about);
        }
        return unreachable(workload, service, workload.name() + " has no address of a family that may be used");
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

    /// The proxy's own ports, which nobody may be sent to by way of loopback.
    public static boolean isOwnPort(int port) {
        return List.of(15001, 15006, Gateways.HBONE_PORT).contains(port);
    }
}
