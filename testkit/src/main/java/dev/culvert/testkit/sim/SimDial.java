package dev.culvert.testkit.sim;

import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.NoRouteToHostException;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/// One attempt to connect: a SYN that is sent again as long as the link is down. Guarded by the network's
/// lock.
final class SimDial {
    private final SimNetwork network;
    private final SimPlace from;
    private final Wanted wanted;
    private final CompletableFuture<SimSocket> result = new CompletableFuture<>();
    private final Runnable again = this::arrive;

    /// @param source as the other side sees it
    /// @param byProxy carries ztunnel's mark, so it is not redirected where it starts
    record Wanted(InetSocketAddress source, InetSocketAddress to, boolean byProxy) {}

    SimDial(SimNetwork network, SimPlace from, Wanted wanted) {
        this.network = network;
        this.from = from;
        this.wanted = wanted;
    }

    /// Completes with the lock held.
    CompletableFuture<SimSocket> start() {
        var to = target();
        if (to == null) {
            result.completeExceptionally(new NoRouteToHostException("No route to host"));
        } else {
            var roundTrip = 2 * network.link(from, to).delayNanos();
            if (roundTrip == 0) {
                arrive();
            } else {
                network.later(again, roundTrip);
            }
        }
        return result;
    }

    /// Nobody waits for it any more.
    void cancel() {
        network.locked(() -> result.cancel(false));
    }

    private boolean isRedirectedOut() {
        return from.isCaptured() && !wanted.byProxy && !from.isOwn(wanted.to.getAddress());
    }

    private @Nullable SimPlace target() {
        return isRedirectedOut() || from.isOwn(wanted.to.getAddress()) ? from : network.placeOf(wanted.to.getAddress());
    }

    private void arrive() {
        network.locked(() -> {
            var to = target();
            if (result.isDone()) {
                return;
            }
            if (to == null) {
                result.completeExceptionally(new NoRouteToHostException("No route to host"));
                return;
            }
            var link = network.link(from, to);
            if (link.isDown()) {
                link.hold(again);
                return;
            }
            var listener = to.listener(port(to));
            if (listener == null) {
                result.completeExceptionally(new ConnectException("Connection refused"));
            } else {
                establish(to, link, listener);
            }
        });
    }

    private int port(SimPlace to) {
        if (isRedirectedOut()) {
            return SimPlace.OUTBOUND_PORT;
        }
        var direct = to.equals(from) || wanted.to.getPort() == SimPlace.HBONE_PORT;
        return to.isCaptured() && !direct ? SimPlace.PASSTHROUGH_PORT : wanted.to.getPort();
    }

    private void establish(SimPlace to, Link link, SimListener listener) {
        var mine =
                new SimSocket(network, from.namespace(), link, new SimSocket.Ends(wanted.source, wanted.to, wanted.to));
        var local = new InetSocketAddress(
                isRedirectedOut() ? wanted.source.getAddress() : wanted.to.getAddress(), listener.port());
        var theirs = new SimSocket(network, to.namespace(), link, new SimSocket.Ends(local, wanted.source, wanted.to));
        SimSocket.join(mine, theirs);
        network.remember(mine);
        network.remember(theirs);
        listener.onAccept().accept(theirs);
        result.complete(mine);
    }
}
