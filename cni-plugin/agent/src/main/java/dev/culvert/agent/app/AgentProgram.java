package dev.culvert.agent.app;

import dev.culvert.agent.pods.NftRules;
import dev.culvert.agent.pods.PodReconciler;
import dev.culvert.agent.pods.RedirectionStatus;
import dev.culvert.agent.pods.Selection;
import dev.culvert.agent.pods.Timing;
import dev.culvert.agent.zds.ZdsLimits;
import dev.culvert.agent.zds.ZdsServer;
import dev.culvert.kube.folder.FolderSource;
import dev.culvert.kube.object.ProblemLog;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
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
            required = true,
            description = "Folder of Pods and Nodes as the cluster made them.")
    Path objectsDir = Path.of("");

    @Option(
            names = "--redirectionDir",
            paramLabel = "DIR",
            required = true,
            description = "Where each pod's state is published.")
    Path redirectionDir = Path.of("");

    @Option(
            names = "--stateDir",
            paramLabel = "DIR",
            required = true,
            description = "Where copies of the YAML are kept, for a start while it is broken.")
    Path stateDir = Path.of("");

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
        var folders = new ArrayList<>(configDirs);
        folders.add(objectsDir);
        if (zdsSocket.getParent() != null) {
            Files.createDirectories(zdsSocket.getParent());
        }
        var selection = new Selection(excludedNamespaces, systemNamespace, dnsCapture);
        var status = new RedirectionStatus(redirectionDir);
        var where = new FolderSource.Where(folders, null, stateDir.resolve("last-good"));
        var problems = new ProblemLog(LOG);
        try (var reconciler = new PodReconciler(selection, new NftRules(), status, Timing.DEFAULT);
                var source = FolderSource.open(where, objects -> {
                    problems.tell(objects.problems());
                    reconciler.pods(PodViews.of(objects, node));
                })) {
            reconciler.adopt(PodViews.of(source.current(), node));
            try (var zds = ZdsServer.listen(zdsSocket, reconciler::served, reconciler::retryNow, ZdsLimits.DEFAULT);
                    var runtime = startAndAnswer(reconciler, zds, selection);
                    var pages = new AgentPages(zds, runtime)) {
                pages.open(healthPort, monitoringPort);
                LOG.info("the agent of {} serves {}", node, zdsSocket);
                stop.await();
            }
        }
    }

    private CniOptions.Running startAndAnswer(PodReconciler reconciler, ZdsServer zds, Selection selection)
            throws IOException {
        reconciler.start(zds);
        return cni.start(reconciler, selection);
    }
}
