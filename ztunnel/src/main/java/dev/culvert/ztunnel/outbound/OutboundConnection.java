package dev.culvert.ztunnel.outbound;

import dev.culvert.hbone.failure.FailureReason;
import dev.culvert.hbone.failure.ProxyException;
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
import dev.culvert.ztunnel.relay.SocketEnd;
import dev.culvert.ztunnel.relay.Worker;
import dev.culvert.ztunnel.route.Needs;
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
    private static final int MAX_LOOKUPS = 4;

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
                .thenCompose(this::learn)
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

    /// Asks for what the decision needs and the mesh has not been told, if it is told on demand only. Each answer may
    /// name more, so some rounds of it.
    private CompletableFuture<Workload> learn(Workload client) {
        return pod.node().lookup().isNeeded() ? learn(client, MAX_LOOKUPS) : CompletableFuture.completedFuture(client);
    }

    private CompletableFuture<Workload> learn(Workload client, int rounds) {
        var mesh = pod.node().mesh().current();
        var missing = Needs.of(mesh, client.network(), client.namespace(), dst.getAddress());
        if (missing.isEmpty() || rounds == 0) {
            return CompletableFuture.completedFuture(client);
        }
        return pod.node()
                .lookup()
                .fetch(missing)
                .whenCompleteAsync((_, _) -> {}, worker.loop()) // failures too
                .thenCompose(_ -> learn(client, rounds - 1));
    }

    /// The first endpoint and, where it failed before it took anything, one other endpoint of the service; the same
    /// one if its proxy only takes no more streams on that connection.
    private CompletableFuture<RelayEnd> connect(Workload client) {
        var mesh = pod.node().mesh().current();
        var first = choose(mesh, client, Set.of());
        return attempt(client, first).exceptionallyCompose(failure -> {
            var why = ProxyException.of(failure);
            var failed = first.about().workload();
            var again = why.reason() == FailureReason.UPSTREAM_REFUSED;
            if (failed == null
                    || (!again && (!why.reason().retryable() || first.about().service() == null))) {
                return CompletableFuture.failedFuture(why);
            }
            var second = choose(mesh, client, again ? Set.of() : Set.of(failed.uid()));
            if (second instanceof Route.Refused) {
                return CompletableFuture.failedFuture(why);
            }
            end(why);
            return attempt(client, second);
        });
    }

    private Route choose(MeshSnapshot mesh, Workload client, Set<String> excluded) {
        return new Router(mesh, client, excluded, ThreadLocalRandom.current()).route(dst);
    }

    private CompletableFuture<RelayEnd> attempt(Workload client, Route chosen) {
        route = chosen;
        if (chosen instanceof Route.ByName byName) {
            return resolve(client, byName);
        }
        if (!(chosen instanceof Route.DoubleHbone)) {
            begin(client, chosen, Traffic.Party.of(chosen.about().workload()));
        }
        return new OutboundDial(pod, worker, client, source)
                .dial(chosen)
                .handle((opened, failure) -> {
                    if (log == null) {
                        var answered = opened == null ? null : opened.destination();
                        begin(client, chosen, answered == null ? Traffic.Party.UNKNOWN : answered);
                    }
                    if (opened == null) {
                        return CompletableFuture.<RelayEnd>failedFuture(failure);
                    }
                    peer = opened.peer();
                    return CompletableFuture.completedFuture(opened.end());
                })
                .thenCompose(end -> end);
    }

    private CompletableFuture<RelayEnd> resolve(Workload client, Route.ByName byName) {
        pod.node().metrics().nameLookedUp(client, byName.hostname());
        return pod.node()
                .names()
                .resolve(byName.hostname(), dst.getAddress(), ThreadLocalRandom.current())
                .handleAsync(
                        (address, failure) -> {
                            if (address == null) {
                                begin(
                                        client,
                                        byName,
                                        Traffic.Party.of(byName.about().workload()));
                                return CompletableFuture.<RelayEnd>failedFuture(failure);
                            }
                            return attempt(client, byName.then().apply(address));
                        },
                        worker.loop())
                .thenCompose(end -> end);
    }

    /// Opens the record of an attempt.
    private void begin(Workload client, Route chosen, Traffic.Party destination) {
        var authority = OutboundDial.authority(chosen);
        log = new ConnectionRecord(
                pod.node().metrics(),
                new Traffic(
                        Traffic.Reporter.SOURCE,
                        Traffic.Party.of(client),
                        destination,
                        chosen.about().service(),
                        !authority.isEmpty()),
                new AccessLog.Endpoints(source, OutboundDial.nextHop(chosen, dst), authority));
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
        return new Description(
                pod.id().uid(),
                false,
                source,
                Addresses.text(dst),
                route == null ? dst : OutboundDial.nextHop(route, dst),
                OutboundDial.protocol(route));
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
    public void count() {
        if (log != null) {
            log.count(relay);
        }
    }

    @Override
    public void cut(FailureReason reason, String why) {
        if (relay != null) {
            relay.cut(reason, why);
        } else {
            downstream.abort();
        }
    }
}
