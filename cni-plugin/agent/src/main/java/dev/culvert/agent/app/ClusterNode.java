package dev.culvert.agent.app;

import dev.culvert.agent.kube.AnnotatedStatus;
import dev.culvert.agent.kube.KubeletProbes;
import dev.culvert.agent.kube.NodeKubelet;
import dev.culvert.agent.kube.ProcNamespaces;
import dev.culvert.agent.pods.Dialect;
import dev.culvert.agent.pods.Means;
import dev.culvert.agent.pods.NodeRules;
import dev.culvert.agent.pods.PodView;
import dev.culvert.agent.pods.ProbeBypass;
import dev.culvert.kube.client.ClusterSource;
import dev.culvert.kube.object.Kind;
import dev.culvert.kube.object.ProblemLog;
import dev.culvert.linux.netns.NetworkNamespace;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.base.ResourceDefinitionContext;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A node of a Kubernetes cluster, seen from the agent's pod.
final class ClusterNode implements Node {
    private static final Logger LOG = LoggerFactory.getLogger(ClusterNode.class);
    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final ResourceDefinitionContext DAEMON_SETS = new ResourceDefinitionContext.Builder()
            .withGroup("apps")
            .withVersion("v1")
            .withKind("DaemonSet")
            .withPlural("daemonsets")
            .withNamespaced(true)
            .build();

    private final Options options;
    private final KubernetesClient client;
    private final Means means;
    private @Nullable ClusterSource source;

    /// @param root where the node's files are seen
    /// @param namespace the agent's own
    /// @param daemonSet the agent's own
    /// @param probes how the kubelet's pass by the proxy, if they do
    /// @param rules as [Dialect#choose] has it
    record Options(
            String node,
            Path root,
            String namespace,
            String daemonSet,
            Optional<KubeletProbes.Way> probes,
            String rules) {}

    /// @param client closed with this
    ClusterNode(Options options, KubernetesClient client) throws IOException {
        this.options = options;
        this.client = client;
        var proc = options.root.resolve("proc");
        var home = NetworkNamespace.open(proc.resolve("1/ns/net"));
        var dialect = Dialect.choose(options.rules, home, proc);
        this.means = new Means(
                dialect.pods(),
                new AnnotatedStatus(client),
                new ProcNamespaces(proc),
                options.probes.isPresent()
                        ? probes(options.probes.get(), options.root, home, dialect.node())
                        : ProbeBypass.NONE);
    }

    private static ProbeBypass probes(KubeletProbes.Way way, Path root, NetworkNamespace home, NodeRules rules) {
        return new KubeletProbes(
                way,
                home,
                root.resolve("proc/1/net"),
                new NodeKubelet(root.resolve("proc"), root.resolve("sys/fs/cgroup")),
                rules);
    }

    @Override
    public Means means() {
        return means;
    }

    /// Waits until everything has been read once: what is not known must not look like what is not there.
    @Override
    public List<PodView> follow(Consumer<List<PodView>> listener) throws InterruptedException {
        var problems = new ProblemLog(LOG);
        var first = new CountDownLatch(1);
        var kinds = ClusterSource.Options.of(EnumSet.of(Kind.POD, Kind.NAMESPACE));
        var opened = ClusterSource.open(client, kinds.onNode(options.node), objects -> {
            problems.tell(objects.problems());
            listener.accept(PodViews.ofCluster(objects, options.node));
            first.countDown();
        });
        source = opened;
        while (!first.await(PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
            LOG.warn("waiting for the API server's pods and namespaces; what is captured stays so");
        }
        return PodViews.ofCluster(opened.current(), options.node);
    }

    /// Somebody deletes our DaemonSet. Whatever else keeps us from knowing, we only pause.
    @Override
    public boolean isLeft() {
        try {
            var set = client.genericKubernetesResources(DAEMON_SETS)
                    .inNamespace(options.namespace)
                    .withName(options.daemonSet)
                    .get();
            var left = Optional.ofNullable(set)
                    .map(HasMetadata::isMarkedForDeletion)
                    .orElse(true);
            LOG.info(left ? "the mesh leaves this node" : "the next agent takes over; what is captured stays so");
            return left;
        } catch (KubernetesClientException e) {
            LOG.warn(
                    "what is captured stays so; whether this agent is uninstalled cannot be asked: {}", e.getMessage());
            return false;
        }
    }

    @Override
    public void close() {
        if (source != null) {
            source.close();
        }
        client.close();
    }
}
