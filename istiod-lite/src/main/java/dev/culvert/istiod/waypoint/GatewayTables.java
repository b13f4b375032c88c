package dev.culvert.istiod.waypoint;

import com.google.protobuf.ByteString;
import dev.culvert.istiod.ambient.L7Targets;
import dev.culvert.istiod.ambient.ServiceTranslation;
import dev.culvert.istiod.ambient.TranslationSettings;
import dev.culvert.istiod.ingress.Attachment;
import dev.culvert.istiod.ingress.EdgeGateway;
import dev.culvert.istiod.ingress.EdgeListener;
import dev.culvert.istiod.ingress.ServerKey;
import dev.culvert.kube.object.HttpRoute;
import dev.culvert.kube.object.ObjectSet;
import dev.culvert.kube.object.Problem;
import dev.culvert.kube.object.Service;
import dev.culvert.protos.waypoint.Backend;
import dev.culvert.protos.waypoint.ConnectionPool;
import dev.culvert.protos.waypoint.GatewayConfig;
import dev.culvert.protos.waypoint.GatewayListener;
import dev.culvert.protos.waypoint.GatewayPort;
import dev.culvert.protos.waypoint.Route;
import dev.culvert.protos.waypoint.ServerCertificate;
import dev.culvert.protos.waypoint.VirtualHost;
import java.security.cert.CertificateEncodingException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// What each gateway at the edge of the mesh is told: its ports, with certificates and routes by host.
final class GatewayTables {
    /// A backend's Service and port.
    private record Target(String namespace, String hostname, int port) {}

    private final ObjectSet objects;
    private final TranslationSettings settings;
    private final RouteTables routes;
    private final PolicyRules policies;
    private final Map<Target, ConnectionPool.Version> versions = new HashMap<>();

    GatewayTables(ObjectSet objects, TranslationSettings settings, RouteTables routes, PolicyRules policies) {
        this.objects = objects;
        this.settings = settings;
        this.routes = routes;
        this.policies = policies;
    }

    /// By the name of the resource.
    Map<String, GatewayConfig> translate(List<Problem> problems) {
        var all = new TreeMap<String, GatewayConfig>();
        for (var gateway : EdgeGateway.all(objects)) {
            all.put(gateway.resourceName(), translate(gateway));
            check(gateway, problems);
        }
        return all;
    }

    private GatewayConfig translate(EdgeGateway gateway) {
        var to = GatewayConfig.newBuilder()
                .setNamespace(gateway.gateway().namespace())
                .setName(gateway.gateway().name())
                .setPathNormalization(MeshDefaults.paths(objects, settings));
        var ports = new TreeMap<Integer, GatewayPort.Builder>();
        for (var listener : gateway.listeners()) {
            if (listener.isOpen()) {
                var number = listener.said().port();
                ports.computeIfAbsent(
                                number,
                                _ -> GatewayPort.newBuilder().setNumber(number).setTls(listener.isTls()))
                        .addListeners(listener(listener, gateway));
            }
        }
        ports.values().forEach(to::addPorts);
        L7Targets.ofEdge(gateway.gateway(), gateway.podLabels(), objects, settings)
                .forEach(policy -> to.addPolicies(policies.translate(policy)));
        L7Targets.tokensOfEdge(gateway.gateway(), objects, settings).stream()
                .flatMap(TokenRules::translate)
                .forEach(to::addJwtRules);
        return to.build();
    }

    private GatewayListener listener(EdgeListener listener, EdgeGateway gateway) {
        var to = GatewayListener.newBuilder()
                .setName(listener.said().name())
                .setHostname(listener.said().hostname());
        listener.certificates().forEach(key -> to.addCertificates(certificate(key)));
        var byHost = new TreeMap<String, List<HttpRoute>>();
        for (var route : objects.all(HttpRoute.class)) {
            for (var taken : Attachment.taken(route, gateway, objects)) {
                if (taken.listener().equals(listener)) {
                    taken.hosts()
                            .forEach(host -> byHost.computeIfAbsent(host, _ -> new ArrayList<>())
                                    .add(route));
                }
            }
        }
        var at = new RuleTranslation.At(
                null, gateway.gateway().namespace(), listener.said().port());
        byHost.forEach((host, attached) -> {
            var oldestFirst =
                    attached.stream().distinct().sorted(RouteTables.OLDEST).toList();
            var virtual = VirtualHost.newBuilder().setHost(host);
            routes.ofHttpRoutes(oldestFirst, at).forEach(route -> virtual.addRoutes(spoken(route)));
            to.addHosts(virtual);
        });
        return to.build();
    }

    private static ServerCertificate certificate(ServerKey key) {
        var to = ServerCertificate.newBuilder()
                .setPrivateKey(ByteString.copyFrom(key.key().getEncoded()));
        for (var certificate : key.chain()) {
            try {
                to.addChain(ByteString.copyFrom(certificate.getEncoded()));
            } catch (CertificateEncodingException impossible) {
                throw new IllegalStateException(impossible); // it was read from this form
            }
        }
        return to.build();
    }

    // ---- how backends are spoken to ----

    /// The listener's port says nothing of a backend's protocol: its own port does.
    private Route spoken(Route route) {
        if (!route.hasForward()) {
            return route;
        }
        var to = route.toBuilder();
        to.getForwardBuilder().getBackendsBuilderList().forEach(this::spoken);
        to.getMirrorsBuilderList().forEach(mirror -> spoken(mirror.getBackendBuilder()));
        return to.build();
    }

    private void spoken(Backend.Builder backend) {
        if (backend.getBrokenStatus() == 0
                && backend.getTraffic().getPool().getVersion() == ConnectionPool.Version.PORT) {
            backend.getTrafficBuilder()
                    .getPoolBuilder()
                    .setVersion(versions.computeIfAbsent(
                            new Target(backend.getNamespace(), backend.getHostname(), backend.getPort()),
                            this::version));
        }
    }

    private ConnectionPool.Version version(Target target) {
        return objects.all(Service.class, target.namespace).stream()
                .filter(service ->
                        ServiceTranslation.hostname(service, settings).equals(target.hostname))
                .flatMap(service -> service.ports().stream())
                .filter(port -> port.number() == target.port)
                .map(GatewayTables::version)
                .findFirst()
                .orElse(ConnectionPool.Version.HTTP1);
    }

    private static ConnectionPool.Version version(Service.Port port) {
        return switch (ServiceTranslation.appProtocol(port)) {
            case HTTP2, GRPC -> ConnectionPool.Version.HTTP2;
            case HTTP11, TCP, TLS, UNKNOWN, UNRECOGNIZED -> ConnectionPool.Version.HTTP1;
        };
    }

    // ---- what authors should know ----

    private static void check(EdgeGateway gateway, List<Problem> problems) {
        var key = gateway.gateway().key().toString();
        var place = gateway.gateway().place();
        gateway.listeners().stream()
                .sorted(Comparator.comparing(listener -> listener.said().name()))
                .forEach(listener -> {
                    var name = "listener " + listener.said().name() + ": ";
                    if (!listener.accepted().holds()) {
                        problems.add(Problem.error(
                                place, key, name + listener.accepted().message(), "change the listener"));
                    } else if (listener.conflicted().holds()) {
                        problems.add(Problem.error(
                                place, key, name + listener.conflicted().message(), "remove one of the two"));
                    }
                    if (!listener.resolved().holds()) {
                        problems.add(Problem.error(
                                place, key, name + listener.resolved().message(), "correct what it names"));
                    }
                });
    }
}
