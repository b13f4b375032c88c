package dev.culvert.ztunnel.inbound;

import dev.culvert.hbone.codec.HboneStream;
import dev.culvert.hbone.failure.FailureReason;
import dev.culvert.hbone.failure.ProxyException;
import dev.culvert.hbone.headers.Authority;
import dev.culvert.hbone.headers.Baggage;
import dev.culvert.hbone.headers.ConnectRequest;
import dev.culvert.hbone.tls.HboneTls;
import dev.culvert.mesh.model.policy.Authorizer;
import dev.culvert.mesh.model.policy.ConnectionFacts;
import dev.culvert.mesh.model.state.MeshSnapshot;
import dev.culvert.mesh.model.workload.GatewayAddress;
import dev.culvert.mesh.model.workload.Service;
import dev.culvert.mesh.model.workload.Workload;
import dev.culvert.proxy.telemetry.AccessLog;
import dev.culvert.proxy.telemetry.Traffic;
import dev.culvert.ztunnel.inpod.Pod;
import dev.culvert.ztunnel.relay.ConnectionRecord;
import dev.culvert.ztunnel.relay.LiveConnection;
import dev.culvert.ztunnel.relay.Relay;
import dev.culvert.ztunnel.relay.SocketDial;
import dev.culvert.ztunnel.relay.SocketEnd;
import dev.culvert.ztunnel.relay.StreamEnd;
import dev.culvert.ztunnel.relay.Worker;
import dev.culvert.ztunnel.route.Router;
import java.net.InetSocketAddress;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/// One CONNECT to a captured pod, from its headers to its end: destination, policy, application, then 200 and bytes.
/// Confined to the loop of its connection.
final class InboundStream implements LiveConnection {
    /// What was settled before the application was called.
    private record Admitted(Workload workload, ConnectionFacts facts) {}

    private final Pod pod;
    private final Worker worker;
    private final Downstream downstream;
    private final HboneStream stream;
    private final StreamEnd end;
    private final ConnectRequest request;

    private @Nullable ConnectionRecord log;
    private @Nullable Relay relay;
    private @Nullable Admitted admitted;

    InboundStream(Pod pod, Worker worker, Downstream downstream, HboneStream stream, ConnectRequest request) {
        this.pod = pod;
        this.worker = worker;
        this.downstream = downstream;
        this.stream = stream;
        this.end = new StreamEnd(stream);
        this.request = request;
    }

    void serve() {
        worker.add(this);
        pod.awaitWorkload(worker.loop())
                .thenCompose(this::admit)
                .thenCompose(this::callApplication)
                .thenCompose(this::accept)
                .whenComplete((_, failure) -> recordAndClose(failure));
    }

    private CompletableFuture<Admitted> admit(Workload workload) {
        var mesh = pod.node().mesh().current();
        var target = target(mesh, workload);
        log = new ConnectionRecord(pod.node().metrics(), traffic(mesh, workload, target.orElse(0)), endpoints());
        if (target.isEmpty()) {
            return refuse(FailureReason.UNKNOWN_WORKLOAD, "no port for " + request.authority());
        }
        if (request.authority() instanceof Authority.Address(var address)
                && !address.getAddress().equals(downstream.local().getAddress())
                && !isBehindWaypoint(mesh, workload, address)) {
            return refuse(
                    FailureReason.IP_MISMATCH,
                    "ip mismatch: " + address.getAddress().getHostAddress() + " != "
                            + downstream.local().getAddress().getHostAddress());
        }
        if (Router.isOwnPort(target.get())) {
            return refuse(FailureReason.LOOP, "attempted recursive call to ourselves");
        }
        return authorize(mesh, workload, target.get());
    }

    private CompletableFuture<Admitted> authorize(MeshSnapshot mesh, Workload workload, int port) {
        var facts = new ConnectionFacts(
                downstream.identity(),
                downstream.remote().getAddress(),
                new InetSocketAddress(downstream.local().getAddress(), port));
        var verdict = Authorizer.decide(mesh.policiesFor(workload), facts);
        if (!verdict.isAllowed()) {
            return refuse(FailureReason.POLICY_DENIED, verdict.text());
        }
        admitted = new Admitted(workload, facts);
        return CompletableFuture.completedFuture(admitted);
    }

    private static <T extends @Nullable Object> CompletableFuture<T> refuse(FailureReason reason, String why) {
        return CompletableFuture.failedFuture(ProxyException.of(reason, why));
    }

    /// The port of the authority; of a hostname, what the endpoint or the service maps it to. An application tunnel
    /// may name another.
    private Optional<Integer> target(MeshSnapshot mesh, Workload workload) {
        var tunnel = workload.tunnel().application();
        if (tunnel != null && tunnel.port() != 0) {
            return Optional.of(tunnel.port());
        }
        return switch (request.authority()) {
            case Authority.Address(var address) -> Optional.of(address.getPort());
            case Authority.Host(var name, var port) ->
                mesh.serviceByHostname(name, workload.namespace())
                        .flatMap(service -> mapped(mesh, service, workload, port));
        };
    }

