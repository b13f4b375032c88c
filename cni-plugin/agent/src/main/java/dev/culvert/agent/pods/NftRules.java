package dev.culvert.agent.pods;

import dev.culvert.agent.rules.Capture;
import dev.culvert.agent.rules.InPodRules;
import dev.culvert.linux.netns.NetworkNamespace;
import dev.culvert.linux.netns.Ruleset;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// Applies rules by `nft` and `ip`, in tables that nobody else can change where the kernel has such. Confined to one
/// thread.
public final class NftRules implements NamespaceRules {
    private final PodStack stack;
    private final PodTables tables = new PodTables();

    public NftRules() {
        this(Path.of("/proc"));
    }

    /// @param proc where `sys/net` can be written; that of a container cannot
    public NftRules(Path proc) {
        this.stack = new PodStack(proc);
    }

    @Override
    public Optional<String> foreign(NetworkNamespace netns) throws IOException {
        if (netns.<Integer, IOException>call(Ruleset::generation) == Ruleset.UNTOUCHED) {
            return Optional.empty();
        }
        return ForeignRules.of(NamespaceCommands.output(netns, "nft", "list", "ruleset"));
    }

    @Override
    public void enrol(NetworkNamespace netns, Capture capture) throws IOException {
        stack.prepare(netns);
        tables.write(netns, InPodRules.tables(capture), (held, shared) -> {
            var begins = !held && track(netns, shared);
            return InPodRules.enrolled(capture) + (begins ? InPodRules.before(PodStack.open(netns)) : "");
        });
    }

    /// Whether connection tracking begins only now: what is open then began without it.
    private static boolean track(NetworkNamespace netns, String shared) throws IOException {
        try {
            NamespaceCommands.apply(netns, shared + InPodRules.tracking());
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

    /// One transaction: there is no connection whose beginning connection tracking could have missed.
    @Override
    public void enrolFenced(NetworkNamespace netns, Capture capture) throws IOException {
        stack.prepare(netns);
        tables.write(
                netns,
                InPodRules.tables(capture),
                (_, _) -> InPodRules.fence() + InPodRules.begun() + InPodRules.enrolled(capture));
    }

    @Override
    public void lift(NetworkNamespace netns) throws IOException {
        NamespaceCommands.apply(netns, InPodRules.unfenced());
    }

    @Override
    public void stopCapturing(NetworkNamespace netns) throws IOException {
        tables.write(netns, InPodRules.tables(Capture.TCP), (_, _) -> InPodRules.releasing());
    }

    @Override
    public void remove(NetworkNamespace netns) throws IOException {
        tables.write(netns, List.of(), (_, _) -> InPodRules.deletion());
        stack.clear(netns);
    }

    @Override
    public int generation(NetworkNamespace netns) throws IOException {
        var ours = tables.generation(netns);
        return ours.isPresent() ? ours.getAsInt() : netns.<Integer, IOException>call(Ruleset::generation);
    }

    @Override
    public void letGo(NetworkNamespace netns) {
        tables.letGo(netns);
    }

    @Override
    public void close() {
        tables.close();
    }
}
