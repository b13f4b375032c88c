package dev.culvert.waypoint.http;

import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import com.google.protobuf.TextFormat;
import dev.culvert.daemon.log.AccessFormat;
import dev.culvert.hbone.codec.H2Limits;
import dev.culvert.hbone.codec.LoopLimits;
import dev.culvert.hbone.headers.Baggage;
import dev.culvert.hbone.pool.PoolLimits;
import dev.culvert.hbone.pool.TunnelPool;
import dev.culvert.mesh.model.identity.SpiffeId;
import dev.culvert.mesh.model.state.Change;
import dev.culvert.mesh.model.wire.AddressReader;
import dev.culvert.mesh.model.workload.NamespacedHostname;
import dev.culvert.mesh.model.workload.Workload;
import dev.culvert.protos.discovery.DeltaDiscoveryResponse;
import dev.culvert.protos.discovery.Resource;
import dev.culvert.protos.waypoint.Protocol;
import dev.culvert.protos.waypoint.ServiceConfig;
import dev.culvert.protos.workload.Address;
import dev.culvert.protos.workload.LoadBalancing;
import dev.culvert.protos.workload.NetworkAddress;
import dev.culvert.protos.workload.Port;
import dev.culvert.protos.workload.PortList;
import dev.culvert.protos.workload.Service;
import dev.culvert.protos.workload.TunnelProtocol;
import dev.culvert.proxy.ca.CertificateStore;
import dev.culvert.proxy.ca.TestAuthority;
import dev.culvert.proxy.mesh.MeshState;
import dev.culvert.waypoint.balance.Cluster;
import dev.culvert.waypoint.balance.ClusterSpec;
import dev.culvert.waypoint.balance.Clusters;
import dev.culvert.waypoint.balance.Endpoint;
import dev.culvert.waypoint.config.ServiceConfigs;
import dev.culvert.waypoint.listener.HboneListener;
import dev.culvert.waypoint.telemetry.RequestMetrics;
import dev.culvert.waypoint.telemetry.RequestRecord;
import dev.culvert.waypoint.token.RemoteKeys;
import dev.culvert.waypoint.trace.Tracing;
import dev.culvert.waypoint.upstream.Dialler;
import dev.culvert.waypoint.upstream.HostLookup;
import dev.culvert.waypoint.upstream.Outside;
import dev.culvert.waypoint.upstream.UpstreamLimits;
import dev.culvert.waypoint.upstream.UpstreamPool;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/// One waypoint of a Service `berth` at 127.0.0.9, whose endpoints are ports of this machine, and a client `portal`
/// that comes by tunnels.
final class Harbour implements AutoCloseable {
    static final NamespacedHostname BERTH = new NamespacedHostname("quay", "berth.quay.svc.cluster.local");
    static final InetAddress VIP = InetAddress.ofLiteral("127.0.0.9");
    private static final SpiffeId WAYPOINT = new SpiffeId("cluster.local", "quay", "w");
    private static final SpiffeId PORTAL = new SpiffeId("cluster.local", "quay", "portal");

    /// Endpoints are on this machine.
    private static final Outside OUTSIDE = new Outside(5000, HostLookup.ofSystem(), _ -> true);

    final MeterRegistry registry = new SimpleMeterRegistry();
    final MeshState mesh = new MeshState();
    final ServiceConfigs configs;
    final Clusters clusters = new Clusters();
    private final Cluster ofClient = new Cluster();
    final List<Worker> workers = new ArrayList<>();
    final Serving serving;
    final UpstreamPool client;
    final EventLoop clientLoop;
    final MultiThreadIoEventLoopGroup loops = new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
    private final MultiThreadIoEventLoopGroup clients = new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
    private final CertificateStore certificates;
    private final Channel listening;
    private final HboneListener listener;
    private final TunnelPool tunnels;
    private int version;

    Harbour() throws Exception {
        this(AccessFormat.FIELDS);
    }

    Harbour(AccessFormat format) throws Exception {
        this(format, Tracing.OFF);
    }

    Harbour(AccessFormat format, Tracing tracing) throws Exception {
        certificates = new CertificateStore(new TestAuthority(), null, Clock.systemUTC());
        configs = new ServiceConfigs(this::changed);
        var upstream = new UpstreamLimits(8, 100, Duration.ofSeconds(30), Duration.ofSeconds(5));
        loops.forEach(loop -> workers.add(worker((EventLoop) loop, upstream)));
        var limits = new HttpLimits(16 * 1024, 100, 64 * 1024, Duration.ofSeconds(30), Duration.ofSeconds(2));
        serving = new Serving(
                mesh,
                configs,
                clusters,
                new RemoteKeys(
                        (uri, bound) -> CompletableFuture.failedFuture(new IllegalStateException("no keys here")),
                        System::nanoTime),
                new RequestRecord.To(new RequestMetrics(registry), format, tracing),
                WAYPOINT,
                "",
                InetAddress.ofLiteral("127.0.0.1"),
                limits);
        var bounds = new HboneListener.Bounds(H2Limits.DEFAULTS, 100, Duration.ofSeconds(5), Duration.ofMillis(200));
        var config = new HboneListener.Config(
                serving, workers, certificates, new NamespacedHostname("quay", "w.quay.svc.cluster.local"), bounds);
        listener = new HboneListener(config);
        listening = new ServerBootstrap()
                .group(loops)
                .channel(EpollServerSocketChannel.class)
                .childOption(ChannelOption.AUTO_READ, false)
                .childHandler(listener)
                .bind(new InetSocketAddress(VIP, 15008))
                .sync()
                .channel();
        clientLoop = (EventLoop) clients.iterator().next();
        tunnels = new TunnelPool(clientLoop, PoolLimits.DEFAULTS, new LoopLimits(1 << 25));
        client =
                new UpstreamPool(clientLoop, new Dialler(clientLoop, tunnels, certificates, PORTAL, OUTSIDE), upstream);
        certificates.tls(PORTAL).get();
        certificates.tls(WAYPOINT).get();
    }

