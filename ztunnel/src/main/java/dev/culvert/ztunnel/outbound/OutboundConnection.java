package dev.culvert.ztunnel.outbound;

import dev.culvert.hbone.failure.FailureReason;
import dev.culvert.hbone.failure.ProxyException;
import dev.culvert.hbone.headers.Baggage;
import dev.culvert.hbone.headers.ConnectRequest;
import dev.culvert.hbone.headers.Forwarded;
import dev.culvert.hbone.pool.PoolKey;
import dev.culvert.hbone.tls.HboneTls;
import dev.culvert.mesh.model.state.MeshSnapshot;
import dev.culvert.mesh.model.workload.Addresses;
import dev.culvert.mesh.model.workload.Workload;
import dev.culvert.proxy.telemetry.AccessLog;
import dev.culvert.proxy.telemetry.Traffic;
import dev.culvert.ztunnel.inpod.Pod;
import dev.culvert.ztunnel.relay.ConnectionRecord;
import dev.culvert.ztunnel.relay.LiveConnection;
import dev.culvert.ztunnel.relay.Relay;
import dev.culvert.ztunnel.relay.RelayEnd;
import dev.culvert.ztunnel.relay.SocketDial;
import dev.culvert.ztunnel.relay.SocketEnd;
import dev.culvert.ztunnel.relay.StreamEnd;
import dev.culvert.ztunnel.relay.Worker;
import dev.culvert.ztunnel.route.Route;
import dev.culvert.ztunnel.route.Router;
import io.netty.channel.socket.DuplexChannel;
import java.net.InetSocketAddress;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/// One outbound connection, from accept to close. Confined to its loop; every stage completes on it.
public final class OutboundConnection implements LiveConnection {
    private final Pod pod;
    private final Worker worker;
    private final SocketEnd downstream;
    private final InetSocketAddress source;
    private final InetSocketAddress dst;
    private final Greeting greeting;

    private @Nullable Route route;
    private @Nullable ConnectionRecord log;
    private @Nullable Relay relay;
    private HboneTls.@Nullable Peer peer;

    /// @param dst where the application wants to go
    public OutboundConnection(Pod pod, DuplexChannel accepted, InetSocketAddress dst, Greeting greeting) {
        this.pod = pod;
        this.worker = pod.node().worker(accepted.eventLoop());
        this.downstream = SocketEnd.install(accepted);
        this.source = Addresses.canonical((InetSocketAddress) accepted.remoteAddress());
        this.dst = dst;
        this.greeting = greeting;
    }

    public void serve() {
        assert worker.loop().inEventLoop();
        worker.add(this);
        pod.node().metrics().socketOpened(Traffic.Reporter.SOURCE);
        refuseLoops()
                .thenCompose(_ -> pod.awaitWorkload(worker.loop()))
                .thenCompose(this::connect)
                .thenCompose(upstream -> greeting.opened().thenApply(_ -> upstream))
                .thenCompose(upstream -> {
                    relay = new Relay(downstream, upstream);
                    return relay.start();
                })
                .whenComplete((_, failure) -> recordAndClose(failure));
    }

    private CompletableFuture<@Nullable Void> refuseLoops() {
        var own = dst.getAddress().isLoopbackAddress() && Router.isOwnPort(dst.getPort());
        return own
                        || dst.equals(Addresses.canonical(
                                (InetSocketAddress) downstream.channel().localAddress()))
                ? CompletableFuture.failedFuture(
                        ProxyException.of(FailureReason.LOOP, "attempted recursive call to ourselves"))
                : CompletableFuture.completedFuture(null);
    }

    /// The first endpoint and, where it failed before it took anything, one other endpoint of the service.
    private CompletableFuture<RelayEnd> connect(Workload client) {
        var mesh = pod.node().mesh().current();
        var first = choose(mesh, client, Set.of());
        return dial(client, first).exceptionallyCompose(failure -> {
            var why = ProxyException.of(failure);
            var failed = first.about().workload();
            if (!why.reason().retryable() || first.about().service() == null || failed == null) {
                return CompletableFuture.failedFuture(why);
            }
            var second = new Router(mesh, client, Set.of(failed.uid()), ThreadLocalRandom.current()).route(dst);
            if (second instanceof Route.Refused) {
                return CompletableFuture.failedFuture(why);
            }
            end(why);
            return dial(client, begin(client, second));
        });
    }

