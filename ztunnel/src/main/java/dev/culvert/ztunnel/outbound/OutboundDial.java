package dev.culvert.ztunnel.outbound;

import dev.culvert.hbone.failure.ProxyException;
import dev.culvert.hbone.headers.Authority;
import dev.culvert.hbone.headers.Baggage;
import dev.culvert.hbone.headers.ConnectRequest;
import dev.culvert.hbone.headers.Forwarded;
import dev.culvert.hbone.pool.PoolKey;
import dev.culvert.hbone.tls.HboneTls;
import dev.culvert.hbone.tunnel.Tunnel;
import dev.culvert.mesh.model.identity.SpiffeId;
import dev.culvert.mesh.model.workload.Workload;
import dev.culvert.proxy.telemetry.Traffic;
import dev.culvert.ztunnel.inpod.Pod;
import dev.culvert.ztunnel.relay.RelayEnd;
import dev.culvert.ztunnel.relay.SocketDial;
import dev.culvert.ztunnel.relay.StreamEnd;
import dev.culvert.ztunnel.relay.Worker;
import dev.culvert.ztunnel.route.Route;
import java.net.InetSocketAddress;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// Opens what a route names: a socket, a tunnel, or a tunnel in a tunnel. Confined to its loop.
/// @param source address of the application
record OutboundDial(Pod pod, Worker worker, Workload client, InetSocketAddress source) {
    /// @param peer who is at the far end of the tunnel; null without one
    /// @param destination who answered, where only the answer tells; else null
    record Opened(RelayEnd end, HboneTls.@Nullable Peer peer, Traffic.@Nullable Party destination) {}

    /// Fails with a [ProxyException].
    CompletableFuture<Opened> dial(Route route) {
        return switch (route) {
            case Route.Plain plain ->
                SocketDial.connect(pod.sockets()::connect, worker.loop(), plain.to(), null)
                        .thenApply(end -> new Opened(end, null, null));
            case Route.Hbone hbone ->
                withTls(tls -> pooled(tls, hbone.acceptedPeers(), hbone.nextHop(), request(hbone.authority(), hbone))
                        .thenApply(tunnel -> new Opened(new StreamEnd(tunnel.stream()), tunnel.peer(), null)));
            case Route.DoubleHbone both ->
                withTls(tls -> pooled(tls, both.acceptedGateways(), both.nextHop(), request(both.authority(), both))
                        .thenCompose(outer -> inside(outer, tls, both)));
            case Route.ByName name ->
                CompletableFuture.failedFuture(
                        new IllegalStateException(name.about().why()));
            case Route.Refused(var reason, var about) ->
                CompletableFuture.failedFuture(ProxyException.of(reason, about.why()));
        };
    }

    private CompletableFuture<Opened> withTls(Function<HboneTls, CompletableFuture<Opened>> then) {
        var tls = pod.node().certificates().tls(client.identity());
        // The one place that may cross threads, failures too: certificates come from the CA's.
        return (tls.isDone() ? tls : tls.whenCompleteAsync((_, _) -> {}, worker.loop())).thenCompose(then);
    }

    private CompletableFuture<Tunnel> pooled(
            HboneTls tls, Set<SpiffeId> accepted, InetSocketAddress to, ConnectRequest request) {
        return worker.pool()
                .open(
                        key(tls, accepted, to),
                        tls,
                        (next, handler) -> pod.sockets().connect(worker.loop(), next, null, handler),
                        request);
    }

    private PoolKey key(HboneTls tls, Set<SpiffeId> accepted, InetSocketAddress to) {
        return new PoolKey(
                pod.netnsInode(),
                client.identity(),
                accepted,
                to,
                tls.certificate().roots().hashCode());
    }

    private ConnectRequest request(Authority authority, Route route) {
        var service = route.about().service();
        return new ConnectRequest(
                authority,
                Baggage.of(client),
                Forwarded.of(source, service == null ? "" : service.hostname()),
                ConnectRequest.newTraceparent(),
                null);
    }

    /// The gateway passes on bytes; who is behind it proves itself inside, and hears from which network we come.
    private CompletableFuture<Opened> inside(Tunnel outer, HboneTls tls, Route.DoubleHbone both) {
        var request = request(both.authority(), both).from(client.network());
        return worker.pool()
                .openInside(outer, key(tls, both.acceptedPeers(), both.nextHop()), tls, request)
                .thenApply(tunnel -> new Opened(
                        new StreamEnd(tunnel.stream()),
                        tunnel.peer(),
                        new Traffic.Party(
                                null,
                                tunnel.server(),
                                tunnel.peer().identities().getFirst())));
    }

    /// Where the first connection goes.
    static InetSocketAddress nextHop(Route route, InetSocketAddress dialled) {
        return switch (route) {
            case Route.Plain plain -> plain.to();
            case Route.Hbone hbone -> hbone.nextHop();
            case Route.DoubleHbone both -> both.nextHop();
            case Route.ByName _, Route.Refused _ -> dialled;
        };
    }

    /// "" without a tunnel.
    static String authority(Route route) {
        return switch (route) {
            case Route.Hbone hbone -> hbone.authority().toString();
            case Route.DoubleHbone both -> both.authority().toString();
            case Route.Plain _, Route.ByName _, Route.Refused _ -> "";
        };
    }

    /// As the connections dump names it.
    static String protocol(@Nullable Route route) {
        return switch (route) {
            case Route.Hbone _ -> "HBONE";
            case Route.DoubleHbone _ -> "DOUBLEHBONE";
            case null, default -> "TCP";
        };
    }
}