    private Worker worker(EventLoop loop, UpstreamLimits limits) {
        var budget = new LoopLimits(1 << 25);
        var tunnels = new TunnelPool(loop, PoolLimits.DEFAULTS, budget);
        var dialler = new Dialler(loop, tunnels, certificates, WAYPOINT, OUTSIDE);
        return new Worker(loop, budget, tunnels, new UpstreamPool(loop, dialler, limits));
    }

    private void changed() {
        var now = configs.current();
        workers.forEach(worker -> worker.loop().execute(() -> worker.recheck(now)));
    }

    /// Makes these ports of this machine the endpoints of port 80.
    void endpoints(int... ports) {
        var changes = new ArrayList<Change>();
        changes.add(AddressReader.read(Address.newBuilder()
                .setService(Service.newBuilder()
                        .setName("berth")
                        .setNamespace("quay")
                        .setHostname(BERTH.hostname())
                        .addAddresses(NetworkAddress.newBuilder().setAddress(ByteString.copyFrom(VIP.getAddress())))
                        .addPorts(Port.newBuilder().setServicePort(80).setTargetPort(1)))
                .build()));
        for (var i = 0; i < ports.length; i++) {
            changes.add(AddressReader.read(Address.newBuilder()
                    .setWorkload(dev.culvert.protos.workload.Workload.newBuilder()
                            .setUid("Kubernetes//Pod/quay/berth-" + i)
                            .setName("berth-" + i)
                            .setNamespace("quay")
                            .setServiceAccount("berth")
                            .addAddresses(ByteString.copyFrom(new byte[] {127, 0, 0, 1}))
                            .putServices(
                                    BERTH.toString(),
                                    PortList.newBuilder()
                                            .addPorts(Port.newBuilder()
                                                    .setServicePort(80)
                                                    .setTargetPort(ports[i]))
                                            .build()))
                    .build()));
        }
        mesh.apply(changes);
    }

    /// The Service without endpoints: connections to these addresses are passed on as they were dialled.
    void passesOn(InetAddress from, int length) {
        mesh.apply(List.of(AddressReader.read(Address.newBuilder()
                .setService(Service.newBuilder()
                        .setName("berth")
                        .setNamespace("quay")
                        .setHostname(BERTH.hostname())
                        .setLoadBalancing(LoadBalancing.newBuilder()
                                .setMode(LoadBalancing.Mode.PASSTHROUGH)
                                .setHealthPolicy(LoadBalancing.HealthPolicy.ALLOW_ALL))
                        .addAddresses(NetworkAddress.newBuilder()
                                .setAddress(ByteString.copyFrom(from.getAddress()))
                                .setLength(length))
                        .addPorts(Port.newBuilder().setServicePort(80).setTargetPort(80)))
                .build())));
    }

    /// Somebody has the address that the client dials.
    void podAtTheAddress() {
        mesh.apply(List.of(AddressReader.read(Address.newBuilder()
                .setWorkload(dev.culvert.protos.workload.Workload.newBuilder()
                        .setUid("Kubernetes//Pod/quay/lone")
                        .setName("lone")
                        .setNamespace("quay")
                        .addAddresses(ByteString.copyFrom(VIP.getAddress())))
                .build())));
    }

    /// Makes a name the only endpoint of port 80.
    void endpointByName(String host, int port) {
        endpoints();
        mesh.apply(List.of(AddressReader.read(Address.newBuilder()
                .setWorkload(dev.culvert.protos.workload.Workload.newBuilder()
                        .setUid("Kubernetes/networking.istio.io/ServiceEntry/quay/berth/" + host)
                        .setName("berth")
                        .setNamespace("quay")
                        .setHostname(host)
                        .putServices(
                                BERTH.toString(),
                                PortList.newBuilder()
                                        .addPorts(Port.newBuilder()
                                                .setServicePort(80)
                                                .setTargetPort(port))
                                        .build()))
                .build())));
    }

