package dev.culvert.agent.pods;

import dev.culvert.agent.rules.Capture;
import dev.culvert.agent.rules.InPodRules;
import dev.culvert.linux.netns.NetworkNamespace;
import dev.culvert.linux.netns.Ruleset;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/// Applies rules by `nft` and `ip`.
public final class NftRules implements NamespaceRules {
    private final PodStack stack;

    public NftRules() {
        this(Path.of("/proc"));
    }

    /// @param proc where `sys/net` can be written; that of a container cannot
    public NftRules(Path proc) {
        this.stack = new PodStack(proc);
    }

    @Override
    public Optional<String> foreign(NetworkNamespace netns) throws IOException {
        return ForeignRules.of(NamespaceCommands.output(netns, "nft", "list", "ruleset"));
    }

    @Override
    public void enrol(NetworkNamespace netns, Capture capture) throws IOException {
        stack.prepare(netns);
        var before = track(netns) ? InPodRules.before(PodStack.open(netns)) : "";
        NamespaceCommands.apply(netns, InPodRules.enrolled(capture) + before);
    }

    /// Whether connection tracking begins only now: what is open then began without it.
    private static boolean track(NetworkNamespace netns) throws IOException {
        try {
            NamespaceCommands.apply(netns, InPodRules.tracking());
            return true;
        } catch (IOException there) {
            if (String.valueOf(there.getMessage()).contains("File exists")) {
                return false;
            }
            throw there;
        }
    }

    @Override
    public void fence(NetworkNamespace netns) throws IOException {
        NamespaceCommands.apply(netns, InPodRules.fence());
    }

    @Override
    public void lift(NetworkNamespace netns) throws IOException {
        NamespaceCommands.apply(netns, InPodRules.unfenced());
    }

    @Override
    public void stopCapturing(NetworkNamespace netns) throws IOException {
        NamespaceCommands.apply(netns, InPodRules.releasing());
    }

    @Override
    public void remove(NetworkNamespace netns) throws IOException {
        NamespaceCommands.apply(netns, InPodRules.deletion());
        stack.clear(netns);
    }

    @Override
    public int generation(NetworkNamespace netns) throws IOException {
        return netns.<Integer, IOException>call(Ruleset::generation);
    }
}