    private static Optional<Integer> mapped(MeshSnapshot mesh, Service service, Workload workload, int port) {
        var endpoint = mesh.endpoints(service.key()).get(workload.uid());
        var own = endpoint == null ? 0 : endpoint.ports().getOrDefault(port, 0);
        var target = own != 0 ? own : service.ports().getOrDefault(port, 0);
        return target == 0 ? Optional.empty() : Optional.of(target);
    }

    /// The pod is itself the waypoint of what the authority names, or takes any authority through its tunnel.
    private boolean isBehindWaypoint(MeshSnapshot mesh, Workload workload, InetSocketAddress address) {
        if (workload.tunnel().application() != null) {
            return true;
        }
        var network = pod.node().settings().network();
        var waypoint = mesh.serviceAt(network, address.getAddress(), workload.namespace())
                .flatMap(Service::waypoint)
                .or(() -> mesh.workloadAt(network, address.getAddress()).flatMap(Workload::waypoint));
        return waypoint.map(gateway -> switch (gateway.destination()) {
                    case GatewayAddress.ByHostname(var name) ->
                        mesh.endpoints(name).containsKey(workload.uid());
                    case GatewayAddress.ByAddress(var at) ->
                        workload.addresses().contains(at.address())
                                || mesh.serviceAt(at.network(), at.address(), workload.namespace())
                                        .map(service ->
                                                mesh.endpoints(service.key()).containsKey(workload.uid()))
                                        .orElse(false);
                })
                .orElse(false);
    }

    private Traffic traffic(MeshSnapshot mesh, Workload workload, int port) {
        var settings = pod.node().settings();
        var client = mesh.workloadAt(settings.network(), downstream.remote().getAddress());
        var baggage = settings.responseBaggage() ? request.baggage() : Baggage.NONE;
        return new Traffic(
                Traffic.Reporter.DESTINATION,
                new Traffic.Source(
                        client.orElse(null), client.isPresent() ? Baggage.NONE : baggage, downstream.identity()),
                workload,
                service(mesh, workload, port).orElse(null),
                true);
    }

    /// The service that the client meant, if the workload is part of it; else one of its services with that port.
    private Optional<Service> service(MeshSnapshot mesh, Workload workload, int port) {
        var services = workload.services().keySet().stream()
                .flatMap(key -> mesh.service(key).stream())
                .toList();
        return services.stream()
                .filter(service -> service.hostname().equals(request.forwarded().host()))
                .findFirst()
                .or(() -> services.stream()
                        .filter(service -> workload.services()
                                .getOrDefault(service.key(), Map.of())
                                .containsValue(port))
                        .findFirst());
    }

    private AccessLog.Endpoints endpoints() {
        return new AccessLog.Endpoints(
                downstream.remote(), downstream.local(), request.authority().toString());
    }

    private CompletableFuture<SocketEnd> callApplication(Admitted settled) {
        var source = pod.node().settings().spoofSource() ? downstream.remote().getAddress() : null;
        return SocketDial.connect(pod.sockets()::connect, worker.loop(), settled.facts.destination(), source);
    }

    /// Only now, with the application on the line, the client hears 200.
    private CompletableFuture<@Nullable Void> accept(SocketEnd application) {
        if (stream.isDead()) {
            application.abort();
            return refuse(FailureReason.DOWNSTREAM_RESET, "the client gave up before the answer");
        }
        var settings = pod.node().settings();
        var self = admitted == null || !settings.responseBaggage() ? Baggage.NONE : Baggage.of(admitted.workload);
        stream.respond(ConnectRequest.accepted(self), false);
        relay = new Relay(end, application);
        var result = relay.start();
        recheck(pod.node().mesh().current());
        return result;
    }

    private void recordAndClose(@Nullable Throwable failure) {
        worker.remove(this);
        if (relay == null) {
            end.release();
            var status =
                    failure == null ? 503 : ProxyException.of(failure).reason().status();
            stream.respond(ConnectRequest.refused(status), true);
        }
        if (log != null) {
            log.end(relay, failure);
        } else if (failure != null) {
            AccessLog.failed(
                    downstream.remote(),
                    downstream.local(),
                    "inbound",
                    ProxyException.of(failure).text());
        }
    }

    @Override
    public Description describe() {
        var host = request.forwarded().host();
        return new Description(
                pod.id().uid(),
                true,
                downstream.remote(),
                host.isEmpty() ? null : host,
                admitted == null ? downstream.local() : admitted.facts.destination(),
                "HBONE");
    }

    @Override
    public Optional<Tunnel> tunnel() {
        return Optional.of(new Tunnel(request.authority().toString(), downstream.identity()));
    }

    @Override
    public String podUid() {
        return pod.id().uid();
    }

    @Override
    public HboneTls.Peer peer() {
        return downstream.peer();
    }

    @Override
    public void recheck(MeshSnapshot mesh) {
        if (relay == null || admitted == null) {
            return;
        }
        var facts = admitted.facts;
        var verdict = pod.workload(mesh).map(workload -> Authorizer.decide(mesh.policiesFor(workload), facts));
        if (verdict.isPresent() && !verdict.get().isAllowed()) {
            cut(
                    FailureReason.POLICY_CHANGED,
                    "connection closed due to policy change: " + verdict.get().text());
        }
    }

    @Override
    public void cut(FailureReason reason, String why) {
        if (relay != null) {
            relay.cut(reason, why);
        }
    }
}
