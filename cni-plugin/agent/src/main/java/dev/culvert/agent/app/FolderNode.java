package dev.culvert.agent.app;

import dev.culvert.agent.kube.KubeletProbes;
import dev.culvert.agent.pods.Dialect;
import dev.culvert.agent.pods.FolderStatus;
import dev.culvert.agent.pods.Means;
import dev.culvert.agent.pods.NetnsFinder;
import dev.culvert.agent.pods.NodeRules;
import dev.culvert.agent.pods.PodView;
import dev.culvert.agent.pods.ProbeBypass;
import dev.culvert.agent.rules.Kubelet;
import dev.culvert.kube.folder.FolderSource;
import dev.culvert.kube.object.ProblemLog;
import dev.culvert.linux.netns.NetworkNamespace;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A node of local mode: its objects are folders of YAML.
final class FolderNode implements Node {
    private static final Logger LOG = LoggerFactory.getLogger(FolderNode.class);

    private final String name;
    private final FolderSource.Where where;
    private final Means means;
    private @Nullable FolderSource source;

    /// How the node's pods are captured.
    /// @param probes how those of the local engine, which stands for the kubelet, pass by the proxy
    /// @param rules as [Dialect#choose] has it
    record Options(Optional<KubeletProbes.Way> probes, String rules) {}

    FolderNode(String name, FolderSource.Where where, FolderStatus status, Options options) throws IOException {
        this.name = name;
        this.where = where;
        var home = NetworkNamespace.current();
        var dialect = Dialect.choose(options.rules, home, Path.of("/proc"));
        this.means = new Means(
                dialect.pods(),
                status,
                NetnsFinder.NONE,
                options.probes.isPresent() ? probes(options.probes.get(), home, dialect.node()) : ProbeBypass.NONE);
    }

    /// Everything of local mode is one user's.
    private static ProbeBypass probes(KubeletProbes.Way way, NetworkNamespace home, NodeRules rules)
            throws IOException {
        var own = (Number) Files.getAttribute(Path.of("/proc/self"), "unix:uid");
        return new KubeletProbes(
                way, home, Path.of("/proc/self/net"), () -> new Kubelet.OfUser(own.longValue()), rules);
    }

    @Override
    public Means means() {
        return means;
    }

    @Override
    public List<PodView> follow(Consumer<List<PodView>> listener) throws IOException {
        var problems = new ProblemLog(LOG);
        var opened = FolderSource.open(where, objects -> {
            problems.tell(objects.problems());
            listener.accept(PodViews.of(objects, name));
        });
        source = opened;
        return PodViews.of(opened.current(), name);
    }

    @Override
    public boolean isLeft() {
        return false;
    }

    @Override
    public void close() throws IOException {
        if (source != null) {
            source.close();
        }
    }
}
