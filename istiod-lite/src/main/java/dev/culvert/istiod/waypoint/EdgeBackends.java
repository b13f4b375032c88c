package dev.culvert.istiod.waypoint;

import dev.culvert.istiod.ambient.MeshService;
import dev.culvert.istiod.ambient.MeshServices;
import dev.culvert.istiod.ambient.Waypoints;
import dev.culvert.protos.waypoint.Backend;
import dev.culvert.protos.waypoint.ConnectionPool;
import dev.culvert.protos.waypoint.Forward;
import dev.culvert.protos.waypoint.Route;
import java.util.HashMap;
import java.util.Map;

/// How a gateway at the edge reaches its backends. The listener's port says nothing of a backend's protocol, its own
/// port does; and its labels, or its namespace's, say whether its waypoint is asked for it.
final class EdgeBackends {
    /// A backend's Service and port.
    private record Target(String namespace, String hostname, int port) {}

    /// What of a backend is the same in all routes.
    private record Way(ConnectionPool.Version version, boolean throughWaypoint) {}

    private static final Way DIRECT = new Way(ConnectionPool.Version.HTTP1, false);

    private final Waypoints waypoints;
    private final MeshServices services;
    private final Map<Target, Way> ways = new HashMap<>();

    EdgeBackends(Waypoints waypoints, MeshServices services) {
        this.waypoints = waypoints;
        this.services = services;
    }

    Route reached(Route route) {
        if (!route.hasForward()) {
            return route;
        }
        var to = route.toBuilder().setForward(reached(route.getForward()));
        to.getMirrorsBuilderList().forEach(mirror -> reached(mirror.getBackendBuilder()));
        return to.build();
    }

    Forward reached(Forward forward) {
        var to = forward.toBuilder();
        to.getBackendsBuilderList().forEach(this::reached);
        return to.build();
    }

    /// A subset is not for the gateway to choose where a waypoint stands before it.
    private void reached(Backend.Builder backend) {
        if (backend.getBrokenStatus() != 0) {
            return;
        }
        var way = ways.computeIfAbsent(
                new Target(backend.getNamespace(), backend.getHostname(), backend.getPort()), this::way);
        if (backend.getTraffic().getPool().getVersion() == ConnectionPool.Version.PORT) {
            backend.getTrafficBuilder().getPoolBuilder().setVersion(way.version);
        }
        if (way.throughWaypoint || backend.getThroughWaypoint()) {
            backend.setThroughWaypoint(true).clearSubset();
        }
    }

    private Way way(Target target) {
        var service = services.named(target.hostname, target.namespace);
        if (service.isEmpty()) {
            return DIRECT;
        }
        var through = waypoints.takesIngress(service.get());
        return service.get().ports().stream()
                .filter(port -> port.number() == target.port)
                .findFirst()
                .map(port -> new Way(version(port), through))
                .orElse(new Way(ConnectionPool.Version.HTTP1, through));
    }

    private static ConnectionPool.Version version(MeshService.Port port) {
        return switch (port.protocol()) {
            case HTTP2, GRPC -> ConnectionPool.Version.HTTP2;
            case HTTP11, TCP, TLS, UNKNOWN, UNRECOGNIZED -> ConnectionPool.Version.HTTP1;
        };
    }
}
