package dev.culvert.waypoint.listener;

import dev.culvert.hbone.codec.DiscardingListener;
import dev.culvert.hbone.codec.HboneStream;
import dev.culvert.hbone.headers.Authority;
import dev.culvert.hbone.headers.Baggage;
import dev.culvert.hbone.headers.ConnectRequest;
import dev.culvert.mesh.model.identity.SpiffeId;
import dev.culvert.mesh.model.workload.Addresses;
import dev.culvert.mesh.model.workload.GatewayAddress;
import dev.culvert.mesh.model.workload.Workload;
import dev.culvert.proxy.telemetry.AccessLog;
import dev.culvert.waypoint.balance.Endpoint;
import dev.culvert.waypoint.config.GovernedService;
import dev.culvert.waypoint.http.Inner;
import dev.culvert.waypoint.http.InnerConnection;
import dev.culvert.waypoint.policy.Caller;
import dev.culvert.waypoint.tunnel.TunnelChannel;
import java.net.InetSocketAddress;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// One CONNECT: which Service or pod it means. It is answered 200 once that is known, and 503 if it is none
/// of ours. Confined to its loop.
final class TunnelOpening {
    private static final long LOOK_AGAIN_MILLIS = 50;

    /// @param pod null for a Service
    private record Meant(GovernedService service, @Nullable Endpoint pod) {}

    private final DownstreamConnection connection;
    private final SpiffeId identity;
    private final HboneStream stream;
    private final Authority authority;
    private final long deadlineNanos;

    TunnelOpening(DownstreamConnection connection, SpiffeId identity, HboneStream stream, Authority authority) {
        this.connection = connection;
        this.identity = identity;
        this.stream = stream;
        this.authority = authority;
        this.deadlineNanos =
                System.nanoTime() + connection.config().bounds().configWait().toNanos();
    }

    /// The client sends nothing before the 200, and what it sends all the same is dropped.
    void serve() {
        stream.listener(DiscardingListener.INSTANCE);
        if (authority instanceof Authority.Address(var dialled)) {
            look(dialled);
        } else {
            refuse("names across networks are not supported yet: " + authority);
        }
    }

    /// The controller may tell the client's node before it tells us.
    private void look(InetSocketAddress dialled) {
        if (stream.isDead()) {
            return;
        }
        var found = meant(dialled);
        if (found.isPresent()) {
            accept(dialled, found.get());
        } else if (System.nanoTime() - deadlineNanos > 0) {
            refuse("no Service or pod that this waypoint serves: " + Addresses.text(dialled));
        } else {
            connection.worker().loop().schedule(() -> look(dialled), LOOK_AGAIN_MILLIS, TimeUnit.MILLISECONDS);
        }
    }

    /// An address means the same here as to the caller's node: of several services that have it the one of the
    /// caller's namespace. A service that passes connections on is none for workloads whose addresses it
    /// covers, which would take from us what they take from nobody else.
    private Optional<Meant> meant(InetSocketAddress dialled) {
        var serving = connection.config().serving();
        var mesh = serving.mesh().current();
        var now = serving.configs().current();
        var service = mesh.serviceAt(serving.network(), dialled.getAddress(), identity.namespace());
        var workload = mesh.workloadAt(serving.network(), dialled.getAddress());
        if (service.isPresent() && (workload.isEmpty() || !service.get().passesOn())) {
            return now.service(service.get().key())
                    .filter(governed -> governed.port(dialled.getPort()).isPresent())
                    .map(governed -> new Meant(governed, null));
        }
        return now.pods()
                .flatMap(governed ->
                        workload.filter(this::namesUs).map(known -> new Meant(governed, Endpoint.of(known, dialled))));
    }

    private boolean namesUs(Workload workload) {
        return workload.waypoint()
                .filter(gateway -> gateway.destination() instanceof GatewayAddress.ByHostname(var name)
                        && name.equals(connection.config().gateway()))
                .isPresent();
    }

    private void accept(InetSocketAddress dialled, Meant meant) {
        var channel = new TunnelChannel(connection.listener(), stream, connection.local(), connection.remote());
        channel.config().setAutoRead(false);
        var worker = connection.worker();
        worker.loop().register(channel);
        stream.respond(ConnectRequest.accepted(Baggage.NONE), false);
        var inner = new Inner(
                new Inner.Shared(connection.config().serving(), worker),
                channel,
                new Caller(identity, connection.remote(), dialled),
                meant.service,
                meant.pod);
        InnerConnection.serve(inner);
    }

    private void refuse(String why) {
        AccessLog.failed(connection.remote(), connection.local(), "inbound", why);
        stream.respond(ConnectRequest.refused(503), true);
    }
}
