package dev.culvert.istiod.waypoint;

import dev.culvert.istiod.ingress.Attachment;
import dev.culvert.istiod.ingress.EdgeGateway;
import dev.culvert.istiod.ingress.EdgeListener;
import dev.culvert.istiod.waypoint.EdgePorts.Form;
import dev.culvert.kube.object.HttpRoute;
import dev.culvert.kube.object.Kind;
import dev.culvert.kube.object.ObjectSet;
import dev.culvert.kube.object.RawRoute;
import dev.culvert.kube.object.Route;
import dev.culvert.protos.waypoint.Content;
import dev.culvert.protos.waypoint.Forward;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// Listeners of Gateways of the Gateway API, with the routes that are attached to them.
final class ListenerTables {
    private static final Comparator<Route> TLS_FIRST = Comparator.<Route, Boolean>comparing(
                    route -> route.kind() == Kind.TCP_ROUTE)
            .thenComparing(RouteTables.OLDEST);

    private final ObjectSet objects;
    private final RouteTables routes;
    private final EdgeBackends backends;

    ListenerTables(ObjectSet objects, RouteTables routes, EdgeBackends backends) {
        this.objects = objects;
        this.routes = routes;
        this.backends = backends;
    }

    void add(EdgeGateway gateway, EdgePorts to) {
        gateway.listeners().stream().filter(EdgeListener::isOpen).forEach(listener -> add(listener, gateway, to));
    }

    private void add(EdgeListener listener, EdgeGateway gateway, EdgePorts to) {
        var said = listener.said();
        var at = new RuleTranslation.At(null, gateway.gateway().namespace(), said.port());
        if (listener.isTcp()) {
            to.bytes(
                    said.port(),
                    attached(RawRoute.class, listener, gateway).values().stream()
                            .flatMap(List::stream)
                            .findFirst()
                            .flatMap(route -> routes.ofRawRoute(route, at))
                            .map(backends::reached)
                            .orElse(Forward.getDefaultInstance()));
            return;
        }
        var opened = to.listener(
                said.port(), listener.isTls() ? Form.TLS : Form.HTTP, said.name(), said.hostname(), content(listener));
        opened.certificates(listener.certificates());
        listener.clients().ifPresent(authorities -> opened.clients(authorities, false, List.of()));
        attached(HttpRoute.class, listener, gateway)
                .forEach((host, attached) -> opened.routes(
                        host,
                        routes.ofHttpRoutes(attached, at).stream()
                                .map(backends::reached)
                                .toList()));
        attached(RawRoute.class, listener, gateway)
                .forEach((host, attached) -> attached.stream()
                        .map(route -> routes.ofRawRoute(route, at))
                        .flatMap(Optional::stream)
                        .findFirst()
                        .ifPresent(forward -> opened.bytes(host, backends.reached(forward))));
    }

    private static Content content(EdgeListener listener) {
        if (!listener.said().protocol().equals("TLS")) {
            return Content.HTTP;
        }
        return listener.isPassthrough() ? Content.TLS : Content.BYTES_IN_TLS;
    }

    /// By host, oldest first, but all of TLS before all of TCP.
    private <R extends Route> Map<String, List<R>> attached(Class<R> type, EdgeListener listener, EdgeGateway gateway) {
        var byHost = new TreeMap<String, List<R>>();
        objects.all(type).stream()
                .sorted(TLS_FIRST)
                .forEach(route -> Attachment.taken(route, gateway, objects).stream()
                        .filter(taken -> taken.listener().equals(listener))
                        .flatMap(taken -> taken.hosts().stream())
                        .distinct()
                        .forEach(host -> byHost.computeIfAbsent(host, _ -> new ArrayList<>())
                                .add(route)));
        return byHost;
    }
}
