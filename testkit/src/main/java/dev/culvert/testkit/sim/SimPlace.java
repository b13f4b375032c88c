package dev.culvert.testkit.sim;

import dev.culvert.linux.netns.NetworkNamespace;
import dev.culvert.testkit.backend.AppListener;
import dev.culvert.testkit.backend.AppSocket;
import dev.culvert.testkit.backend.Place;
import dev.culvert.ztunnel.inbound.InboundListener;
import dev.culvert.ztunnel.inpod.PodSockets;
import dev.culvert.ztunnel.outbound.OutboundListener;
import dev.culvert.ztunnel.passthrough.PassthroughListener;
import java.io.IOException;
import java.net.BindException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/// One pod's simulated network: addresses, listening ports, and whether it is captured. Guarded by the
/// network's lock.
final class SimPlace implements Place {
    static final int OUTBOUND_PORT = OutboundListener.PORT;
    static final int PASSTHROUGH_PORT = PassthroughListener.PORT;
    static final int HBONE_PORT = InboundListener.PORT;

    private static final long CONNECT_SECONDS = 5;

    private final SimNetwork network;
    private final Where where;
    private final NetworkNamespace.Id namespace;
    private final Map<Integer, SimListener> listeners = new HashMap<>();
    private boolean captured;

    record Where(String node, String pod, List<InetAddress> addresses) {
        Where {
            addresses = List.copyOf(addresses);
        }
    }

    SimPlace(SimNetwork network, Where where, int number) {
        this.network = network;
        this.where = where;
        this.namespace = new NetworkNamespace.Id(0, number);
    }

    String node() {
        return where.node;
    }

    NetworkNamespace.Id namespace() {
        return namespace;
    }

    boolean isCaptured() {
        return captured;
    }

    boolean isOwn(InetAddress address) {
        return address.isLoopbackAddress() || where.addresses.contains(address);
    }

    @Nullable
    SimListener listener(int port) {
        return listeners.get(port);
    }

    @Override
    public PodSockets sockets() {
        return new SimSockets(network, this);
    }

    @Override
    public void capture(boolean dns) {
        if (dns) {
            throw new UnsupportedOperationException("the simulated network has no UDP: use NETNS");
        }
        network.locked(() -> captured = true);
    }

    /// @param source address to show, or null for the pod's own
    SimDial dial(InetSocketAddress to, @Nullable InetAddress source, boolean byProxy) {
        var shown = source == null ? ownAddress(to.getAddress()) : source;
        return new SimDial(
                network, this, new SimDial.Wanted(new InetSocketAddress(shown, network.nextPort()), to, byProxy));
    }

    private InetAddress ownAddress(InetAddress towards) {
        if (towards.isLoopbackAddress()) {
            return towards;
        }
        var four = towards instanceof Inet4Address;
        return where.addresses.stream()
                .filter(address -> address instanceof Inet4Address == four)
                .findFirst()
                .orElse(towards);
    }

    @Override
    public AppSocket connect(InetSocketAddress to) throws IOException {
        var dial = dial(to, null, false);
        CompletableFuture<SimSocket> result = network.locked(dial::start);
        try {
            return new SimAppSocket(result.get(CONNECT_SECONDS, TimeUnit.SECONDS));
        } catch (ExecutionException e) {
            throw e.getCause() instanceof IOException why ? why : new IOException(e);
        } catch (TimeoutException e) {
            dial.cancel();
            throw new SocketTimeoutException("Connect timed out");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }

    void listen(SimListener listener) throws BindException {
        network.locked(() -> {
            if (listeners.putIfAbsent(listener.port(), listener) != null) {
                throw new BindException("Address already in use: " + where.pod + " port " + listener.port());
            }
            return listener;
        });
    }

    void unlisten(SimListener listener) {
        network.locked(() -> listeners.remove(listener.port(), listener));
    }

    @Override
    public AppListener listen(int port) throws IOException {
        return SimAppListener.open(network, this, port);
    }

    @Override
    public void remove() {
        network.remove(this);
    }
}
