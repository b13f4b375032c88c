package dev.culvert.istiod.app;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.google.protobuf.Message;
import dev.culvert.daemon.admin.HttpPages;
import dev.culvert.daemon.admin.MetricsPage;
import dev.culvert.daemon.admin.Readiness;
import dev.culvert.daemon.admin.Response;
import dev.culvert.daemon.log.LogLevels;
import dev.culvert.daemon.metrics.MetricFamily;
import dev.culvert.daemon.shutdown.Lifecycle;
import dev.culvert.istiod.admission.AdmissionPage;
import dev.culvert.istiod.admission.BoundedNeighbours;
import dev.culvert.istiod.ambient.KnownPods;
import dev.culvert.istiod.ambient.MeshScope;
import dev.culvert.istiod.ambient.Revisions;
import dev.culvert.istiod.ambient.Translator;
import dev.culvert.istiod.ca.CallerCheck;
import dev.culvert.istiod.ca.CertificateService;
import dev.culvert.istiod.ca.ServingTls;
import dev.culvert.istiod.grpc.GrpcMesh;
import dev.culvert.istiod.waypoint.WaypointTranslator;
import dev.culvert.istiod.xds.XdsServer;
import dev.culvert.kube.object.ObjectSet;
import dev.culvert.kube.object.ProblemLog;
import io.grpc.Server;
import io.grpc.netty.NettyServerBuilder;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.security.GeneralSecurityException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One controller: what it reads, translation, xDS, certificates.
final class IstiodProcess implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger("app");
    static final List<MetricFamily> METRICS = List.of(
            MetricFamily.gauge("pilot_xds", "Proxies that are connected"),
            MetricFamily.gauge(
                    "citadel_server_root_cert_expiry_timestamp",
                    "When the first of the authority's certificates, its own and its roots, ends; seconds since 1970"),
            MetricFamily.gauge(
                    "culvert_source_stale_seconds",
                    "For how long the API server, or a part of what it serves, has not been watched"));

    private final IstiodSettings settings;
    private final Platform platform;
    private final LogLevels levels;
    private final Lifecycle lifecycle = new Lifecycle();
    private final Readiness readiness = new Readiness();
    private final Readiness.Task translated = readiness.task("configuration");
    private final XdsServer xds = new XdsServer();
    private final ServingTls tls;
    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().daemon().name("timer").factory());
    private final ProblemLog log = new ProblemLog(LOG);
    private volatile ObjectSet objects = ObjectSet.EMPTY;
    /// Of the source's thread.
    private final KnownPods knownPods = new KnownPods();

    /// @param platform is closed with this process
    IstiodProcess(IstiodSettings settings, Platform platform, LogLevels levels)
            throws IOException, GeneralSecurityException {
        this.settings = settings;
        this.platform = platform;
        this.levels = levels;
        tls = new ServingTls(platform.signer(), platform.names(), platform.addresses());
    }

    /// Where pages are served.
    ///
    /// @param open readiness and metrics
    /// @param own these, what the process knows of its clients, and the log's levels
    /// @param webhooks what an API server asks, by HTTPS
    record Listen(List<InetSocketAddress> open, List<InetSocketAddress> own, List<InetSocketAddress> webhooks) {
        static final Listen NOWHERE = new Listen(List.of(), List.of(), List.of());
    }

    void run(Listen pages) throws IOException {
        lifecycle.stopOnSignals();
        LOG.info("istiod-lite serves on port {}", serve(pages));
        LOG.info("stopping: {}", lifecycle.await());
    }

    /// Serves until closed.
    /// @return the port of xDS and certificates
    int serve(Listen pages) throws IOException {
        serve(pages, registry());
        serveWebhooks(pages.webhooks());
        lifecycle.add("source", platform);
        platform.start(this::changed, tls::renew);
        var server = server().start();
        lifecycle.add("grpc", () -> stop(server));
        var days = ServingTls.RENEW_EVERY.toDays();
        timer.scheduleWithFixedDelay(this::renewServing, days, days, TimeUnit.DAYS);
        return server.getPort();
    }

    private Server server() throws IOException {
        var certificates = new CertificateService(
                platform.signer(), platform.pods(), settings.trustDomain(), settings.nodeAccounts());
        return NettyServerBuilder.forPort(settings.grpcPort())
                .sslContext(tls.context())
                .permitKeepAliveTime(10, TimeUnit.SECONDS)
                .permitKeepAliveWithoutCalls(true)
                .maxInboundMessageSize(16 << 20)
                .maxInboundMetadataSize(16 << 10)
                .handshakeTimeout(10, TimeUnit.SECONDS)
                .intercept(new CallerCheck(platform.tokens(), settings.trustDomain()))
                .executor(Executors.newVirtualThreadPerTaskExecutor())
                .addService(xds)
                .addService(certificates)
                .build();
    }

    private static void stop(Server server) {
        server.shutdownNow();
        try {
            server.awaitTermination(2, TimeUnit.SECONDS);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    /// On the source's thread.
    private void changed(ObjectSet all) {
        objects = all;
        var names = settings.translation();
        var now = Revisions.of(MeshScope.of(all, names), names).configuration();
        var problems = new ArrayList<>(now.problems());
        try {
            var translation = Translator.translate(now, names, knownPods);
            var waypoints = WaypointTranslator.translate(now, names);
            var ofProxies = new HashMap<String, Message>(waypoints.resources());
            ofProxies.putAll(waypoints.gateways());
            xds.publish(translation.addresses(), translation.policies(), ofProxies);
            xds.publish(new GrpcMesh(now, translation, names));
            problems.addAll(translation.problems());
            problems.addAll(waypoints.problems());
            log.tell(problems);
        } catch (RuntimeException bug) {
            LOG.error("the change is not applied, what was published stays: a mistake of ours", bug);
        }
        platform.told(now, problems);
        translated.ready();
    }

    private void renewServing() {
        try {
            tls.renew();
        } catch (GeneralSecurityException | IOException e) {
            LOG.error("our own certificate is not renewed: {}", e.getMessage());
        }
    }

    private SimpleMeterRegistry registry() {
        var registry = new SimpleMeterRegistry();
        registry.gauge("pilot_xds", xds, server -> server.clients().size());
        registry.gauge(
                "citadel_server_root_cert_expiry_timestamp",
                platform.signer(),
                signer -> signer.until().getEpochSecond());
        registry.gauge(
                "culvert_source_stale_seconds",
                platform,
                source -> source.staleFor().toSeconds());
        return registry;
    }

    private void serve(Listen pages, SimpleMeterRegistry registry) throws IOException {
        lifecycle.add("pages", forAll(registry).start(pages.open()));
        lifecycle.add(
                "own pages",
                forAll(registry)
                        .get("/debug/syncz", _ -> Response.json(syncz()))
                        .post("/logging", levels.page())
                        .start(pages.own()));
    }

    private void serveWebhooks(List<InetSocketAddress> addresses) throws IOException {
        var neighbours = new BoundedNeighbours(
                () -> objects,
                (all, object) -> Analysis.of(Analysis.over(all, ObjectSet.of(List.of(object), List.of())), settings));
        try {
            lifecycle.add(
                    "webhooks",
                    HttpPages.builder()
                            .tls(tls.pages())
                            .post("/validate", AdmissionPage.MAX_BODY, new AdmissionPage(neighbours, this::isOurs))
                            .start(addresses));
        } catch (GeneralSecurityException e) {
            throw new IOException("no TLS for webhooks: " + e.getMessage(), e);
        }
    }

    private boolean isOurs(String namespace, Map<String, String> labels) {
        return Revisions.of(objects, settings.translation()).owns(namespace, labels);
    }

    private HttpPages.Builder forAll(SimpleMeterRegistry registry) {
        return HttpPages.builder().get("/ready", readiness.page()).any("/metrics", new MetricsPage(METRICS, registry));
    }

    private String syncz() throws IOException {
        var json = new ObjectMapper();
        var all = json.createArrayNode();
        for (var client : xds.clients()) {
            var one = all.addObject().put("node", client.node()).put("lastNack", client.lastNack());
            client.state().forEach(one.putObject("types")::put);
            client.findings().forEach(one.putArray("findings")::add);
        }
        return json.writerWithDefaultPrettyPrinter().writeValueAsString(all) + "\n";
    }

    @Override
    public void close() {
        timer.shutdownNow();
        lifecycle.close();
    }
}