    private Route choose(MeshSnapshot mesh, Workload client, Set<String> excluded) {
        return begin(client, new Router(mesh, client, excluded, ThreadLocalRandom.current()).route(dst));
    }

    /// Opens the record of an attempt.
    private Route begin(Workload client, Route chosen) {
        route = chosen;
        var mutual = chosen instanceof Route.Hbone;
        var next = chosen instanceof Route.Hbone hbone
                ? hbone.nextHop()
                : chosen instanceof Route.Plain plain ? plain.to() : dst;
        var authority = chosen instanceof Route.Hbone hbone ? hbone.authority().toString() : "";
        log = new ConnectionRecord(
                pod.node().metrics(),
                new Traffic(
                        Traffic.Reporter.SOURCE,
                        new Traffic.Source(client, Baggage.NONE, client.identity()),
                        chosen.about().workload(),
                        chosen.about().service(),
                        mutual),
                new AccessLog.Endpoints(source, next, authority));
        return chosen;
    }

    private CompletableFuture<RelayEnd> dial(Workload client, Route chosen) {
        return switch (chosen) {
            case Route.Plain plain ->
                SocketDial.connect(pod.sockets()::connect, worker.loop(), plain.to(), null)
                        .thenApply(end -> end);
            case Route.Hbone hbone -> tunnel(client, hbone);
            case Route.Refused(var reason, var about) ->
                CompletableFuture.failedFuture(ProxyException.of(reason, about.why()));
        };
    }

    private CompletableFuture<RelayEnd> tunnel(Workload client, Route.Hbone hbone) {
        var tls = pod.node().certificates().tls(client.identity());
        return onLoop(tls).thenCompose(ready -> {
            var key = new PoolKey(
                    pod.netnsInode(),
                    client.identity(),
                    hbone.acceptedPeers(),
                    hbone.nextHop(),
                    ready.certificate().roots().hashCode());
            var service = hbone.about().service();
            var request = new ConnectRequest(
                    hbone.authority(),
                    Baggage.of(client),
                    Forwarded.of(source, service == null ? "" : service.hostname()),
                    ConnectRequest.newTraceparent());
            return worker.pool()
                    .open(key, ready, (to, handler) -> pod.sockets().connect(worker.loop(), to, null, handler), request)
                    .thenApply(tunnel -> {
                        peer = tunnel.peer();
                        return new StreamEnd(tunnel.stream());
                    });
        });
    }

    /// The one place that may cross threads: certificates come from the CA's.
    private CompletableFuture<HboneTls> onLoop(CompletableFuture<HboneTls> tls) {
        return tls.isDone() ? tls : tls.thenApplyAsync(ready -> ready, worker.loop());
    }

    private void recordAndClose(@Nullable Throwable failure) {
        if (!worker.loop().inEventLoop()) {
            worker.loop().execute(() -> recordAndClose(failure));
            return;
        }
        worker.remove(this);
        if (relay == null && failure != null) {
            greeting.failed(ProxyException.of(failure));
        }
        pod.node().metrics().socketClosed(Traffic.Reporter.SOURCE);
        if (log == null) {
            var why = failure == null ? "closed" : ProxyException.of(failure).text();
            AccessLog.failed(source, dst, "outbound", why);
        } else {
            end(failure);
        }
        downstream.close();
    }

    private void end(@Nullable Throwable failure) {
        if (log != null) {
            log.end(relay, failure);
            log = null;
        }
    }

    @Override
    public Description describe() {
        var actual = route instanceof Route.Hbone hbone
                ? hbone.nextHop()
                : route instanceof Route.Plain plain ? plain.to() : dst;
        return new Description(
                pod.id().uid(),
                false,
                source,
                Addresses.text(dst),
                actual,
                route instanceof Route.Hbone ? "HBONE" : "TCP");
    }

    @Override
    public String podUid() {
        return pod.id().uid();
    }

    @Override
    public HboneTls.@Nullable Peer peer() {
        return peer;
    }

    /// Policy is the destination's; nothing to decide here.
    @Override
    public void recheck(MeshSnapshot mesh) {}

    @Override
    public void cut(FailureReason reason, String why) {
        if (relay != null) {
            relay.cut(reason, why);
        } else {
            downstream.abort();
        }
    }
}