    /// Makes the waypoint known, which is the one of the Service at the same address.
    void waypointOfBerth(int endpoint) {
        endpoints(endpoint);
        var name = dev.culvert.protos.workload.NamespacedHostname.newBuilder()
                .setNamespace("quay")
                .setHostname("w.quay.svc.cluster.local");
        mesh.apply(List.of(
                AddressReader.read(Address.newBuilder()
                        .setService(Service.newBuilder()
                                .setName("berth")
                                .setNamespace("quay")
                                .setHostname(BERTH.hostname())
                                .setWaypoint(dev.culvert.protos.workload.GatewayAddress.newBuilder()
                                        .setHostname(name)
                                        .setHboneMtlsPort(15008))
                                .addAddresses(
                                        NetworkAddress.newBuilder().setAddress(ByteString.copyFrom(VIP.getAddress())))
                                .addPorts(Port.newBuilder().setServicePort(80).setTargetPort(1)))
                        .build()),
                AddressReader.read(Address.newBuilder()
                        .setService(Service.newBuilder()
                                .setName("w")
                                .setNamespace("quay")
                                .setHostname("w.quay.svc.cluster.local")
                                .addPorts(
                                        Port.newBuilder().setServicePort(15008).setTargetPort(15008)))
                        .build()),
                AddressReader.read(Address.newBuilder()
                        .setWorkload(dev.culvert.protos.workload.Workload.newBuilder()
                                .setUid("w")
                                .setName("w")
                                .setNamespace("quay")
                                .setServiceAccount("w")
                                .setTunnelProtocol(TunnelProtocol.HBONE)
                                .addAddresses(ByteString.copyFrom(VIP.getAddress()))
                                .putServices(
                                        "quay/w.quay.svc.cluster.local",
                                        PortList.newBuilder()
                                                .addPorts(Port.newBuilder()
                                                        .setServicePort(15008)
                                                        .setTargetPort(15008))
                                                .build()))
                        .build())));
    }

    /// @param forward what stands in the route's action beside the backend
    static ServiceConfig.Builder config(Protocol protocol, String forward) throws Exception {
        var text =
                "ports {number: 80 protocol: " + protocol + " routes {name: 'r' forward {backends {weight: 1 namespace:"
                        + " 'quay' hostname: '" + BERTH.hostname() + "' port: 80} " + forward + "}}}";
        return TextFormat.parse(text, ServiceConfig.class).toBuilder();
    }

    /// What the controller says of the Service.
    void configure(ServiceConfig.Builder config) {
        var whole = config.setNamespace(BERTH.namespace())
                .setHostname(BERTH.hostname())
                .build();
        configs.apply(DeltaDiscoveryResponse.newBuilder()
                .addResources(Resource.newBuilder()
                        .setName("quay/w/" + BERTH)
                        .setVersion(Integer.toString(++version))
                        .setResource(Any.newBuilder().setValue(whole.toByteString())))
                .build());
    }

    UpstreamPool.For portal() {
        return new UpstreamPool.For(new InetSocketAddress(VIP, 1), Baggage.NONE, "");
    }

    /// The waypoint as an endpoint of the client: a tunnel to the Service's address.
    Endpoint waypoint() {
        var workload = AddressReader.read(Address.newBuilder()
                .setWorkload(dev.culvert.protos.workload.Workload.newBuilder()
                        .setUid("w")
                        .setName("w")
                        .setNamespace("quay")
                        .setServiceAccount("w")
                        .setTunnelProtocol(TunnelProtocol.HBONE)
                        .addAddresses(ByteString.copyFrom(VIP.getAddress())))
                .build());
        return new Endpoint(
                workload instanceof Change.PutWorkload(Workload known) ? known : fail(),
                new InetSocketAddress(VIP, 80),
                Set.of(WAYPOINT));
    }

    UpstreamPool.Use use(boolean http2) {
        var endpoint = waypoint();
        return new UpstreamPool.Use(endpoint, http2, ofClient, ClusterSpec.ofPod(endpoint));
    }

    private static Workload fail() {
        throw new AssertionError("not a workload");
    }

    /// One request, and its whole answer.
    Answer call(boolean http2, Request request) throws Exception {
        var collected = new Answer();
        CompletableFuture.runAsync(
                        () -> client.acquire(use(http2), portal(), collected)
                                .whenComplete((upstream, failure) -> collected.send(this, upstream, failure, request)),
                        clientLoop)
                .get();
        return collected.await();
    }

    /// A tunnel's bytes.
    Bytes raw() throws Exception {
        var opened = CompletableFuture.supplyAsync(() -> client.raw(use(false), portal()), clientLoop)
                .get()
                .get(60, TimeUnit.SECONDS);
        return new Bytes(opened);
    }

    /// @param body bytes as ISO 8859-1, sent in one piece
    record Request(String method, String path, Map<String, String> headers, String body) {
        static Request get(String path) {
            return new Request("GET", path, Map.of(), "");
        }
    }

    @Override
    public void close() {
        listening.close().awaitUninterruptibly();
        clientLoop.submit(() -> tunnels.close(0)).awaitUninterruptibly();
        listener.close();
        clients.shutdownGracefully(100, 2000, TimeUnit.MILLISECONDS).awaitUninterruptibly();
        loops.shutdownGracefully(100, 2000, TimeUnit.MILLISECONDS).awaitUninterruptibly();
        certificates.close();
    }
}
