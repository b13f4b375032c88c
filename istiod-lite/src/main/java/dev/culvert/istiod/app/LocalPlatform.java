package dev.culvert.istiod.app;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.culvert.istiod.ambient.Waypoints;
import dev.culvert.istiod.ca.Caller;
import dev.culvert.istiod.ca.CertificateAuthority;
import dev.culvert.istiod.ca.CertificateService;
import dev.culvert.istiod.ca.CertificateSigner;
import dev.culvert.istiod.ca.FolderSigner;
import dev.culvert.istiod.ca.NodeTokens;
import dev.culvert.istiod.ca.TokenVerifier;
import dev.culvert.kube.folder.FolderSource;
import dev.culvert.kube.object.Gateway;
import dev.culvert.kube.object.Kind;
import dev.culvert.kube.object.ObjectSet;
import dev.culvert.kube.object.Pod;
import dev.culvert.kube.object.Problem;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.GeneralSecurityException;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Folders of YAML, and tokens that we sign ourselves.
final class LocalPlatform implements Platform {
    private static final Logger LOG = LoggerFactory.getLogger("app");
    private static final String TEMPLATES = "inject.istio.io/templates";

    private final Where where;
    private final CertificateSigner signer;
    private final NodeTokens tokens;
    private final LocalAddresses addresses;
    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().daemon().name("tokens").factory());
    private final Set<String> tokensOf = new HashSet<>();
    private Optional<FolderSource> source = Optional.empty();
    private Optional<FolderSigner.Watch> rootsWatch = Optional.empty();
    private volatile ObjectSet objects = ObjectSet.EMPTY;

    /// @param objectsDir replaces what the config folders say of the same object
    /// @param stateDir keys (0600), `root-cert.pem`, `tokens/<node>/istio-token`, `problems.json`, `addresses.json`
    /// (of hosts of ServiceEntries), `last-good` (copies of the folders' files)
    /// @param addresses further addresses in our own certificate
    record Where(
            List<Path> configDirs,
            @Nullable Path objectsDir,
            @Nullable Path redirectionDir,
            Path stateDir,
            List<InetAddress> addresses) {
        Where {
            configDirs = List.copyOf(configDirs);
            addresses = List.copyOf(addresses);
        }

        /// In the order of rising precedence.
        List<Path> folders() {
            var folders = new ArrayList<>(configDirs);
            if (objectsDir != null) {
                folders.add(objectsDir);
            }
            return folders;
        }
    }

    /// @param signerDir of [FolderSigner]; without one the key is kept in the state directory
    LocalPlatform(Where where, Optional<Path> signerDir) throws IOException, GeneralSecurityException {
        this.where = where;
        var clock = Clock.systemUTC();
        Files.createDirectories(where.stateDir());
        signer = signerDir.isPresent()
                ? FolderSigner.open(signerDir.get(), clock)
                : CertificateAuthority.open(where.stateDir(), clock);
        tokens = NodeTokens.open(where.stateDir(), clock);
        addresses = LocalAddresses.open(where.stateDir().resolve("addresses.json"));
    }

    @Override
    public CertificateSigner signer() {
        return signer;
    }

    @Override
    public TokenVerifier tokens() {
        return tokens;
    }

    @Override
    public CertificateService.Pods pods() {
        return (node, namespace, account) -> MeshPods.runOn(objects, node, namespace, account);
    }

    @Override
    public List<String> names() {
        return List.of("istiod.istio-system.svc", "istiod.istio-system.svc.cluster.local", "localhost");
    }

    @Override
    public List<InetAddress> addresses() {
        var all = new ArrayList<>(where.addresses());
        all.add(InetAddress.ofLiteral("127.0.0.1"));
        all.add(InetAddress.ofLiteral("::1"));
        return all;
    }

    @Override
    public void start(Consumer<ObjectSet> listener, Renewal newAuthority) throws IOException {
        var copies = where.stateDir().resolve("last-good");
        source = Optional.of(
                FolderSource.open(new FolderSource.Where(where.folders(), where.redirectionDir(), copies), now -> {
                    objects = addresses.complete(now);
                    listener.accept(objects);
                }));
        var period = NodeTokens.LIFE.toMinutes() / 3;
        timer.scheduleWithFixedDelay(() -> writeTokens(objects, true), period, period, TimeUnit.MINUTES);
        switch (signer) {
            case CertificateAuthority own ->
                timer.scheduleWithFixedDelay(() -> renewRoot(own, newAuthority), 0, 1, TimeUnit.HOURS);
            case FolderSigner other -> {
                writeRoots();
                rootsWatch = Optional.of(other.watch(() -> {
                    writeRoots();
                    newAuthority.renew();
                }));
            }
        }
    }

    /// Where proxies read them.
    private void writeRoots() throws IOException {
        var file = where.stateDir().resolve("root-cert.pem");
        var temporary = where.stateDir().resolve("root-cert.pem.new");
        Files.writeString(temporary, signer.roots());
        Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
    }

    private void renewRoot(CertificateAuthority authority, Renewal newAuthority) {
        try {
            if (authority.renew(where.stateDir())) {
                LOG.info("the root was in the last fifth of its life and is issued anew: {}", authority.chain());
                newAuthority.renew();
            }
        } catch (IOException | GeneralSecurityException e) {
            LOG.error("the root is not renewed: {}; {} goes on", e.getMessage(), authority.chain());
        }
    }

    @Override
    public void told(ObjectSet now, List<Problem> problems) {
        try {
            writeProblems(problems);
        } catch (IOException e) {
            LOG.warn("problems.json not written: {}", e.getMessage());
        }
        writeTokens(now, false);
    }

    @Override
    public Duration staleFor() {
        return Duration.ZERO;
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
        var file = where.stateDir().resolve("problems.json");
        var temporary = where.stateDir().resolve("problems.json.new");
        Files.writeString(temporary, json.writerWithDefaultPrettyPrinter().writeValueAsString(all) + "\n");
        Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
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
            if (runsForAGateway(pod, now) || isGrpcClient(pod)) {
                var caller = new Caller(
                        pod.namespace(),
                        pod.spec().serviceAccount(),
                        pod.name(),
                        "",
                        pod.spec().nodeName());
                var folder = "pod-tokens/" + pod.namespace() + "/" + pod.name();
                writeToken(folder, caller.toString(), again, file -> tokens.write(file, caller));
            }
        }
    }

    private static boolean runsForAGateway(Pod pod, ObjectSet now) {
        return pod.metadata()
                .label(Waypoints.GATEWAY_NAME)
                .flatMap(name -> now.find(Gateway.class, Kind.GATEWAY, pod.namespace(), name))
                .filter(gateway -> (gateway.isWaypoint() || gateway.isIngress())
                        && gateway.deployedName().equals(pod.spec().serviceAccount()))
                .isPresent();
    }

    /// Such a pod calls us itself: Istio's word for it.
    private static boolean isGrpcClient(Pod pod) {
        var templates = pod.metadata().annotation(TEMPLATES).orElse("");
        return List.of(templates.split(",", -1)).contains("grpc-agent");
    }

    private interface Writer {
        void write(Path file) throws IOException, GeneralSecurityException;
    }

    /// @param who that the token is about, if that may change
    private void writeToken(String folder, String who, boolean again, Writer writer) {
        if (tokensOf.add(folder + who) || again) {
            try {
                var directory = where.stateDir().resolve(folder);
                Files.createDirectories(directory);
                writer.write(directory.resolve("istio-token"));
            } catch (IOException | GeneralSecurityException e) {
                LOG.error("no token in {}: {}", folder, e.getMessage());
            }
        }
    }

    @Override
    public void close() {
        timer.shutdownNow();
        rootsWatch.ifPresent(FolderSigner.Watch::close);
        try {
            if (source.isPresent()) {
                source.get().close();
            }
        } catch (IOException e) {
            LOG.warn("folders: {}", e.getMessage());
        }
    }
}
