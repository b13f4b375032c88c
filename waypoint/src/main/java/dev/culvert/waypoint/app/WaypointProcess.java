package dev.culvert.waypoint.app;

import dev.culvert.daemon.admin.HttpPages;
import dev.culvert.daemon.admin.MetricsPage;
import dev.culvert.daemon.admin.Readiness;
import dev.culvert.daemon.admin.Response;
import dev.culvert.daemon.log.LogLevels;
import dev.culvert.daemon.metrics.MetricFamily;
import dev.culvert.daemon.shutdown.Lifecycle;
import dev.culvert.hbone.codec.LoopLimits;
import dev.culvert.hbone.pool.TunnelPool;
import dev.culvert.hbone.tls.Revocation;
import dev.culvert.hbone.tls.TlsPolicy;
import dev.culvert.mesh.model.workload.Addresses;
import dev.culvert.mesh.model.workload.NamespacedHostname;
import dev.culvert.proxy.ca.CertificateClient;
import dev.culvert.proxy.ca.CertificateMetrics;
import dev.culvert.proxy.ca.CertificateStore;
import dev.culvert.proxy.ca.KeysOnTmpfs;
import dev.culvert.proxy.mesh.LastGoodState;
import dev.culvert.proxy.mesh.MeshState;
import dev.culvert.proxy.xds.MeshResources;
import dev.culvert.proxy.xds.XdsClient;
import dev.culvert.proxy.xds.XdsMetrics;
import dev.culvert.waypoint.balance.Clusters;
import dev.culvert.waypoint.config.ServiceConfigs;
import dev.culvert.waypoint.edge.EdgeListener;
import dev.culvert.waypoint.http.OwnCalls;
import dev.culvert.waypoint.http.Serving;
import dev.culvert.waypoint.http.Worker;
import dev.culvert.waypoint.listener.HboneListener;
import dev.culvert.waypoint.telemetry.RequestMetrics;
import dev.culvert.waypoint.telemetry.RequestRecord;
import dev.culvert.waypoint.token.RemoteKeys;
import dev.culvert.waypoint.trace.Collectors;
import dev.culvert.waypoint.trace.SpanExporter;
import dev.culvert.waypoint.trace.Tracing;
import dev.culvert.waypoint.upstream.Dialler;
import dev.culvert.waypoint.upstream.HostLookup;
import dev.culvert.waypoint.upstream.Outside;
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
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One waypoint, from start to the end of its drain: the wiring of all parts.
final class WaypointProcess implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger("app");
    private static final int HBONE_PORT = 15008;

    private final WaypointConfig config;
    private final LogLevels levels;
    private final Lifecycle lifecycle = new Lifecycle();
    private final Readiness readiness = new Readiness();
    private final Readiness.Task synced = readiness.task("configuration");
    private final Readiness.Task certified = readiness.task("certificate");
    private final MeterRegistry registry = new SimpleMeterRegistry();
    private final MeshState mesh = new MeshState();
    private final AtomicBoolean recheckScheduled = new AtomicBoolean();
    private final MultiThreadIoEventLoopGroup loops;
    private final CertificateStore certificates;
    private final HostLookup names = HostLookup.ofSystem();
    private final ServiceConfigs services = new ServiceConfigs(this::recheckSoon);
    private final List<Worker> workers = new ArrayList<>();
    private final HboneListener listener;
    private final EdgeListener edge;
    private final Serving serving;

    WaypointProcess(WaypointConfig config, LogLevels levels) throws IOException {
        this.config = config;
        this.levels = levels;
        loops = new MultiThreadIoEventLoopGroup(config.serving().workers(), EpollIoHandler.newFactory());
        certificates = new CertificateStore(
                new CertificateClient(config.server(), config.secretTtl(), false),
                keys(),
                Clock.systemUTC(),
                TlsPolicy.DEFAULT,
                new Revocation());
        CertificateMetrics.register(registry, certificates);
        loops.forEach(loop -> workers.add(worker((EventLoop) loop)));
        var place = config.place();
        var calls = new OwnCalls(this::serving, workers::getFirst);
        serving = new Serving(
                mesh,
                services,
                new Clusters(),
                new RemoteKeys(calls, System::nanoTime),
                new RequestRecord.To(
                        new RequestMetrics(registry), config.serving().accessLog(), tracing(calls)),
                place.identity(),
                place.network(),
                place.address(),
                config.limits().http());
        edge = new EdgeListener(
                serving.with(config.limits().edgeHttp()),
                workers,
                services,
                loops,
                config.limits().edge());
        listener = new HboneListener(new HboneListener.Config(
                serving,
                workers,
                certificates,
                new NamespacedHostname(place.identity().namespace(), place.gatewayHostname()),
                config.limits().downstream()));
    }

    private Tracing tracing(SpanExporter.Send send) {
        var settings = config.traces();
        var own = settings.endpoint()
                .map(endpoint -> lifecycle.add("spans", new SpanExporter(endpoint, settings, send, registry)))
                .orElse(null);
        var others = lifecycle.add("collectors", new Collectors(settings, send, registry));
        return new Tracing(settings.share(), own, others::of, config.environment());
    }

    private @Nullable KeysOnTmpfs keys() throws IOException {
        var directory = config.kept().keys();
        return directory.isPresent() ? new KeysOnTmpfs(directory.get()) : null;
    }

    private Serving serving() {
        return serving;
    }

    private Worker worker(EventLoop loop) {
        var limits = config.limits();
        var kept = new LoopLimits(config.serving().receiveBudget());
        var tunnels = new TunnelPool(loop, limits.tunnels(), kept);
        var connect = (int) limits.upstream().connect().toMillis();
        var dialler = new Dialler(loop, tunnels, certificates, config.place().identity(), Outside.of(connect, names));
        return new Worker(loop, kept, tunnels, new UpstreamPool(loop, dialler, limits.upstream()));
    }

    /// Serves until a signal, then drains.
    void run() throws IOException {
        lifecycle.stopOnSignals();
        lifecycle.add(
                "readiness",
                HttpPages.builder()
                        .get("/healthz/ready", readiness.page())
                        .start(wildcard(config.serving().readinessPort())));
        lifecycle.add("metrics", metricsPages());
        lifecycle.add("admin", adminPages());
        certificates.restore();
        lifecycle.add("xds", xds()).start();
        Thread.ofVirtual().name("certificate").start(this::awaitCertificate);
        var bound = listen();
        LOG.info(
                "waypoint started: {} at {}",
                config.place().identity(),
                Addresses.text(config.place().address()));
        var why = lifecycle.await();
        LOG.info("stopping: {}", why);
        synced.notReady();
        pause(config.serving().drainDelay());
        bound.close().awaitUninterruptibly();
        edge.stop();
        drain();
    }

    /// Begins with what it was told last.
    private XdsClient xds() throws IOException {
        var state = config.kept().state();
        var resources = new MeshResources(mesh, state.isPresent() ? new LastGoodState(state.get()) : null);
        resources.alsoReceive(services);
        resources.alsoReceive(edge.configs());
        if (resources.restore()) {
            synced.ready();
        }
        return new XdsClient(config.server(), nodeId(), resources, new XdsMetrics(registry), synced::ready);
    }

    /// Ready only with a certificate: the store goes on asking for one.
    private void awaitCertificate() {
        while (!Thread.currentThread().isInterrupted()) {
            try {
                certificates.tls(config.place().identity()).get();
                certified.ready();
                return;
            } catch (ExecutionException notYet) {
                LOG.debug("no certificate yet: {}", notYet.getMessage());
                pause(Duration.ofMillis(200));
            } catch (InterruptedException _) {
                return;
            }
        }
    }

    private Channel listen() throws IOException {
        var bound = new ServerBootstrap()
                .group(loops)
                .channel(EpollServerSocketChannel.class)
                .option(ChannelOption.SO_BACKLOG, 1024)
                .option(ChannelOption.SO_REUSEADDR, true)
                .childOption(ChannelOption.AUTO_READ, false)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childOption(ChannelOption.SO_KEEPALIVE, true)
                .childHandler(listener)
                .bind(HBONE_PORT)
                .awaitUninterruptibly();
        if (!bound.isSuccess()) {
            throw new IOException("port " + HBONE_PORT + ": " + bound.cause().getMessage());
        }
        return bound.channel();
    }

    private HttpPages metricsPages() throws IOException {
        var page = new MetricsPage(families(), registry);
        return HttpPages.builder()
                .any("/metrics", page)
                .any("/stats/prometheus", page)
                .start(wildcard(config.serving().statsPort()));
    }

    /// For this machine only.
    private HttpPages adminPages() throws IOException {
        var port = config.serving().adminPort();
        return HttpPages.builder()
                .get("/config_dump", _ -> dump())
                .post("/logging", levels.page())
                .start(List.of(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), port)));
    }

    private Response dump() {
        var now = new ConfigDump(
                services.current(),
                mesh.current(),
                serving.clusters(),
                edge.configs().shown(),
                config.place().identity().toString());
        return Response.stream("application/json", now::writeTo);
    }

    static List<MetricFamily> families() {
        var all = new ArrayList<>(RequestMetrics.FAMILIES);
        all.addAll(XdsMetrics.FAMILIES);
        all.addAll(CertificateMetrics.FAMILIES);
        all.addAll(SpanExporter.FAMILIES);
        return all;
    }

    private static List<InetSocketAddress> wildcard(int port) {
        return List.of(new InetSocketAddress(port));
    }

    private XdsClient.NodeId nodeId() {
        var place = config.place();
        var namespace = place.identity().namespace();
        var id = "waypoint~" + Addresses.text(place.address()) + "~" + place.podName() + "." + namespace + "~"
                + namespace + ".svc." + place.clusterDomain();
        return new XdsClient.NodeId(
                id,
                Map.of(
                        "NAME", place.podName(),
                        "NAMESPACE", namespace,
                        "GATEWAY_NAME", place.identity().serviceAccount(),
                        "NODE_NAME", place.node()));
    }

    /// Routes and policies have changed: what is under way is decided again, once for a burst of changes.
    private void recheckSoon() {
        if (recheckScheduled.compareAndSet(false, true)) {
            workers.getFirst().loop().execute(() -> {
                recheckScheduled.set(false);
                var now = services.current();
                workers.forEach(worker -> worker.loop().execute(() -> worker.recheck(now)));
            });
        }
    }

    /// No new tunnels; requests that are under way go on until they end or the deadline passes.
    private void drain() {
        listener.drain();
        workers.forEach(worker -> worker.loop().execute(worker::drain));
        var deadline = System.nanoTime() + config.serving().drainDeadline().toNanos();
        while (live() > 0 && System.nanoTime() < deadline) {
            pause(Duration.ofMillis(20));
        }
        var left = live();
        if (left > 0) {
            LOG.info("{} requests are cut at the end of the drain", left);
        }
        listener.close();
        edge.close();
    }

    private int live() {
        return workers.stream()
                .map(worker -> CompletableFuture.supplyAsync(worker::liveCount, worker.loop()))
                .toList()
                .stream()
                .mapToInt(CompletableFuture::join)
                .sum();
    }

    private static void pause(Duration time) {
        try {
            Thread.sleep(time);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        lifecycle.close();
        loops.shutdownGracefully(0, 2, TimeUnit.SECONDS).awaitUninterruptibly();
        certificates.close();
    }
}
