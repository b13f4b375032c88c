package dev.culvert.istiod.waypoint;

import dev.culvert.istiod.ingress.Credentials;
import dev.culvert.istiod.ingress.EdgePods;
import dev.culvert.istiod.ingress.Hosts;
import dev.culvert.istiod.ingress.Listeners;
import dev.culvert.istiod.waypoint.EdgePorts.Form;
import dev.culvert.kube.object.IstioGateway;
import dev.culvert.kube.object.IstioGateway.Server;
import dev.culvert.kube.object.IstioGateway.TlsMode;
import dev.culvert.kube.object.ObjectSet;
import dev.culvert.kube.object.Problem;
import dev.culvert.kube.object.RawRule;
import dev.culvert.kube.object.VirtualService;
import dev.culvert.protos.waypoint.Content;
import dev.culvert.protos.waypoint.Forward;
import dev.culvert.protos.waypoint.Redirect;
import dev.culvert.protos.waypoint.Route;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/// Servers of Istio's Gateways, with the VirtualServices that are bound to them.
final class ServerTables {
    /// Of all that comes without TLS to one port: hosts of several Gateways are one table, as in Istio.
    private static final String ALL = "";

    private static final int MOVED = 301;

    private final ObjectSet objects;
    private final BoundServices services;
    private final RouteTables routes;
    private final EdgeBackends backends;
    private final List<Problem> problems;

    /// One server of pods' ports.
    private record At(EdgePods pods, IstioGateway gateway, Server server, EdgePorts to) {
        RuleTranslation.At rules() {
            return new RuleTranslation.At(null, pods.namespace(), server.port());
        }

        String listener() {
            return gateway.reference() + ", " + server.name();
        }
    }

    ServerTables(
            ObjectSet objects,
            BoundServices services,
            RouteTables routes,
            EdgeBackends backends,
            List<Problem> problems) {
        this.objects = objects;
        this.services = services;
        this.routes = routes;
        this.backends = backends;
        this.problems = problems;
    }

    void add(EdgePods pods, EdgePorts to) {
        for (var gateway : pods.servers(objects)) {
            for (var server : gateway.servers()) {
                add(new At(pods, gateway, server, to));
            }
        }
    }

    private void add(At at) {
        var server = at.server;
        if (!server.broken().isEmpty()) {
            wrong(at, server.broken());
        } else if (Listeners.isReserved(server.port())) {
            wrong(at, "port " + server.port() + " is the gateway's own: write another");
        } else if (!at.to.fits(server.port(), form(server))) {
            wrong(at, "another Gateway takes something else than " + server.protocol() + " on port " + server.port());
        } else {
            switch (server.protocol()) {
                case HTTP -> http(at);
                case HTTPS, TLS -> tls(at);
                case TCP -> tcp(at);
            }
        }
    }

    private static Form form(Server server) {
        return switch (server.protocol()) {
            case HTTP -> Form.HTTP;
            case HTTPS, TLS -> Form.TLS;
            case TCP -> Form.BYTES;
        };
    }

    private void wrong(At at, String why) {
        problems.add(Problem.error(
                at.server.place(),
                at.gateway.key().toString(),
                "server " + at.server.name() + " is not served: " + why,
                "correct the server"));
    }

    // ---- HTTP ----

    private void http(At at) {
        var server = at.server;
        var opened = at.to.listener(server.port(), Form.HTTP, at.listener(), ALL, Content.HTTP);
        if (server.redirects()) {
            var redirect = List.of(toHttps(at));
            names(server).forEach(host -> opened.routes(host, redirect));
            bound(at).flatMap(one -> one.hosts().stream()).distinct().forEach(host -> opened.routes(host, redirect));
            return;
        }
        bound(at).forEach(one -> {
            var translated = translated(one.service(), at);
            one.hosts().forEach(host -> opened.routes(host, translated));
        });
    }

    private static Route toHttps(At at) {
        return Route.newBuilder()
                .setName(at.gateway.reference() + " httpsRedirect")
                .setRedirect(Redirect.newBuilder()
                        .setStatus(MOVED)
                        .setScheme("https")
                        .setPortFrom(Redirect.PortFrom.SCHEME))
                .build();
    }

    private List<Route> translated(VirtualService service, At at) {
        return routes.ofVirtualService(service, at.gateway.reference(), at.rules()).stream()
                .map(backends::reached)
                .toList();
    }

