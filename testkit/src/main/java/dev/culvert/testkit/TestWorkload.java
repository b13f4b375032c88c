package dev.culvert.testkit;

import dev.culvert.mesh.model.identity.SpiffeId;
import dev.culvert.mesh.model.state.Change;
import dev.culvert.mesh.model.workload.Addresses;
import dev.culvert.mesh.model.workload.ApplicationTunnel;
import dev.culvert.mesh.model.workload.GatewayAddress;
import dev.culvert.mesh.model.workload.Locality;
import dev.culvert.mesh.model.workload.NamespacedHostname;
import dev.culvert.mesh.model.workload.NetworkAddress;
import dev.culvert.mesh.model.workload.TunnelProtocol;
import dev.culvert.mesh.model.workload.Workload;
import dev.culvert.testkit.backend.Place;
import dev.culvert.ztunnel.inpod.PodId;
import dev.culvert.ztunnel.inpod.PodProxy;
import dev.culvert.ztunnel.relay.LiveConnection;
import dev.culvert.ztunnel.relay.LiveConnection.Tunnel;
import io.netty.handler.codec.http2.Http2Headers;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/// A pod with its applications. It is made, and the mesh told of it, by the first verb that needs it; what
/// describes it comes before.
public final class TestWorkload {
    private final Mesh mesh;
    private final String name;
    private String node = "node-a";
    private String namespace = "default";
    private String serviceAccount;
    private Family family;
    private boolean captured;
    private String hostname = "";
    private UnaryOperator<Workload.Tunnel> reach = tunnel -> tunnel;

    private @Nullable Running running;
    private final Map<NamespacedHostname, Map<Integer, Integer>> services = new LinkedHashMap<>();
    private final List<String> policies = new ArrayList<>();
    private final List<Listening> listening = new ArrayList<>();
    private @Nullable TestGateway gateway;
    private final List<Connection> accepted = new ArrayList<>();

    private record Running(
            Place place,
            List<InetAddress> addresses,
            @Nullable PodProxy proxy) {}

    TestWorkload(Mesh mesh, String name) {
        this.mesh = mesh;
        this.name = name;
        this.serviceAccount = name;
        this.family = mesh.family();
    }

    // ---- what it is ----

    private TestWorkload describe(Runnable change) {
        if (running != null) {
            throw new IllegalStateException(name + " is running already: describe it before its first use");
        }
        change.run();
        return this;
    }

    public TestWorkload on(String nodeName) {
        return describe(() -> node = nodeName);
    }

    public TestWorkload namespace(String its) {
        return describe(() -> namespace = its);
    }

    public TestWorkload serviceAccount(String its) {
        return describe(() -> serviceAccount = its);
    }

    public TestWorkload addresses(Family its) {
        return describe(() -> family = its);
    }

    /// Its connections go through its node's ztunnel.
    public TestWorkload captured() {
        return describe(() -> captured = true);
    }

    /// Speaks HBONE itself, as waypoints and gateways do.
    public TestWorkload speakingHbone() {
        return describe(() -> reach = with(
                reach,
                tunnel -> new Workload.Tunnel(
                        TunnelProtocol.HBONE,
                        true,
                        tunnel.waypoint(),
                        tunnel.networkGateway(),
                        tunnel.application(),
                        tunnel.plainPorts())));
    }

    /// What is addressed to it goes through a waypoint.
    public TestWorkload behindWaypoint(TestWorkload waypoint) {
        return describe(() -> reach = with(
                reach,
                tunnel -> new Workload.Tunnel(
                        tunnel.protocol(),
                        tunnel.nativeTunnel(),
                        waypoint.gatewayAddress(),
                        tunnel.networkGateway(),
                        tunnel.application(),
                        tunnel.plainPorts())));
    }

    /// From other networks it is reached through a gateway only.
    public TestWorkload behindGateway(TestWorkload through) {
        return describe(() -> reach = with(
                reach,
                tunnel -> new Workload.Tunnel(
                        tunnel.protocol(),
                        tunnel.nativeTunnel(),
                        tunnel.waypoint(),
                        through.gatewayAddress(),
                        tunnel.application(),
                        tunnel.plainPorts())));
    }

