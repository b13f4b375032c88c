package dev.culvert.agent.app;

import dev.culvert.agent.kube.KubeletProbes;
import dev.culvert.agent.pods.FolderStatus;
import dev.culvert.agent.pods.PodReconciler;
import dev.culvert.agent.pods.Selection;
import dev.culvert.agent.pods.Timing;
import dev.culvert.agent.zds.ZdsLimits;
import dev.culvert.agent.zds.ZdsServer;
import dev.culvert.daemon.config.Env;
import dev.culvert.kube.client.KubernetesClients;
import dev.culvert.kube.folder.FolderSource;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// The program `culvert-cni-agent`.
@Command(
        name = "culvert-cni-agent",
        mixinStandardHelpOptions = true,
        description = "Captures the pods of one node: redirection rules, and their network namespaces for ztunnel.")
public final class AgentProgram implements Callable<Integer> {
    private static final Logger LOG = LoggerFactory.getLogger(AgentProgram.class);
    /// Within the pod's grace of 30 s.
    private static final Duration LEAVE = Duration.ofSeconds(15);

    @Option(
            names = "--node",
            paramLabel = "NAME",
            defaultValue = "${env:NODE_NAME}",
            description = "This node (NODE_NAME).")
    String node = "";

    @Option(names = "--configDir", paramLabel = "DIR", description = "Folder of the user's YAML; may be repeated.")
    List<Path> configDirs = List.of();

    @Option(
            names = "--objectsDir",
            paramLabel = "DIR",
            description = "Folder of Pods and Nodes as the local engine made them; without it the cluster's are read.")
    @Nullable
    Path objectsDir;

    @Option(
            names = "--redirectionDir",
            paramLabel = "DIR",
            description = "Where each pod's state is published; in a cluster as an annotation.")
    @Nullable
    Path redirectionDir;

    @Option(
            names = "--stateDir",
            paramLabel = "DIR",
            description = "Where copies of the YAML are kept, for a start while it is broken.")
    @Nullable
    Path stateDir;

    @Option(
            names = "--kubeconfig",
            paramLabel = "FILE",
            description = "Which cluster (KUBECONFIG, else the pod's own).")
    @Nullable
    Path kubeconfig;

    @Option(
            names = "--podNamespace",
            paramLabel = "NAMESPACE",
            defaultValue = "${env:POD_NAMESPACE:-istio-system}",
            description = "This agent's own (POD_NAMESPACE).")
    String podNamespace = "";

    @Option(
            names = "--daemonSet",
            paramLabel = "NAME",
            defaultValue = "istio-cni-node",
            description = "This agent's own; when it has been deleted the agent leaves nothing on the node.")
    String daemonSet = "";

    @Option(
            names = "--probes",
            paramLabel = "HOW",
            defaultValue = "${env:CULVERT_PROBES:-ttl}",
            description =
                    "How the kubelet's probes reach captured pods past the proxy: ttl (on declared ports, with a TTL of"
                            + " 255), snat (on all ports, from Istio's link-local address) or none (CULVERT_PROBES).")
    String probes = "";

    @Option(
            names = "--rules",
            paramLabel = "LANGUAGE",
            defaultValue = "${env:CULVERT_RULES:-auto}",
            description =
                    "In what rules are written: nft, iptables-nft, iptables-legacy, iptables (one of these two), or auto: nft"
                            + " where the kernel has it, else iptables (CULVERT_RULES).")
    String rules = "";

    @Option(
            names = "--zdsSocket",
            paramLabel = "PATH",
            defaultValue = "${env:ZTUNNEL_UDS_ADDRESS:-/var/run/ztunnel/ztunnel.sock}",
            description = "Where ztunnel connects (ZTUNNEL_UDS_ADDRESS).")
    Path zdsSocket = Path.of("");

    @Option(
            names = "--healthPort",
            paramLabel = "PORT",
            defaultValue = "8000",
            description = "/healthz and /readyz; 0 for none.")
    int healthPort;

    @Option(
            names = "--monitoringPort",
            paramLabel = "PORT",
            defaultValue = "${env:MONITORING_PORT:-15014}",
            description = "/metrics; 0 for none.")
    int monitoringPort;

    @Option(
            names = "--excludeNamespaces",
            split = ",",
            defaultValue = "${env:EXCLUDE_NAMESPACES:-kube-system}",
            description = "Never captured.")
    Set<String> excludedNamespaces = Set.of();

