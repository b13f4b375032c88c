package dev.culvert.ztunnel.route;

import dev.culvert.mesh.model.state.MeshSnapshot;
import dev.culvert.mesh.model.workload.GatewayAddress;
import dev.culvert.mesh.model.workload.Service;
import dev.culvert.mesh.model.workload.Workload;
import dev.culvert.ztunnel.route.Endpoints.Candidate;
import java.util.Optional;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/// Finds waypoints and the gateways of networks.
final class Gateways {
    static final int HBONE_PORT = 15008;

    private final MeshSnapshot mesh;
    private final Workload client;
    private final Endpoints endpoints;
    private final RandomGenerator random;

    Gateways(MeshSnapshot mesh, Workload client, Endpoints endpoints, RandomGenerator random) {
        this.mesh = mesh;
        this.client = client;
        this.endpoints = endpoints;
        this.random = random;
    }

    /// @param service by which it was found, if it was
    record Found(Candidate endpoint, @Nullable Service service) {
        Workload workload() {
            return endpoint.workload();
        }
    }

    /// The waypoint of a service; among weighted ones, one by weight.
    Optional<GatewayAddress> waypointOf(Service service) {
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

    /// Empty if it is unknown or has no endpoint that may be chosen.
    Optional<Found> find(GatewayAddress gateway) {
        var port = gateway.hboneMtlsPort() == 0 ? HBONE_PORT : gateway.hboneMtlsPort();
        return switch (gateway.destination()) {
            case GatewayAddress.ByHostname(var name) -> {
                var service = mesh.service(name);
                yield service.isPresent()
                        ? endpoint(service.get(), port)
                        : mesh.workloadByHostname(name).map(workload -> found(workload, port));
            }
            case GatewayAddress.ByAddress(var address) -> {
                var service = mesh.serviceAt(address.network(), address.address(), client.namespace());
                yield service.isPresent()
                        ? endpoint(service.get(), port)
                        : mesh.workloadAt(address.network(), address.address()).map(workload -> found(workload, port));
            }
        };
    }

    private static Found found(Workload workload, int port) {
        return new Found(new Candidate(workload, port), null);
    }

    private Optional<Found> endpoint(Service service, int port) {
        return endpoints.choose(service, port, true).map(chosen -> new Found(chosen, service));
    }

    /// The client is the waypoint itself, or one of its replicas, so what it sends goes past it.
    boolean isOwn(GatewayAddress waypoint) {
        return switch (waypoint.destination()) {
            case GatewayAddress.ByHostname(var name) ->
                mesh.service(name)
                        .map(this::isEndpoint)
                        .orElseGet(() -> mesh.workloadByHostname(name)
                                .map(this::isClient)
                                .orElse(false));
            case GatewayAddress.ByAddress(var at) ->
                mesh.serviceAt(at.network(), at.address(), client.namespace())
                        .map(this::isEndpoint)
                        .orElseGet(() -> mesh.workloadAt(at.network(), at.address())
                                .map(this::isClient)
                                .orElse(false));
        };
    }

    private boolean isEndpoint(Service service) {
        return mesh.endpoints(service.key()).keySet().stream()
                .anyMatch(uid -> mesh.workload(uid).map(this::isClient).orElse(false));
    }

    private boolean isClient(Workload workload) {
        return workload.identity().equals(client.identity())
                && workload.addresses().stream().anyMatch(client.addresses()::contains);
    }
}
