package dev.culvert.cli.local;

import dev.culvert.kube.object.Container;
import dev.culvert.kube.object.Gateway;
import dev.culvert.kube.object.IstioGateway;
import dev.culvert.kube.object.Metadata;
import dev.culvert.kube.object.ObjectSet;
import dev.culvert.kube.object.PortRef;
import dev.culvert.kube.object.Probe;
import dev.culvert.kube.object.Service;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/// What the controller deploys in a cluster for each Gateway, a waypoint or one at the edge of the mesh: a pod, its
/// Service, and a ServiceAccount, all with one name.
final class WaypointPods {
    /// Of all pods.
    static final Path KEPT = Path.of("/run/culvert/waypoints");

    private static final String GATEWAY_NAME = "gateway.networking.k8s.io/gateway-name";
    private static final int STATUS_PORT = 15021;
    private static final int METRICS_PORT = 15020;
    /// No listener gets one of these.
    private static final Set<Integer> OWN_PORTS = Set.of(15000, Gateway.HBONE_PORT, METRICS_PORT, STATUS_PORT);

    private final Path state;
    private final List<String> command;

    /// @param command of the program; empty to run none
    WaypointPods(Path state, List<String> command) {
        this.state = state;
        this.command = List.copyOf(command);
    }

    /// Where a waypoint's pod keeps what a restart begins with; on tmpfs. Of other pods: nothing is there.
    static Path kept(String namespace, String pod) {
        return KEPT.resolve(namespace).resolve(pod);
    }

    /// The user's Services and those of waypoints.
    List<Service> services(ObjectSet objects) {
        var all = new ArrayList<>(objects.services());
        for (var gateway : gateways(objects)) {
            var taken = all.stream()
                    .anyMatch(one -> one.namespace().equals(gateway.namespace())
                            && one.name().equals(gateway.deployedName()));
            if (!taken) {
                all.add(service(gateway, objects));
            }
        }
        return all;
    }

    /// The user's pods and those of waypoints.
    List<PodPlan> pods(ObjectSet objects) {
        var all = new ArrayList<>(PodPlan.of(objects));
        if (!command.isEmpty()) {
            gateways(objects).forEach(gateway -> all.add(pod(gateway)));
        }
        return all;
    }

    private static List<Gateway> gateways(ObjectSet objects) {
        return objects.all(Gateway.class).stream()
                .filter(gateway -> gateway.isWaypoint() || gateway.isIngress())
                .toList();
    }

    /// Those that clients come to, beside those of all.
    private static List<Integer> ports(Gateway gateway) {
        return gateway.isWaypoint()
                ? List.of(Gateway.HBONE_PORT)
                : gateway.listeners().stream()
                        .map(Gateway.Listener::port)
                        .filter(port -> !OWN_PORTS.contains(port))
                        .distinct()
                        .toList();
    }

    /// Ports of Istio's own Gateways that find the pod by its labels.
    private static List<Integer> morePorts(Gateway gateway, ObjectSet objects) {
        var labels = new HashMap<>(gateway.infrastructure().labels());
        labels.putAll(labels(gateway));
        return gateway.isWaypoint()
                ? List.of()
                : objects.all(IstioGateway.class).stream()
                        .filter(one -> one.selects(labels))
                        .flatMap(one -> one.servers().stream())
                        .map(IstioGateway.Server::port)
                        .filter(port -> !OWN_PORTS.contains(port))
                        .toList();
    }

    private static Service service(Gateway gateway, ObjectSet objects) {
        var ports = new ArrayList<Service.Port>();
        Stream.concat(ports(gateway).stream(), morePorts(gateway, objects).stream())
                .distinct()
                .forEach(port -> ports.add(port("port-" + port, port)));
        ports.add(port("status-port", STATUS_PORT));
        var metadata = new Metadata(
                gateway.deployedName(),
                gateway.namespace(),
                "",
                Map.of(GATEWAY_NAME, gateway.name(), "gateway.istio.io/managed", "culvert.dev-mesh-controller"),
                Map.of(),
                Optional.empty(),
                Optional.empty(),
                false);
        return new Service(
                metadata,
                Service.Type.CLUSTER_IP,
                false,
                List.of(),
                List.of(),
                ports,
                Map.of(GATEWAY_NAME, gateway.name()),
                false,
                "",
                false,
                List.of(),
                gateway.place());
    }

    private static Service.Port port(String name, int number) {
        return new Service.Port(name, number, new PortRef.Numbered(number), "TCP", "");
    }

    private PodPlan pod(Gateway gateway) {
        var name = gateway.deployedName() + "-0";
        var ports = new ArrayList<Container.Port>();
        ports(gateway).forEach(port -> ports.add(new Container.Port("port-" + port, port, "TCP")));
        ports.add(new Container.Port("status-port", STATUS_PORT, "TCP"));
        ports.add(new Container.Port("metrics", METRICS_PORT, "TCP"));
        var ready = new Probe(
                new Probe.Check.Http("", new PortRef.Numbered(STATUS_PORT), "/healthz/ready", false),
                Duration.ZERO,
                Duration.ofSeconds(1),
                Duration.ofSeconds(1),
                3);
        var container = new Container(
                "waypoint",
                "",
                command,
                List.of(),
                environment(gateway, name),
                "",
                ports,
                Optional.of(ready),
                Optional.empty(),
                Optional.empty(),
                List.of());
        return new PodPlan(
                gateway.namespace(),
                name,
                labels(gateway),
                Map.of(),
                gateway.deployedName(),
                Optional.empty(),
                List.of(container));
    }

    private static Map<String, String> labels(Gateway gateway) {
        var labels = new HashMap<>(Map.of(
                GATEWAY_NAME,
                gateway.name(),
                "gateway.networking.k8s.io/gateway-class-name",
                gateway.className(),
                "istio.io/dataplane-mode",
                "none",
                "service.istio.io/canonical-name",
                gateway.deployedName()));
        if (gateway.isWaypoint()) {
            labels.put("networking.istio.io/tunnel", "http");
        }
        return labels;
    }

    private List<Container.EnvVar> environment(Gateway gateway, String pod) {
        var token = state.resolve("istiod/pod-tokens/" + gateway.namespace() + "/" + pod + "/istio-token");
        var kept = kept(gateway.namespace(), pod);
        return List.of(
                value("CULVERT_STATE_DIR", kept.resolve("state").toString()),
                value("CULVERT_KEYS_DIR", kept.resolve("keys").toString()),
                value("SERVICE_ACCOUNT", gateway.deployedName()),
                value("XDS_ADDRESS", "https://" + Addressing.CONTROL_PLANE_V4 + ":15012"),
                value("XDS_ROOT_CA", state.resolve("istiod/root-cert.pem").toString()),
                value("AUTH_TOKEN", token.toString()),
                value("CONNECTION_TERMINATION_DEADLINE", "1s"),
                new Container.EnvVar("INSTANCE_IP", "", "status.podIP"),
                new Container.EnvVar("NODE_NAME", "", "spec.nodeName"));
    }

    private static Container.EnvVar value(String name, String value) {
        return new Container.EnvVar(name, value, "");
    }
}
