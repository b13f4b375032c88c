package dev.culvert.ztunnel.inbound;

import dev.culvert.hbone.failure.FailureReason;
import dev.culvert.hbone.headers.Authority;
import dev.culvert.hbone.headers.ConnectRequest;
import dev.culvert.hbone.proxyprotocol.ProxyHeader;
import dev.culvert.mesh.model.state.MeshSnapshot;
import dev.culvert.mesh.model.workload.ApplicationTunnel;
import dev.culvert.mesh.model.workload.GatewayAddress;
import dev.culvert.mesh.model.workload.NetworkAddress;
import dev.culvert.mesh.model.workload.Service;
import dev.culvert.mesh.model.workload.Workload;
import dev.culvert.ztunnel.route.Router;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Comparator;
import java.util.Optional;
import java.util.function.IntPredicate;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Where a CONNECT to a captured pod ends. Pure.
sealed interface InboundTarget {
    /// @param application where policy sees it: the pod's address and the resolved port
    /// @param dial where it is called: the same, or the pod's loopback
    /// @param source whom the application sees
    /// @param header what it hears first, or null
    record Settled(
            InetSocketAddress application,
            InetSocketAddress dial,
            InetAddress source,
            @Nullable ProxyHeader header) implements InboundTarget {}

    record Refused(FailureReason reason, String why) implements InboundTarget {}

    /// What the decision needs of the pod.
    /// @param ports that may be asked for
    /// @param network its own
    /// @param loopback whether application tunnels with a PROXY header end at the pod's loopback
    record Here(MeshSnapshot mesh, Workload workload, IntPredicate ports, String network, boolean loopback) {}

    static InboundTarget of(Here here, Downstream downstream, ConnectRequest request) {
        var local = downstream.local().getAddress();
        if (request.authority() instanceof Authority.Address(var address)
                && !address.getAddress().equals(local)
                && !isBehindWaypoint(here, address)) {
            return new Refused(
                    FailureReason.IP_MISMATCH,
                    "ip mismatch: " + address.getAddress().getHostAddress() + " != " + local.getHostAddress());
        }
        var port = port(here, request.authority());
        if (port.isEmpty()) {
            return new Refused(FailureReason.UNKNOWN_WORKLOAD, "no port for " + request.authority());
        }
        var tunnel = here.workload.tunnel().application();
        var last = tunnel != null && tunnel.port() != 0 ? tunnel.port() : port.get();
        if (!here.ports.test(last)) {
            return new Refused(FailureReason.BAD_REQUEST, "port " + last + " is not served here");
        }
        if (Router.isOwnPort(port.get()) || Router.isOwnPort(last)) {
            return new Refused(FailureReason.LOOP, "attempted recursive call to ourselves");
        }
        var application = new InetSocketAddress(local, last);
        return tunnel != null && tunnel.protocol() == ApplicationTunnel.Protocol.PROXY
                ? proxied(here, downstream, request.authority(), application)
                : new Settled(application, application, downstream.remote().getAddress(), null);
    }

    /// The pod is itself the waypoint of what the authority names, or takes any authority through its tunnel.
    private static boolean isBehindWaypoint(Here here, InetSocketAddress authority) {
        if (here.workload.tunnel().application() != null) {
            return true;
        }
        var mesh = here.mesh;
        var ip = authority.getAddress();
        var waypoints = mesh.serviceAt(here.network, ip, here.workload.namespace())
                .map(service -> Stream.concat(
                        service.waypoint().stream(),
                        service.weightedWaypoints().stream().map(Service.WeightedWaypoint::destination)))
                .orElseGet(() -> mesh.workloadAt(here.network, ip).flatMap(Workload::waypoint).stream());
        return waypoints.anyMatch(gateway -> isPartOf(here, gateway));
    }

    private static boolean isPartOf(Here here, GatewayAddress gateway) {
        return switch (gateway.destination()) {
            case GatewayAddress.ByHostname(var name) ->
                here.mesh.endpoints(name).containsKey(here.workload.uid());
            case GatewayAddress.ByAddress(var at) ->
                here.workload.addresses().contains(at.address())
                        || here.mesh
                                .serviceAt(at.network(), at.address(), here.workload.namespace())
                                .map(service ->
                                        here.mesh.endpoints(service.key()).containsKey(here.workload.uid()))
                                .orElse(false);
        };
    }

    /// The port of the authority; of a hostname, what the endpoint or the service maps it to.
    private static Optional<Integer> port(Here here, Authority authority) {
        return switch (authority) {
            case Authority.Address(var address) -> Optional.of(address.getPort());
            case Authority.Host(var name, var port) ->
                here.mesh
                        .serviceByHostname(name, here.workload.namespace())
                        .flatMap(service -> mapped(here, service, port));
        };
    }

    private static Optional<Integer> mapped(Here here, Service service, int port) {
        var endpoint = here.mesh.endpoints(service.key()).get(here.workload.uid());
        var own = endpoint == null ? 0 : endpoint.ports().getOrDefault(port, 0);
        var target = own != 0 ? own : service.ports().getOrDefault(port, 0);
        return target == 0 ? Optional.empty() : Optional.of(target);
    }

    /// An application tunnel with a PROXY header, which says what the peer asked for.
    private static InboundTarget proxied(
            Here here, Downstream downstream, Authority authority, InetSocketAddress application) {
        var asked = asked(here, authority);
        if (asked.isEmpty()) {
            return new Refused(FailureReason.UNKNOWN_WORKLOAD, "no address for " + authority);
        }
        var header = new ProxyHeader(downstream.remote(), asked.get(), downstream.identity());
        if (!here.loopback) {
            return new Settled(application, application, downstream.remote().getAddress(), header);
        }
        var loopback = InetAddress.ofLiteral(application.getAddress() instanceof Inet4Address ? "127.0.0.1" : "::1");
        return new Settled(application, new InetSocketAddress(loopback, application.getPort()), loopback, header);
    }

    /// Of a hostname a VIP of its service: of our network rather than another, IPv4 rather than IPv6.
    private static Optional<InetSocketAddress> asked(Here here, Authority authority) {
        return switch (authority) {
            case Authority.Address(var address) -> Optional.of(address);
            case Authority.Host(var name, var port) ->
                here.mesh.serviceByHostname(name, here.workload.namespace()).stream()
                        .flatMap(service -> service.vips().stream())
                        .min(Comparator.comparing(
                                        (NetworkAddress vip) -> !vip.network().equals(here.network))
                                .thenComparing(vip -> !(vip.address() instanceof Inet4Address)))
                        .map(vip -> new InetSocketAddress(vip.address(), port));
        };
    }
}
