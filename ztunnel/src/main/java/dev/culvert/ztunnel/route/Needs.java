package dev.culvert.ztunnel.route;

import dev.culvert.mesh.model.state.MeshSnapshot;
import dev.culvert.mesh.model.workload.GatewayAddress;
import dev.culvert.mesh.model.workload.NetworkAddress;
import dev.culvert.mesh.model.workload.Service;
import dev.culvert.mesh.model.workload.Workload;
import java.net.InetAddress;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.stream.Stream;

/// What a decision about a destination would look up and the mesh does not have; for who asks by name. Pure.
public final class Needs {
    private Needs() {}

    /// @param network of the client
    /// @return names of xDS resources (xds-workload.md section 1); empty once the mesh has all there is
    public static Set<String> of(MeshSnapshot mesh, String network, String namespace, InetAddress ip) {
        var workload = mesh.workloadAt(network, ip);
        var service = mesh.serviceAt(network, ip, namespace);
        if (workload.isEmpty() && service.isEmpty()) {
            return Set.of(new NetworkAddress(network, ip).toString());
        }
        var missing = new LinkedHashSet<String>();
        Stream.concat(
                        service.stream().flatMap(found -> gatewaysOf(mesh, found, network)),
                        workload.stream().flatMap(found -> found.waypoint().stream()))
                .filter(gateway -> !isKnown(mesh, gateway, namespace))
                .forEach(gateway -> missing.add(gateway.destination().toString()));
        return missing;
    }

    private static Stream<GatewayAddress> gatewaysOf(MeshSnapshot mesh, Service service, String network) {
        var waypoints = Stream.concat(
                service.waypoint().stream(),
                service.weightedWaypoints().stream().map(Service.WeightedWaypoint::destination));
        var networks = mesh.endpoints(service.key()).keySet().stream()
                .flatMap(uid -> mesh.workload(uid).stream())
                .filter(endpoint -> !endpoint.network().equals(network))
                .map(Workload::tunnel)
                .flatMap(tunnel -> Stream.ofNullable(tunnel.networkGateway()));
        return Stream.concat(waypoints, networks);
    }

    private static boolean isKnown(MeshSnapshot mesh, GatewayAddress gateway, String namespace) {
        return switch (gateway.destination()) {
            case GatewayAddress.ByHostname(var name) ->
                mesh.service(name).isPresent() || mesh.workloadByHostname(name).isPresent();
            case GatewayAddress.ByAddress(var at) ->
                mesh.workloadAt(at.network(), at.address()).isPresent()
                        || mesh.serviceAt(at.network(), at.address(), namespace).isPresent();
        };
    }
}
