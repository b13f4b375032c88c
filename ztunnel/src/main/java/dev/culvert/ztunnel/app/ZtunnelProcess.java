package dev.culvert.ztunnel.app;

import dev.culvert.daemon.admin.HttpPages;
import dev.culvert.daemon.admin.MetricsPage;
import dev.culvert.daemon.admin.Readiness;
import dev.culvert.daemon.log.LogLevels;
import dev.culvert.daemon.shutdown.Lifecycle;
import dev.culvert.linux.fd.OpenFilesLimit;
import dev.culvert.mesh.model.state.MeshSnapshot;
import dev.culvert.proxy.ca.CertificateClient;
import dev.culvert.proxy.ca.CertificateStore;
import dev.culvert.proxy.ca.KeysOnTmpfs;
import dev.culvert.proxy.mesh.LastGoodState;
import dev.culvert.proxy.mesh.MeshState;
import dev.culvert.proxy.telemetry.ConnectionMetrics;
import dev.culvert.proxy.xds.MeshResources;
import dev.culvert.proxy.xds.XdsClient;
import dev.culvert.ztunnel.inpod.Node;
import dev.culvert.ztunnel.inpod.Pod;
import dev.culvert.ztunnel.inpod.PodTable;
import dev.culvert.ztunnel.inpod.ZdsClient;
import dev.culvert.ztunnel.relay.LiveConnection;
import dev.culvert.ztunnel.relay.Worker;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Clock;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
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
    private final Readiness.Task synced = readiness.task("state manager");
    private final Readiness.Task podsServed = readiness.task("workload proxy manager");
    private final PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    private final MeshState mesh = new MeshState();
    private final EventLoopGroup loops;
    private final List<Worker> workers;
    private final CertificateStore certificates;
    private final PodTable pods;
    private final Holes holes;
    private final HoleWatch holeWatch;
    private final AtomicBoolean recheckScheduled = new AtomicBoolean();

    ZtunnelProcess(ZtunnelConfig config, LogLevels levels) throws IOException {
        this.config = config;
        this.levels = levels;
        OpenFilesLimit.raise();
        Epoll.ensureAvailability();
        loops = new MultiThreadIoEventLoopGroup(workerCount(), EpollIoHandler.newFactory());
        workers = new ArrayList<>();
        loops.forEach(loop -> workers.add(
                new Worker((EventLoop) loop, config.pool(), config.serving().receiveBudget())));
        certificates =
                new CertificateStore(new CertificateClient(config.ca(), config.secretTtl()), keys(), Clock.systemUTC());
        var node = new Node(mesh, certificates, new ConnectionMetrics(registry), loops, workers, config.node());
        pods = new PodTable((id, sockets) -> new ServingPod(new Pod(id, sockets, node)), config.sockets());
        holes = new Holes(pods, ProcessSockets::inodes);
        holeWatch = new HoleWatch(holes, mesh);
        gauges();
    }

    private int workerCount() {
        var wanted = config.serving().workers();
        return wanted == 0 ? Runtime.getRuntime().availableProcessors() : wanted;
    }

    private @Nullable KeysOnTmpfs keys() throws IOException {
        var directory = config.kept().keys();
        return directory.isPresent() ? new KeysOnTmpfs(directory.get()) : null;
    }

    private void gauges() {
        registry.gauge(
                "workload_manager_active_proxy_count",
                pods,
                table -> table.running().size());
        registry.gauge(
                "workload_manager_pending_proxy_count",
                pods,
                table -> table.waiting().size());
        registry.more().counter("workload_manager_proxies_started", List.of(), pods, PodTable::startedTotal);
        registry.more().counter("workload_manager_proxies_stopped", List.of(), pods, PodTable::stoppedTotal);
        Gauge.builder("istio_build", () -> 1)
                .tag("component", "ztunnel")
                .tag("tag", Version.text())
                .register(registry);
    }

    /// Serves until a signal or `/quitquitquit`, then drains.
    void run() throws IOException {
        lifecycle.stopOnSignals();
        lifecycle.add("readiness", readinessPages());
        lifecycle.add("admin", adminPages());
        lifecycle.add("metrics", metricsPages());
        mesh.onChange(_ -> meshChanged());
        certificates.restore();
        var zds = startMesh();
        LOG.info("ztunnel started: {}, {} loops", Version.text(), workers.size());
        var why = lifecycle.await();
        LOG.info("stopping: {}", why);
        podsServed.notReady();
        zds.close();
        drain();
    }

    private ZdsClient startMesh() throws IOException {
        var zds = new ZdsClient(config.zdsSocket(), pods, this::podsChanged);
        var started = new AtomicBoolean();
        Runnable begin = () -> {
            if (started.compareAndSet(false, true)) {
                synced.ready();
                zds.start();
            }
        };
        lifecycle.add("pods", zds);
        var local = config.localXds();
        if (local != null) {
            mesh.apply(LocalMesh.read(local));
            LOG.info("mesh of {} taken", local);
        }
        var server = config.xds();
        if (server == null) {
            begin.run();
            return zds;
        }
        var state = config.kept().state();
        var resources = new MeshResources(mesh, state.isPresent() ? new LastGoodState(state.get()) : null);
        if (resources.restore()) {
            begin.run();
        }
        var xds = lifecycle.add("xds", new XdsClient(server, nodeId(), resources, begin));
        xds.start();
        return zds;
    }

    private XdsClient.NodeId nodeId() {
        var place = config.place();
        var id = "ztunnel~" + place.instanceIp() + "~" + place.podName() + "." + place.podNamespace() + "~"
                + place.podNamespace() + ".svc.cluster.local";
        Map<String, String> metadata = new LinkedHashMap<>(place.metadata());
        metadata.put("NAME", place.podName());
        metadata.put("NAMESPACE", place.podNamespace());
        metadata.put("INSTANCE_IPS", place.instanceIp());
        metadata.put("NODE_NAME", place.nodeName());
        return new XdsClient.NodeId(id, metadata);
    }

    /// Live connections are decided again on each change, once for a burst of changes.
    private void meshChanged() {
        prefetch();
        holeWatch.lookSoon();
        if (recheckScheduled.compareAndSet(false, true)) {
            workers.getFirst().loop().execute(() -> {
                recheckScheduled.set(false);
                var now = mesh.current();
                workers.forEach(worker -> worker.loop().execute(() -> recheck(worker, now)));
            });
        }
    }

    private static void recheck(Worker worker, MeshSnapshot now) {
        worker.live().forEach(connection -> connection.recheck(now));
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
                if (!pods.serves(status.identity())) {
                    certificates.forget(status.identity());
                }
            }
        }
    }

    // ---- pages ----

    private HttpPages readinessPages() throws IOException {
        return HttpPages.builder()
                .get("/healthz/ready", readiness.page())
                .start(wildcard(config.serving().readinessPort()));
    }

    private HttpPages metricsPages() throws IOException {
        var page = new MetricsPage(registry);
        return HttpPages.builder()
                .any("/metrics", page)
                .any("/stats/prometheus", page)
                .start(wildcard(config.serving().statsPort()));
    }

    private static List<InetSocketAddress> wildcard(int port) {
        return List.of(new InetSocketAddress(port));
    }

    private HttpPages adminPages() throws IOException {
        var admin = new AdminPages(mesh, certificates, pods, holes, this::describe);
        return admin.pages(config, levels.page(), lifecycle)
                .start(List.of(new InetSocketAddress(
                        InetAddress.ofLiteral("127.0.0.1"), config.serving().adminPort())));
    }

    private List<LiveConnection.Description> describe() {
        var all = new ArrayList<LiveConnection.Description>();
        workers.stream().map(Worker::describe).toList().forEach(part -> all.addAll(part.join()));
        return all;
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
        return workers.stream()
                .map(worker -> CompletableFuture.supplyAsync(() -> worker.live().size(), worker.loop()))
                .mapToInt(CompletableFuture::join)
                .sum();
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
        loops.shutdownGracefully(0, 2, TimeUnit.SECONDS).awaitUninterruptibly();
        certificates.close();
    }
}