    @Option(
            names = "--systemNamespace",
            defaultValue = "${env:SYSTEM_NAMESPACE:-istio-system}",
            description = "ztunnel's own.")
    String systemNamespace = "";

    @Option(
            names = "--dnsCapture",
            defaultValue = "${env:AMBIENT_DNS_CAPTURE:-false}",
            description = "Also capture name lookups (AMBIENT_DNS_CAPTURE).")
    boolean dnsCapture;

    @Mixin
    CniOptions cni = new CniOptions();

    public static void main(String[] arguments) {
        System.exit(new CommandLine(new AgentProgram()).execute(arguments));
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        if (node.isBlank()) {
            LOG.error("which node is this? Set NODE_NAME");
            return 2;
        }
        var stop = new CountDownLatch(1);
        var stopped = new CountDownLatch(1);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            stop.countDown();
            try {
                stopped.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }));
        try {
            serve(stop);
        } finally {
            stopped.countDown();
        }
        return 0;
    }

    /// Pods first, then what the former agent left, then ztunnels: the first snapshot must have everything.
    private void serve(CountDownLatch stop) throws IOException, InterruptedException {
        if (zdsSocket.getParent() != null) {
            Files.createDirectories(zdsSocket.getParent());
        }
        var selection = new Selection(excludedNamespaces, systemNamespace, dnsCapture);
        try (var place = objectsDir == null ? cluster() : folders(objectsDir);
                var reconciler = new PodReconciler(selection, place.means(), Timing.DEFAULT)) {
            reconciler.adopt(place.follow(reconciler::pods));
            try (var zds = ZdsServer.listen(zdsSocket, reconciler::served, reconciler::retryNow, ZdsLimits.DEFAULT);
                    var runtime = startAndAnswer(reconciler, zds, selection);
                    var pages = new AgentPages(zds, runtime)) {
                pages.open(healthPort, monitoringPort);
                LOG.info("the agent of {} serves {}", node, zdsSocket);
                stop.await();
                if (place.isLeft()) {
                    leave(place, runtime, reconciler);
                }
            }
        }
    }

    private Node folders(Path objects) throws IOException {
        if (redirectionDir == null || stateDir == null) {
            throw new IOException("--objectsDir needs --redirectionDir and --stateDir");
        }
        var folders = new ArrayList<>(configDirs);
        folders.add(objects);
        var where = new FolderSource.Where(folders, null, stateDir.resolve("last-good"));
        return new FolderNode(node, where, new FolderStatus(redirectionDir), new FolderNode.Options(way(), rules));
    }

    private Node cluster() throws IOException {
        if (!configDirs.isEmpty()) {
            throw new IOException("--configDir needs --objectsDir; without both the cluster's objects are read");
        }
        var client = KubernetesClients.open(kubeconfig, Env.ofProcess().variables());
        var options = new ClusterNode.Options(node, cni.hostRoot, podNamespace, daemonSet, way(), rules);
        return new ClusterNode(options, client);
    }

    private Optional<KubeletProbes.Way> way() throws IOException {
        return switch (probes) {
            case "ttl" -> Optional.of(KubeletProbes.Way.TTL);
            case "snat" -> Optional.of(KubeletProbes.Way.SNAT);
            case "none" -> Optional.empty();
            default -> throw new IOException("--probes is ttl, snat or none, not " + probes);
        };
    }

    /// The plugin first, so that pods that start meanwhile are not asked about; then the pods; then the
    /// node's own rules.
    private static void leave(Node place, CniOptions.Running runtime, PodReconciler reconciler)
            throws IOException, InterruptedException {
        runtime.uninstall();
        try {
            reconciler.leave(LEAVE).get(LEAVE.plusSeconds(5).toSeconds(), TimeUnit.SECONDS);
        } catch (ExecutionException | TimeoutException e) {
            LOG.error("some pods could not be released and stay closed until they are started anew");
        }
        reconciler.close();
        place.means().probes().close();
        LOG.info("nothing of the mesh is left on this node");
    }

    private CniOptions.Running startAndAnswer(PodReconciler reconciler, ZdsServer zds, Selection selection)
            throws IOException {
        reconciler.start(zds);
        return cni.start(reconciler, selection);
    }
}