    /// How its own proxy wants its bytes.
    public TestWorkload applicationTunnel(ApplicationTunnel.Protocol protocol, int port) {
        return describe(() -> reach = with(
                reach,
                tunnel -> new Workload.Tunnel(
                        tunnel.protocol(),
                        tunnel.nativeTunnel(),
                        tunnel.waypoint(),
                        tunnel.networkGateway(),
                        new ApplicationTunnel(protocol, port),
                        tunnel.plainPorts())));
    }

    private static UnaryOperator<Workload.Tunnel> with(
            UnaryOperator<Workload.Tunnel> first, UnaryOperator<Workload.Tunnel> then) {
        return tunnel -> then.apply(first.apply(tunnel));
    }

    /// The mesh knows its name instead of its addresses.
    public TestWorkload knownAs(String name) {
        return describe(() -> hostname = name);
    }

    GatewayAddress gatewayAddress() {
        return new GatewayAddress(
                new GatewayAddress.ByAddress(new NetworkAddress(mesh.networkOf(node), address())), 15008);
    }

    String namespace() {
        return namespace;
    }

    SpiffeId identity() {
        return new SpiffeId("cluster.local", namespace, serviceAccount);
    }

    private String uid() {
        return "test//Pod/" + namespace + "/" + name;
    }

    private Running up() {
        if (running == null) {
            running = start();
            publish();
        }
        return running;
    }

    private Running start() {
        try {
            var on = mesh.node(node);
            var addresses = mesh.newAddresses(on, family);
            var place = mesh.backend().addPod(node, name, addresses);
            if (!captured) {
                return new Running(place, addresses, null);
            }
            var proxy = on.dataPath().create(new PodId(name, namespace, name, serviceAccount), place.sockets());
            proxy.start();
            place.capture(mesh.listeners().dns() != null);
            return new Running(place, addresses, proxy);
        } catch (IOException e) {
            throw new UncheckedIOException("workload " + name + ": " + e.getMessage(), e);
        }
    }

    /// The mesh forgets it, though it runs.
    void withdraw() {
        mesh.withdraw("workload " + uid(), new Change.RemoveAddress(uid()));
    }

    void publish() {
        mesh.publish("workload " + uid(), new Change.PutWorkload(model(up().addresses)));
    }

    private Workload model(List<InetAddress> addresses) {
        return new Workload(
                uid(),
                new Workload.Place(mesh.networkOf(node), "test", node, Locality.UNKNOWN, false),
                new Workload.Names(name, namespace, "cluster.local", serviceAccount, name, "", name, "pod"),
                hostname.isEmpty() ? addresses : List.of(),
                reach.apply(captured ? Workload.Tunnel.HBONE : Workload.Tunnel.PLAIN),
                policies,
                true,
                hostname,
                services,
                1);
    }

    void join(NamespacedHostname service, Map<Integer, Integer> ports) {
        services.put(service, Map.copyOf(ports));
        publish();
    }

    void addPolicy(String key) {
        if (!policies.contains(key)) {
            policies.add(key);
            publish();
        }
    }

    void removePolicy(String key) {
        policies.remove(key);
        publish();
    }

    // ---- its servers ----

    /// Says back what it hears.
    public TestWorkload echo(int port) {
        return serve(port, Handler.echo());
    }

    public TestWorkload serve(int port, Handler handler) {
        mesh.serve(listen(port), handler);
        return this;
    }

    /// A port whose connections the test accepts itself.
    public Listening listen(int port) {
        try {
            var made = new Listening(up().place.listen(port), connection -> {
                synchronized (accepted) {
                    accepted.add(connection);
                }
                mesh.remember(connection);
            });
            listening.add(made);
            mesh.remember(made);
            return made;
        } catch (IOException e) {
            throw new UncheckedIOException("workload " + name + ": " + e.getMessage(), e);
        }
    }