    // ---- TLS ----

    private static Set<String> names(Server server) {
        var names = new LinkedHashSet<String>();
        server.hosts().forEach(host -> names.add(host.name()));
        return names;
    }

    private void tls(At at) {
        var server = at.server;
        var tls = server.tls().orElseThrow();
        var credentials = Credentials.of(tls, at.pods.namespace(), objects);
        credentials.problem().ifPresent(why -> wrong(at, why));
        var passed = tls.mode() == TlsMode.PASSTHROUGH;
        var bytes = server.protocol() == IstioGateway.Protocol.TLS || passed;
        for (var name : names(server)) {
            if (at.to.has(server.port(), name)) {
                wrong(at, "another server has host " + (name.isEmpty() ? "*" : name) + " of port " + server.port());
                continue;
            }
            var content = passed ? Content.TLS : bytes ? Content.BYTES_IN_TLS : Content.HTTP;
            var opened = at.to.listener(server.port(), Form.TLS, at.listener(), name, content);
            opened.certificates(credentials.keys());
            opened.versions(tls.minVersion(), tls.maxVersion());
            if (tls.mode().asksClients()) {
                opened.clients(credentials.authorities(), tls.mode() == TlsMode.OPTIONAL_MUTUAL, tls.names());
            }
            var seen = new HashSet<String>();
            bound(at, name).forEach(one -> {
                if (!bytes) {
                    var translated = translated(one.service(), at);
                    one.hosts().forEach(host -> opened.routes(host, translated));
                } else if (passed) {
                    byName(one.service(), at, name, seen, opened);
                } else if (seen.isEmpty()) {
                    plain(one.service(), at).ifPresent(forward -> {
                        seen.add(name);
                        opened.bytes(name, forward);
                    });
                }
            });
        }
    }

    /// Each VirtualService once, with all hosts that it has in common with a server; the oldest first.
    private Stream<BoundServices.Bound> bound(At at) {
        var byService = new LinkedHashMap<VirtualService, Set<String>>();
        for (var host : at.server.hosts()) {
            for (var one : services.of(at.gateway, host, at.pods.namespace())) {
                byService
                        .computeIfAbsent(one.service(), _ -> new LinkedHashSet<>())
                        .addAll(one.hosts());
            }
        }
        return byService.entrySet().stream()
                .map(entry -> new BoundServices.Bound(entry.getKey(), List.copyOf(entry.getValue())))
                .sorted(Comparator.comparing(BoundServices.Bound::service, RouteTables.OLDEST));
    }

    /// VirtualServices that are bound to one name of a server, the oldest first.
    private Stream<BoundServices.Bound> bound(At at, String name) {
        return at.server.hosts().stream()
                .filter(host -> host.name().equals(name))
                .flatMap(host -> services.of(at.gateway, host, at.pods.namespace()).stream())
                .distinct();
    }

    /// The first rule of a name counts.
    private void byName(VirtualService service, At at, String name, Set<String> seen, EdgePorts.Listener opened) {
        for (var rule : service.raw()) {
            for (var match : rule.matches(at.gateway.reference(), at.server.port())) {
                if (match.serverNames().isEmpty()) {
                    continue;
                }
                Hosts.common(name, BoundServices.names(match.serverNames())).stream()
                        .filter(seen::add)
                        .forEach(host -> opened.bytes(host, raw(rule, service, at)));
            }
        }
    }

    // ---- bytes ----

    /// The first rule of TCP that is for this port.
    private Optional<Forward> plain(VirtualService service, At at) {
        return service.raw().stream()
                .filter(rule -> rule.matches(at.gateway.reference(), at.server.port()).stream()
                        .map(RawRule.Match::serverNames)
                        .anyMatch(List::isEmpty))
                .findFirst()
                .map(rule -> raw(rule, service, at));
    }

    private Forward raw(RawRule rule, VirtualService service, At at) {
        return backends.reached(routes.raw(rule, service, at.rules()));
    }

    private void tcp(At at) {
        if (at.to.has(at.server.port(), ALL)) {
            wrong(at, "another server has port " + at.server.port());
            return;
        }
        at.to.bytes(
                at.server.port(),
                bound(at)
                        .flatMap(one -> plain(one.service(), at).stream())
                        .findFirst()
                        .orElse(Forward.getDefaultInstance()));
    }
}
