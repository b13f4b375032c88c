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
import dev.culvert.ztunnel.route.Needs;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;

/// One CONNECT to a captured pod, from its headers to its end: destination, policy, application, then 200 and bytes.
/// Confined to the loop of its connection.
final class InboundStream implements LiveConnection {
    /// What was settled before the application was called.
    private record Admitted(Workload workload, ConnectionFacts facts, InboundTarget.Settled target) {}

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

    /// @param ports of the pod that may be asked for
    void serve(IntPredicate ports) {
        worker.add(this);
        pod.awaitWorkload(worker.loop())
                .thenCompose(this::learn)
                .thenCompose(workload -> admit(workload, ports))
                .thenCompose(this::callApplication)
                .thenCompose(this::accept)
                .whenComplete((_, failure) -> recordAndClose(failure));
    }

    /// An authority other than this pod may be one whose waypoint it is: asked for, if the mesh is told on demand
    /// only.
    private CompletableFuture<Workload> learn(Workload workload) {
        var lookup = pod.node().lookup();
        if (!lookup.isNeeded()
                || !(request.authority() instanceof Authority.Address(var address))
                || address.getAddress().equals(downstream.local().getAddress())) {
            return CompletableFuture.completedFuture(workload);
        }
        var network = pod.node().settings().network();
        var missing = Needs.of(pod.node().mesh().current(), network, workload.namespace(), address.getAddress());
        return lookup.fetch(missing).handleAsync((_, _) -> workload, worker.loop());
    }

    private CompletableFuture<Admitted> admit(Workload workload, IntPredicate ports) {
        var node = pod.node();
        var mesh = node.mesh().current();
        var settings = node.settings();
        var here = new InboundTarget.Here(mesh, workload, ports, settings.network(), settings.localhostAppTunnel());
        var target = InboundTarget.of(here, downstream, request);
        var port = target instanceof InboundTarget.Settled settled
                ? settled.application().getPort()
                : 0;
        log = new ConnectionRecord(node.metrics(), traffic(mesh, workload, port), endpoints());
        return switch (target) {
            case InboundTarget.Settled settled -> authorize(mesh, workload, settled);
            case InboundTarget.Refused(var reason, var why) -> refuse(reason, why);
        };
    }

    private CompletableFuture<Admitted> authorize(MeshSnapshot mesh, Workload workload, InboundTarget.Settled target) {
        var facts =
                new ConnectionFacts(downstream.identity(), downstream.remote().getAddress(), target.application());
        var verdict = pod.node().verdict(mesh, workload, facts);
        if (!verdict.isAllowed()) {
            return refuse(FailureReason.POLICY_DENIED, verdict.text());
        }
        admitted = new Admitted(workload, facts, target);
        return CompletableFuture.completedFuture(admitted);
    }

    private static <T extends @Nullable Object> CompletableFuture<T> refuse(FailureReason reason, String why) {
        return CompletableFuture.failedFuture(ProxyException.of(reason, why));
    }

    private Traffic traffic(MeshSnapshot mesh, Workload workload, int port) {
        var settings = pod.node().settings();
        var client = isFromElsewhere(settings.network())
                ? Optional.<Workload>empty()
                : mesh.workloadAt(settings.network(), downstream.remote().getAddress());
        var baggage = settings.responseBaggage() ? request.baggage() : Baggage.NONE;
        return new Traffic(
                Traffic.Reporter.DESTINATION,
                new Traffic.Party(
                        client.orElse(null), client.isPresent() ? Baggage.NONE : baggage, downstream.identity()),
                Traffic.Party.of(workload),
                service(mesh, workload, port).orElse(null),
                true);
    }

    /// Another network may use our addresses too.
    private boolean isFromElsewhere(String network) {
        var client = request.clientNetwork();
        return client != null && !client.equalsIgnoreCase(network);
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
        var target = settled.target;
        var loopback = target.source().isLoopbackAddress();
        var source = loopback || pod.node().settings().spoofSource() ? target.source() : null;
        return SocketDial.connect(pod.sockets()::connect, worker.loop(), target.dial(), source);
    }

    /// Only now, with the application on the line, the client hears 200.
    private CompletableFuture<@Nullable Void> accept(SocketEnd application) {
        if (stream.isDead() || admitted == null) {
            application.abort();
            return refuse(FailureReason.DOWNSTREAM_RESET, "the client gave up before the answer");
        }
        var self = pod.node().settings().responseBaggage() ? Baggage.of(admitted.workload) : Baggage.NONE;
        stream.respond(ConnectRequest.accepted(self), false);
        var both = new Relay(end, application);
        relay = both;
        var header = admitted.target.header();
        var result = header == null
                ? both.start()
                : application
                        .sayFirst(header.encode(application.channel().alloc()))
                        .thenCompose(_ -> both.start());
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
        } else if (failure != null) {
            relay.cut(FailureReason.UPSTREAM_RESET, "the relay has failed");
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
    public void count() {
        if (log != null) {
            log.count(relay);
        }
    }

    @Override
    public void cut(FailureReason reason, String why) {
        if (relay != null) {
            relay.cut(reason, why);
        }
    }
}
