package dev.culvert.istiod.gateway;

import dev.culvert.istiod.ingress.EdgeGateway;
import dev.culvert.kube.object.Gateway;
import io.fabric8.kubernetes.api.model.ContainerPort;
import io.fabric8.kubernetes.api.model.ContainerPortBuilder;
import io.fabric8.kubernetes.api.model.PodSecurityContext;
import io.fabric8.kubernetes.api.model.PodSecurityContextBuilder;
import io.fabric8.kubernetes.api.model.ServicePort;
import io.fabric8.kubernetes.api.model.ServicePortBuilder;
import io.fabric8.kubernetes.api.model.Sysctl;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// What is different about a waypoint and a gateway at the edge of the mesh.
/// @param serviceType unless the Gateway asks for another
/// @param ports of the Service
/// @param containerPorts beside those of all
/// @param podLabels beside those of all
record Shape(
        String serviceType,
        List<ServicePort> ports,
        List<ContainerPort> containerPorts,
        Map<String, String> podLabels,
        PodSecurityContext security) {
    /// @param morePorts that its Service has beside those of its listeners
    static Shape of(Gateway gateway, List<Integer> morePorts) {
        return gateway.isIngress() ? edge(gateway, morePorts) : waypoint();
    }

    private static Shape waypoint() {
        var mesh = new ServicePortBuilder()
                .withName("mesh")
                .withAppProtocol("hbone")
                .withPort(Gateway.HBONE_PORT)
                .withProtocol("TCP")
                .build();
        return new Shape(
                "ClusterIP",
                List.of(mesh),
                List.of(container(Gateway.HBONE_PORT, "mesh")),
                Map.of("networking.istio.io/tunnel", "http"),
                new PodSecurityContext());
    }

    /// Clients come to the ports of the listeners, which the container listens on as they are: low ports need no right
    /// in a pod's own network.
    private static Shape edge(Gateway gateway, List<Integer> morePorts) {
        var ports = new ArrayList<ServicePort>();
        var containers = new ArrayList<ContainerPort>();
        for (var port : EdgeGateway.ports(gateway)) {
            ports.add(service(port));
            containers.add(container(port, "port-" + port));
        }
        morePorts.forEach(port -> ports.add(service(port)));
        return new Shape(
                "LoadBalancer",
                List.copyOf(ports),
                List.copyOf(containers),
                Map.of(),
                new PodSecurityContextBuilder()
                        .withSysctls(new Sysctl("net.ipv4.ip_unprivileged_port_start", "0"))
                        .build());
    }

    private static ServicePort service(int port) {
        return new ServicePortBuilder()
                .withName("port-" + port)
                .withPort(port)
                .withProtocol("TCP")
                .build();
    }

    private static ContainerPort container(int port, String name) {
        return new ContainerPortBuilder()
                .withName(name)
                .withContainerPort(port)
                .withProtocol("TCP")
                .build();
    }
}