    /// It is the gateway of its network, or a waypoint: ends tunnels and passes on what they carry, unread, to a
    /// port of `to`. Returns what CONNECT has asked it for.
    public List<Http2Headers> relays(TestWorkload to, int port) {
        try {
            var here = up();
            gateway = TestGateway.start(
                    here.place.sockets(), mesh.node(node), identity(), new InetSocketAddress(to.address(), port));
            return gateway.asked();
        } catch (IOException e) {
            throw new UncheckedIOException("gateway " + name + ": " + e.getMessage(), e);
        }
    }

    /// Its servers end as a program does that is asked to: no new connections, FIN on the open ones.
    public void stop() {
        listening.forEach(Listening::close);
        synchronized (accepted) {
            accepted.forEach(Connection::close);
        }
    }

    /// The pod goes at once: its applications reset, its ztunnel listeners end, the mesh is told.
    public void kill() {
        mesh.allowError("connection closed due to connection drain"); // its ztunnel is faster than its applications
        mesh.allowError("receive: INTERNAL_ERROR"); // the tunnel breaks before it has passed the reset on
        listening.forEach(Listening::close);
        synchronized (accepted) {
            accepted.forEach(Connection::reset);
        }
        withdraw();
        end();
    }

    void dropRevoked() {
        if (running != null && running.proxy != null) {
            running.proxy.dropRevoked();
        }
    }

    void end() {
        var was = running;
        running = null;
        if (gateway != null) {
            gateway.close();
            gateway = null;
        }
        if (was != null) {
            try {
                if (was.proxy != null) {
                    was.proxy.stop();
                }
                was.place.remove();
            } catch (IOException e) {
                throw new UncheckedIOException("workload " + name + ": " + e.getMessage(), e);
            }
        }
    }

    // ---- its clients ----

    public Connection connect(TestService to, int port) {
        up();
        return connect(new InetSocketAddress(to.vipFor(family), port));
    }

    public Connection connect(TestWorkload to, int port) {
        up();
        return connect(new InetSocketAddress(to.addressFor(family), port));
    }

    /// A connection to the HBONE port of `to`, as this workload, on which the test writes CONNECTs by hand.
    RawPeer peerOf(TestWorkload to) {
        try {
            var here = up();
            return new RawPeer(
                    here.place.sockets(), mesh.node(node), identity(), new InetSocketAddress(to.address(), 15008));
        } catch (IOException e) {
            throw new UncheckedIOException(name + ": " + e.getMessage(), e);
        }
    }

    public Connection connect(InetSocketAddress to) {
        try {
            var connection = new Connection(up().place.connect(to));
            mesh.remember(connection);
            return connection;
        } catch (IOException e) {
            throw new UncheckedIOException(name + " connects to " + Addresses.text(to) + ": " + e, e);
        }
    }

    // ---- what is seen of it ----

    /// The address that peers with the test's families take.
    public InetAddress address() {
        return addressFor(mesh.family());
    }

    private InetAddress addressFor(Family peer) {
        return up().addresses.stream()
                .filter(address -> peer.has(address instanceof Inet4Address))
                .min((a, b) -> Boolean.compare(a instanceof Inet4Address, b instanceof Inet4Address))
                .orElseThrow(() -> new IllegalStateException(name + " has no address for " + peer));
    }

    /// `ip:port`, as an authority names it.
    public String authority(int port) {
        return Addresses.text(new InetSocketAddress(address(), port));
    }

    /// What its node's ztunnel has open for it.
    public List<LiveConnection.Description> live() {
        return mesh.node(node).dataPath().live(LiveConnection::describe).stream()
                .filter(connection -> connection.podUid().equals(name))
                .toList();
    }

    /// The tunnels that come in to it.
    public List<Tunnel> tunnels() {
        return mesh
                .node(node)
                .dataPath()
                .live(connection -> connection.podUid().equals(name) ? connection.tunnel() : Optional.<Tunnel>empty())
                .stream()
                .flatMap(Optional::stream)
                .toList();
    }

    /// @throws AssertionError unless it is exactly one
    public Tunnel onlyTunnel() {
        var all = tunnels();
        if (all.size() != 1) {
            throw new AssertionError("not one tunnel to " + name + " but " + all);
        }
        return all.getFirst();
    }
}
