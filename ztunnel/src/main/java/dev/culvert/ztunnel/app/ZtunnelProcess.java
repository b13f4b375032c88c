package dev.culvert.ztunnel.app;

import dev.culvert.daemon.admin.HttpPages;
import dev.culvert.daemon.admin.MetricsPage;
import dev.culvert.daemon.admin.Page;
import dev.culvert.daemon.admin.Readiness;
import dev.culvert.daemon.log.LogLevels;
import dev.culvert.daemon.shutdown.Lifecycle;
import dev.culvert.hbone.tls.Revocation;
import dev.culvert.linux.fd.OpenFilesLimit;
import dev.culvert.linux.netns.NetworkNamespace;
import dev.culvert.linux.socket.TransparentSockets;
import dev.culvert.mesh.model.identity.SpiffeId;
import dev.culvert.proxy.ca.CertificateClient;
import dev.culvert.proxy.ca.CertificateMetrics;
import dev.culvert.proxy.ca.CertificateSource;
import dev.culvert.proxy.ca.CertificateStore;
import dev.culvert.proxy.ca.KeysOnTmpfs;
import dev.culvert.proxy.ca.RevocationFile;
import dev.culvert.proxy.mesh.LastGoodState;
import dev.culvert.proxy.mesh.Lookup;
import dev.culvert.proxy.mesh.MeshState;
import dev.culvert.proxy.telemetry.ConnectionMetrics;
import dev.culvert.proxy.xds.Demand;
import dev.culvert.proxy.xds.MeshResources;
import dev.culvert.proxy.xds.XdsClient;
import dev.culvert.proxy.xds.XdsMetrics;
import dev.culvert.ztunnel.dns.DnsMetrics;
import dev.culvert.ztunnel.dns.DnsShared;
import dev.culvert.ztunnel.inpod.Node;
import dev.culvert.ztunnel.inpod.PodId;
import dev.culvert.ztunnel.inpod.PodProxy;
import dev.culvert.ztunnel.inpod.PodTable;
import dev.culvert.ztunnel.inpod.SocketSettings;
import dev.culvert.ztunnel.inpod.ZdsClient;
import dev.culvert.ztunnel.relay.HostNames;
import dev.culvert.ztunnel.relay.LiveConnection;
import dev.culvert.ztunnel.relay.Worker;
import dev.culvert.ztunnel.socks5.Socks5Metrics;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.time.Clock;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One ztunnel, from start to the end of its drain: the wiring of all parts.
final class ZtunnelProcess implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger("app");

    private final ZtunnelConfig config;
    private final LogLevels levels;
    private final Lifecycle lifecycle = new Lifecycle();
    private final Readiness readiness = new Readiness();
    private final Readiness.Task started = readiness.task("proxy");
    private final Readiness.Task dnsStarted = readiness.task("dns proxy");
    private final Readiness.Task synced = readiness.task("state manager");
    private final Readiness.Task podsServed = readiness.task("workload proxy manager");
    private final MeterRegistry registry = new SimpleMeterRegistry();
    private final MeshState mesh = new MeshState();
    private final @Nullable Demand demand;
    private final DataPath dataPath;
    private final Revocation revocation = new Revocation();
    private final CertificateStore certificates;
    private final SocketSettings sockets;
    private final PodTable pods;
    private final Holes holes;
    private final HoleWatch holeWatch;
    private final List<Worker> workers = new ArrayList<>(); // a field: the registry keeps weak references

    ZtunnelProcess(ZtunnelConfig config, LogLevels levels) throws IOException {
        this(
                config,
                levels,
                new CertificateClient(
                        config.upstreams().ca(),
                        config.upstreams().secretTtl(),
                        config.place().dedicated().isEmpty()));
    }

    /// @param authority where certificates come from
    ZtunnelProcess(ZtunnelConfig config, LogLevels levels, CertificateSource authority) throws IOException {
        this.config = config;
        this.levels = levels;
        OpenFilesLimit.raise();
        var spoof = mayShowClientAddress(config.dataPlane().originalSource());
        Epoll.ensureAvailability();
        var loops = new MultiThreadIoEventLoopGroup(config.serving().workers(), EpollIoHandler.newFactory());
        loops.forEach(loop -> workers.add(new Worker(
                (EventLoop) loop, config.dataPlane().pool(), config.serving().receiveBudget())));
        certificates = new CertificateStore(
                authority, keys(), Clock.systemUTC(), config.dataPlane().tls(), revocation);
        demand = config.upstreams().onDemand()
                ? new Demand(config.dataPlane().node().workloadWait())
                : null;
        var metrics = new ConnectionMetrics(registry);
        mesh.onChange(metrics::forgetGone);
        dataPath = new DataPath(
                new Node(
                        mesh,
                        certificates,
                        metrics,
                        loops,
                        workers,
                        new HostNames(config.dataPlane().sockets().connect()),
                        demand == null ? Lookup.NONE : demand,
                        config.dataPlane().node().spoofing(spoof)),
                listeners());
        sockets = config.dataPlane().sockets().transparent(spoof);
        pods = new PodTable(dataPath, sockets);
        holes = new Holes(pods, ProcessSockets::inodes);
        holeWatch = new HoleWatch(holes, mesh);
        ProcessMetrics.register(registry, pods, workers);
        ProcessMetrics.register(registry, revocation);
        CertificateMetrics.register(registry, certificates);
    }

    private Listeners listeners() {
        var dns = config.dns()
                .map(settings -> config.place().dedicated().isPresent() ? settings.withOwnSearchList() : settings)
                .map(settings -> new DnsShared(settings, new DnsMetrics(registry)))
                .orElse(null);
        var listening = config.listening();
        return new Listeners(listening.proxy(), dns, listening.socks5() ? new Socks5Metrics(registry) : null);
    }

    /// @param wanted true: it must be possible; empty: only if it is
    private static boolean mayShowClientAddress(Optional<Boolean> wanted) throws IOException {
        if (wanted.isPresent() && !wanted.get()) {
            return false;
        }
        var possible = TransparentSockets.isAllowed();
        if (!possible && wanted.isPresent()) {
            throw new IOException(
                    "ENABLE_ORIG_SRC=true, but this process may not use IP_TRANSPARENT: give it CAP_NET_ADMIN");
        }
        if (!possible) {
            LOG.warn("no CAP_NET_ADMIN: applications see this proxy's address instead of their client's");
        }
        return possible;
    }

    private @Nullable KeysOnTmpfs keys() throws IOException {
        var directory = config.kept().keys();
        return directory.isPresent() ? new KeysOnTmpfs(directory.get()) : null;
    }

    /// Serves until a signal or `/quitquitquit`, then drains.
    void run() throws IOException {
        lifecycle.stopOnSignals();
        lifecycle.add("readiness", readinessPages());
        lifecycle.add("admin", adminPages());
        lifecycle.add("metrics", metricsPages());
        mesh.onChange(_ -> meshChanged());
        config.dataPlane()
                .revocationLists()
                .ifPresent(file -> lifecycle
                        .add("crl", new RevocationFile(file, revocation, this::revocationChanged))
                        .start());
        certificates.restore();
        var zds = startMesh();
        var self = startSelfListener();
        started.ready();
        dnsStarted.ready();
        LOG.info(
                "ztunnel started: {}, {} loops",
                Version.text(),
                config.serving().workers());
        var why = lifecycle.await();
        LOG.info("stopping: {}", why);
        podsServed.notReady();
        zds.close();
        self.ifPresent(SelfListener::drain);
        drain();
    }

    private ZdsClient startMesh() throws IOException {
        var zds = new ZdsClient(config.zdsSocket(), pods, this::podsChanged);
        var begun = new AtomicBoolean();
        Runnable begin = () -> {
            if (begun.compareAndSet(false, true)) {
                synced.ready();
                config.place().dedicated().ifPresentOrElse(this::serveOwnNamespace, zds::start);
            }
        };
        lifecycle.add("pods", zds);
        var local = config.upstreams().local();
        if (local != null) {
            mesh.apply(LocalMesh.read(local).changes());
            LOG.info("mesh of {} taken", local);
        }
        var server = config.upstreams().xds();
        if (server == null) {
            begin.run();
            return zds;
        }
        var state = config.kept().state();
        var resources = new MeshResources(mesh, state.isPresent() ? new LastGoodState(state.get()) : null, demand);
        if (resources.restore()) {
            begin.run();
        }
        var xds = lifecycle.add("xds", new XdsClient(server, nodeId(), resources, new XdsMetrics(registry), begin));
        xds.start();
        return zds;
    }

    /// Dedicated mode: the one pod is where this process is.
    private void serveOwnNamespace(PodId id) {
        pods.connected();
        try {
            pods.add(id, NetworkNamespace.current());
        } catch (IOException e) {
            LOG.error("{} is not served: {}", id, e.getMessage());
        }
        pods.snapshotSent();
        podsChanged();
    }

    private Optional<PodId> ownPod() {
        var pod = config.place().pod();
        var known = !pod.name().isEmpty()
                && !pod.namespace().isEmpty()
                && !pod.serviceAccount().isEmpty();
        return known
                ? Optional.of(new PodId("self", pod.namespace(), pod.name(), pod.serviceAccount()))
                : Optional.empty();
    }

    private Optional<SelfListener> startSelfListener() {
        var self = ownPod();
        if (self.isEmpty() || config.place().dedicated().isPresent()) {
            return Optional.empty();
        }
        try {
            var port = config.serving().statsPort();
            return Optional.of(lifecycle.add("self", SelfListener.start(dataPath.node(), self.get(), sockets, port)));
        } catch (IOException e) {
            LOG.warn("metrics are not served by HBONE: {}", e.getMessage());
            return Optional.empty();
        }
    }

    private XdsClient.NodeId nodeId() {
        var place = config.place();
        var pod = place.pod();
        var id = "ztunnel~" + pod.instanceIp() + "~" + pod.name() + "." + pod.namespace() + "~" + pod.namespace()
                + ".svc.cluster.local";
        Map<String, Object> metadata = new LinkedHashMap<>();
        metadata.put("NAME", pod.name());
        metadata.put("NAMESPACE", pod.namespace());
        metadata.put("INSTANCE_IPS", pod.instanceIp());
        metadata.put("NODE_NAME", place.nodeName());
        metadata.putAll(place.metadata());
        metadata.putAll(place.jsonMetadata());
        return new XdsClient.NodeId(id, metadata);
    }

    private void meshChanged() {
        prefetch();
        holeWatch.lookSoon();
        dataPath.recheckSoon();
    }

    private void revocationChanged() {
        dataPath.dropRevoked();
        pods.running().forEach(PodProxy::dropRevoked);
    }

    private void prefetch() {
        var now = mesh.current();
        for (var proxy : pods.running()) {
            proxy.pod().workload(now).ifPresent(workload -> certificates.prefetch(workload.identity()));
        }
    }

    private void podsChanged() {
        if (pods.isReady()) {
            podsServed.ready();
        } else {
            podsServed.notReady();
        }
        prefetch();
        holeWatch.lookSoon();
        if (pods.isSnapshotReceived()) {
            for (var status : certificates.statuses()) {
                if (!pods.serves(status.identity()) && !isOwn(status.identity())) {
                    certificates.forget(status.identity());
                }
            }
        }
    }

    private boolean isOwn(SpiffeId identity) {
        return ownPod().filter(self -> self.namespace().equals(identity.namespace())
                        && self.serviceAccount().equals(identity.serviceAccount()))
                .isPresent();
    }

    // ---- pages ----

    private HttpPages readinessPages() throws IOException {
        return HttpPages.builder()
                .get("/healthz/ready", readiness.page())
                .start(wildcard(config.serving().readinessPort()));
    }

    private HttpPages metricsPages() throws IOException {
        var page = new MetricsPage(ProcessMetrics.families(), registry);
        Page counted = request -> {
            dataPath.count();
            return page.answer(request);
        };
        return HttpPages.builder()
                .any("/metrics", counted)
                .any("/stats/prometheus", counted)
                .start(wildcard(config.serving().statsPort()));
    }

    private static List<InetSocketAddress> wildcard(int port) {
        return List.of(new InetSocketAddress(port));
    }

    private HttpPages adminPages() throws IOException {
        var admin = new AdminPages(mesh, certificates, pods, holes, () -> dataPath.live(LiveConnection::describe));
        return admin.pages(config, levels.page(), lifecycle).start(localhost());
    }

    /// Both families, where the namespace has them.
    private List<InetSocketAddress> localhost() {
        var port = config.serving().adminPort();
        var four = new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), port);
        return hasIpv6Loopback()
                ? List.of(four, new InetSocketAddress(InetAddress.ofLiteral("::1"), port))
                : List.of(four);
    }

    private boolean hasIpv6Loopback() {
        if (!config.dataPlane().sockets().ipv6()) {
            return false;
        }
        try (var probe = new ServerSocket()) {
            probe.bind(new InetSocketAddress(InetAddress.ofLiteral("::1"), 0));
            return true;
        } catch (IOException _) {
            LOG.info("no ::1 here: admin listens on 127.0.0.1 only");
            return false;
        }
    }

    // ---- the end ----

    /// No new connections; open ones go on until they end or the deadline passes.
    private void drain() {
        pods.drain();
        var deadline = System.nanoTime() + config.serving().drainDeadline().toNanos();
        while (liveConnections() > 0 && System.nanoTime() < deadline) {
            pause();
        }
        var left = liveConnections();
        if (left > 0) {
            LOG.info("{} connections are cut at the end of the drain", left);
        }
        pods.stopAll();
    }

    private int liveConnections() {
        return dataPath.live(connection -> connection).size();
    }

    private static void pause() {
        try {
            Thread.sleep(20);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        lifecycle.close();
        holeWatch.close();
        dataPath.close();
        certificates.close();
    }
}
