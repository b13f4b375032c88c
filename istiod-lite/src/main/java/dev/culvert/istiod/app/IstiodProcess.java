package dev.culvert.istiod.app;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.culvert.daemon.admin.HttpPages;
import dev.culvert.daemon.admin.MetricsPage;
import dev.culvert.daemon.admin.Readiness;
import dev.culvert.daemon.admin.Response;
import dev.culvert.daemon.log.LogLevels;
import dev.culvert.daemon.metrics.MetricFamily;
import dev.culvert.daemon.shutdown.Lifecycle;
import dev.culvert.istiod.ambient.Translation;
import dev.culvert.istiod.ambient.TranslationSettings;
import dev.culvert.istiod.ambient.Translator;
import dev.culvert.istiod.ambient.Waypoints;
import dev.culvert.istiod.ca.Caller;
import dev.culvert.istiod.ca.CertificateAuthority;
import dev.culvert.istiod.ca.CertificateService;
import dev.culvert.istiod.ca.NodeTokens;
import dev.culvert.istiod.ca.ServingTls;
import dev.culvert.istiod.ca.TokenCheck;
import dev.culvert.istiod.waypoint.WaypointTranslator;
import dev.culvert.istiod.xds.XdsServer;
import dev.culvert.kube.folder.FolderSource;
import dev.culvert.kube.object.Gateway;
import dev.culvert.kube.object.Kind;
import dev.culvert.kube.object.ObjectSet;
import dev.culvert.kube.object.Pod;
import dev.culvert.kube.object.Problem;
import dev.culvert.kube.object.ProblemLog;
import io.grpc.Server;
import io.grpc.netty.NettyServerBuilder;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.GeneralSecurityException;
import java.time.Clock;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One controller: folder, translation, xDS, certificates, tokens.
final class IstiodProcess implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger("app");
    static final List<MetricFamily> METRICS = List.of(MetricFamily.gauge("pilot_xds", "Proxies that are connected"));
    private static final List<String> NAMES =
            List.of("istiod.istio-system.svc", "istiod.istio-system.svc.cluster.local", "localhost");

    private final IstiodConfig config;
    private final LogLevels levels;
    private final Lifecycle lifecycle = new Lifecycle();
    private final Readiness readiness = new Readiness();
    private final Readiness.Task translated = readiness.task("configuration");
    private final XdsServer xds = new XdsServer();
    private final CertificateAuthority authority;
    private final NodeTokens tokens;
    private final ServingTls tls;
    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().daemon().name("timer").factory());
    private final Set<String> tokensOf = new HashSet<>();
    private final ProblemLog log = new ProblemLog(LOG);
    private volatile ObjectSet objects = ObjectSet.EMPTY;

    IstiodProcess(IstiodConfig config, LogLevels levels) throws IOException, GeneralSecurityException {
        this.config = config;
        this.levels = levels;
        var clock = Clock.systemUTC();
        authority = CertificateAuthority.open(config.stateDir(), clock);
        tokens = NodeTokens.open(config.stateDir(), clock);
        tls = new ServingTls(authority, NAMES, addresses());
    }

    private List<InetAddress> addresses() {
        var all = new ArrayList<>(config.addresses());
        all.add(InetAddress.ofLiteral("127.0.0.1"));
        all.add(InetAddress.ofLiteral("::1"));
        return all;
    }

    void run() throws IOException {
        lifecycle.stopOnSignals();
        LOG.info("istiod-lite serves on port {}", serve());
        LOG.info("stopping: {}", lifecycle.await());
    }

    /// Serves until closed.
    /// @return the port of xDS and certificates
    int serve() throws IOException {
        lifecycle.add("monitoring", pages());
        var copies = config.stateDir().resolve("last-good");
        var where = new FolderSource.Where(config.folders(), config.redirectionDir(), copies);
        lifecycle.add("folders", FolderSource.open(where, this::changed));
        var server = server().start();
        lifecycle.add("grpc", () -> stop(server));
        var period = NodeTokens.LIFE.toMinutes() / 3;
        timer.scheduleWithFixedDelay(this::renewTokens, period, period, TimeUnit.MINUTES);
        var days = ServingTls.RENEW_EVERY.toDays();
        timer.scheduleWithFixedDelay(this::renewServing, days, days, TimeUnit.DAYS);
        return server.getPort();
    }

    private Server server() throws IOException {
        var certificates = new CertificateService(authority, this::runsOn, config.trustDomain());
        return NettyServerBuilder.forPort(config.grpcPort())
                .sslContext(tls.context())
                .permitKeepAliveTime(10, TimeUnit.SECONDS)
                .permitKeepAliveWithoutCalls(true)
                .maxInboundMessageSize(16 << 20)
                .maxInboundMetadataSize(16 << 10)
                .handshakeTimeout(10, TimeUnit.SECONDS)
                .intercept(new TokenCheck(tokens))
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

    private boolean runsOn(String node, String namespace, String serviceAccount) {
        return objects.pods().stream()
                .anyMatch(pod -> pod.metadata().namespace().equals(namespace)
                        && pod.spec().nodeName().equals(node)
                        && pod.spec().serviceAccount().equals(serviceAccount)
                        && !pod.finished());
    }

    /// On the folder source's thread.
    private void changed(ObjectSet now) {
        objects = now;
        var settings = new TranslationSettings(
                config.rootNamespace(), config.clusterId(), config.trustDomain(), "", "cluster.local");
        try {
            var translation = Translator.translate(now, settings);
            var waypoints = WaypointTranslator.translate(now, settings);
            xds.publish(translation.addresses(), translation.policies(), waypoints.resources());
            tell(now, translation, waypoints);
        } catch (RuntimeException bug) {
            LOG.error("the change is not applied, what was published stays: a mistake of ours", bug);
        }
        writeTokens(now, false);
        translated.ready();
    }

    private void tell(ObjectSet now, Translation translation, WaypointTranslator.Result waypoints) {
        var problems = new ArrayList<>(now.problems());
        problems.addAll(translation.problems());
        problems.addAll(waypoints.problems());
        log.tell(problems);
        try {
            writeProblems(problems);
        } catch (IOException e) {
            LOG.warn("problems.json not written: {}", e.getMessage());
        }
    }

    private void writeProblems(List<Problem> problems) throws IOException {
        var json = new ObjectMapper();
        var all = json.createArrayNode();
        for (var problem : problems) {
            all.addObject()
                    .put("severity", problem.severity().name())
                    .put("place", problem.place().toString())
                    .put("object", problem.object())
                    .put("message", problem.message())
                    .put("fix", problem.fix());
        }
        var file = config.stateDir().resolve("problems.json");
        var temporary = config.stateDir().resolve("problems.json.new");
        Files.writeString(temporary, json.writerWithDefaultPrettyPrinter().writeValueAsString(all) + "\n");
        Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
    }

    private void renewTokens() {
        writeTokens(objects, true);
    }

    private synchronized void writeTokens(ObjectSet now, boolean again) {
        for (var node : now.nodes()) {
            var name = node.metadata().name();
            writeToken(
                    "tokens/" + name,
                    "",
                    again,
                    file -> tokens.write(file, name, node.metadata().uid()));
        }
        for (var pod : now.pods()) {
            if (isWaypoint(pod, now)) {
                var caller = new Caller(
                        pod.namespace(),
                        pod.spec().serviceAccount(),
                        pod.name(),
                        pod.spec().nodeName());
                var folder = "pod-tokens/" + pod.namespace() + "/" + pod.name();
                writeToken(folder, caller.toString(), again, file -> tokens.write(file, caller));
            }
        }
    }

    private static boolean isWaypoint(Pod pod, ObjectSet now) {
        return pod.metadata()
                .label(Waypoints.GATEWAY_NAME)
                .flatMap(name -> now.find(Gateway.class, Kind.GATEWAY, pod.namespace(), name))
                .filter(gateway ->
                        gateway.isWaypoint() && gateway.name().equals(pod.spec().serviceAccount()))
                .isPresent();
    }

    private interface Writer {
        void write(Path file) throws IOException, GeneralSecurityException;
    }

    /// @param who that the token is about, if that may change
    private void writeToken(String folder, String who, boolean again, Writer writer) {
        if (tokensOf.add(folder + who) || again) {
            try {
                var directory = config.stateDir().resolve(folder);
                Files.createDirectories(directory);
                writer.write(directory.resolve("istio-token"));
            } catch (IOException | GeneralSecurityException e) {
                LOG.error("no token in {}: {}", folder, e.getMessage());
            }
        }
    }

    private void renewServing() {
        try {
            tls.renew();
        } catch (GeneralSecurityException | IOException e) {
            LOG.error("our own certificate is not renewed: {}", e.getMessage());
        }
    }

    private HttpPages pages() throws IOException {
        var registry = new SimpleMeterRegistry();
        registry.gauge("pilot_xds", xds, server -> server.clients().size());
        return HttpPages.builder()
                .get("/ready", readiness.page())
                .any("/metrics", new MetricsPage(METRICS, registry))
                .get("/debug/syncz", _ -> Response.json(syncz()))
                .post("/logging", levels.page())
                .start(List.of(new InetSocketAddress(config.monitoringPort())));
    }

    private String syncz() throws IOException {
        var json = new ObjectMapper();
        var all = json.createArrayNode();
        for (var client : xds.clients()) {
            var one = all.addObject().put("node", client.node()).put("lastNack", client.lastNack());
            client.state().forEach(one.putObject("types")::put);
        }
        return json.writerWithDefaultPrettyPrinter().writeValueAsString(all) + "\n";
    }

    @Override
    public void close() {
        timer.shutdownNow();
        lifecycle.close();
    }
}
