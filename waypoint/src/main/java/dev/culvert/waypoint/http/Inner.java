package dev.culvert.waypoint.http;

import dev.culvert.mesh.model.state.MeshSnapshot;
import dev.culvert.mesh.model.workload.NamespacedHostname;
import dev.culvert.mesh.model.workload.Service;
import dev.culvert.mesh.model.workload.Workload;
import dev.culvert.protos.waypoint.PathNormalization;
import dev.culvert.protos.waypoint.Protocol;
import dev.culvert.waypoint.balance.Cluster;
import dev.culvert.waypoint.balance.ClusterSpec;
import dev.culvert.waypoint.balance.Endpoint;
import dev.culvert.waypoint.config.GovernedService;
import dev.culvert.waypoint.config.ServiceConfigs;
import dev.culvert.waypoint.policy.Caller;
import dev.culvert.waypoint.route.CompiledRoute;
import dev.culvert.waypoint.telemetry.RequestRecord;
import dev.culvert.waypoint.upstream.UpstreamPool;
import io.netty.channel.Channel;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// What is inside one tunnel that came in: who called, for which Service and port. Confined to its loop.
public final class Inner {
    private final Serving serving;
    private final Worker worker;
    private final Channel channel;
    private final Caller caller;
    private final GovernedService service;
    private final GovernedService.Port port;
    private final @Nullable Endpoint pod;
    private final List<Runnable> drains = new ArrayList<>(1);
    private boolean draining;
    private boolean edge;
    private @Nullable String listener;
    private CompiledRoute.@Nullable Targets bytes;

    /// @param channel the tunnel's bytes
    /// @param pod the one that was called by its own address; null for a Service
    public Inner(Shared shared, Channel channel, Caller caller, GovernedService service, @Nullable Endpoint pod) {
        this.serving = shared.serving;
        this.worker = shared.worker;
        this.channel = channel;
        this.caller = caller;
        this.service = service;
        this.port = service.port(caller.dialled().getPort())
                .orElseThrow(() -> new IllegalArgumentException("no such port: " + caller.dialled()));
        this.pod = pod;
        worker.add(this, channel);
    }

    /// What is on a connection from outside of the mesh.
    /// @param service the gateway's own
    /// @param listener by whose certificate it came in; null without TLS
    public static Inner atTheEdge(
            Shared shared, Channel channel, Caller caller, GovernedService service, @Nullable String listener) {
        var inner = new Inner(shared, channel, caller, service, null);
        inner.edge = true;
        inner.listener = listener;
        return inner;
    }

    /// Bytes on a connection from outside of the mesh.
    /// @param to where they go
    public static Inner bytesAtTheEdge(
            Shared shared, Channel channel, Caller caller, GovernedService service, CompiledRoute.Targets to) {
        var inner = atTheEdge(shared, channel, caller, service, null);
        inner.bytes = to;
        return inner;
    }

    /// Whether it is never looked at.
    boolean isBytes() {
        return bytes != null || port.protocol() == Protocol.TCP;
    }

    /// Where what is no HTTP goes.
    CompiledRoute.Targets bytes() {
        return bytes == null ? portNow().raw() : bytes;
    }

    boolean isAtTheEdge() {
        return edge;
    }

    /// Whether a request is for a host that another certificate is for (RFC 9110 §15.5.20).
    boolean isMisdirected(String authority) {
        return listener != null && portNow().routes().isMisdirected(authority, listener);
    }

    /// As the service's configuration says now.
    PathNormalization pathNormalization() {
        return service(serving.configs().current()).said().getPathNormalization();
    }

    /// What a tunnel shares with the others of its loop.
    public record Shared(Serving serving, Worker worker) {}

    Serving serving() {
        return serving;
    }

    Worker worker() {
        return worker;
    }

    Channel channel() {
        return channel;
    }

    Caller caller() {
        return caller;
    }

    GovernedService.Port port() {
        return port;
    }

    Optional<Endpoint> pod() {
        return Optional.ofNullable(pod);
    }

    /// As it is governed now; as it was when the tunnel came if that has ended.
    GovernedService service(ServiceConfigs.Snapshot now) {
        return now.again(service).orElse(service);
    }

    GovernedService.Port port(GovernedService now) {
        return now.port(caller.dialled().getPort()).orElseGet(() -> edge ? port.withoutRoutes() : port);
    }

    /// The port as it is now.
    GovernedService.Port portNow() {
        return port(service(serving.configs().current()));
    }

    RequestRecord record() {
        var mesh = serving.mesh().current();
        return new RequestRecord(
                serving.records(),
                new RequestRecord.Of(
                        caller,
                        client(mesh).orElse(null),
                        of(mesh).orElse(null),
                        service(serving.configs().current()).telemetry()));
    }

    /// The pod that calls, if the mesh knows it.
    Optional<Workload> client(MeshSnapshot mesh) {
        return mesh.workloadAt(serving.network(), caller.source().getAddress())
                .filter(workload -> workload.identity().equals(caller.proved()));
    }

    /// At the edge it is the backend that tells which Service a request is for.
    void leadsTo(RequestRecord record, ClusterSpec.Key backend) {
        if (edge) {
            record.service(serving.mesh()
                    .current()
                    .service(new NamespacedHostname(backend.namespace(), backend.hostname()))
                    .orElse(null));
        }
    }

    /// An endpoint of a cluster. Of a service that passes connections on as they were dialled it is what was dialled,
    /// unless that is a workload.
    Optional<Cluster.Chosen> choose(ClusterSpec spec, @Nullable Long hash, Set<String> tried) {
        var mesh = serving.mesh().current();
        var called = new NamespacedHostname(spec.key().namespace(), spec.key().hostname());
        if (!edge && called.equals(service.key())) {
            var passing = mesh.service(called).filter(Service::passesOn);
            if (passing.isPresent()) {
                var known = mesh.workloadAt(serving.network(), caller.dialled().getAddress());
                return known.isPresent()
                        ? Optional.empty()
                        : Optional.of(
                                serving.clusters().of(spec).only(Endpoint.dialled(passing.get(), caller.dialled())));
            }
        }
        return serving.choose(spec, hash, tried);
    }

    private Optional<Service> of(MeshSnapshot mesh) {
        return service.ofPods() ? Optional.empty() : mesh.service(service.key());
    }

    UpstreamPool.For whom() {
        return new UpstreamPool.For(
                caller.source(), serving.baggage(), service.key().hostname());
    }

    /// What ends the connection in an orderly way.
    void onDrain(Runnable drain) {
        drains.add(drain);
        if (draining) {
            drain.run();
        }
    }

    boolean isDraining() {
        return draining;
    }

    void drain() {
        draining = true;
        List.copyOf(drains).forEach(Runnable::run);
    }
}
