package dev.culvert.agent.pods;

import dev.culvert.agent.rules.Capture;
import dev.culvert.agent.rules.InPodRules.Open;
import dev.culvert.agent.rules.IptablesRules;
import dev.culvert.agent.rules.IptablesRules.Family;
import dev.culvert.agent.rules.IptablesSaved;
import dev.culvert.linux.netns.NetworkNamespace;
import java.io.IOException;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiFunction;

/// Applies rules by `iptables` and `ip`. The two IP families, and the tables of each, follow one
/// another: what the next one still misses is closed by the fence where a pod starts.
public final class IptablesPodRules implements NamespaceRules {
    private final Iptables iptables;
    private final PodStack stack;

    /// @param proc as for [NftRules]
    public IptablesPodRules(Iptables iptables, Path proc) {
        this.iptables = iptables;
        this.stack = new PodStack(proc);
    }

    @Override
    public Optional<String> foreign(NetworkNamespace netns) throws IOException {
        for (var family : Iptables.families(netns)) {
            if (iptables.saved(netns, family).translates()) {
                return Optional.of("its own rules (" + family.program() + ", table nat) redirect its traffic already");
            }
        }
        return Optional.empty();
    }

    @Override
    public void enrol(NetworkNamespace netns, Capture capture) throws IOException {
        stack.prepare(netns);
        var fresh = new EnumMap<Family, Boolean>(Family.class);
        for (var family : Iptables.families(netns)) {
            fresh.put(family, !IptablesRules.tracks(iptables.saved(netns, family)));
            if (fresh.getOrDefault(family, false)) {
                iptables.apply(netns, family, IptablesRules.tracking());
            }
        }
        var open = fresh.containsValue(true) ? PodStack.open(netns) : List.<Open>of();
        for (Map.Entry<Family, Boolean> one : fresh.entrySet()) {
            var family = one.getKey();
            if (one.getValue()) {
                iptables.apply(netns, family, IptablesRules.before(family, open));
            }
            iptables.apply(netns, family, IptablesRules.enrolled(family, capture, iptables.saved(netns, family)));
        }
    }

    private void each(NetworkNamespace netns, BiFunction<Family, IptablesSaved, String> rules) throws IOException {
        for (var family : Iptables.families(netns)) {
            iptables.apply(netns, family, rules.apply(family, iptables.saved(netns, family)));
        }
    }

    @Override
    public void fence(NetworkNamespace netns) throws IOException {
        each(netns, (_, saved) -> IptablesRules.fence(saved));
    }

    @Override
    public void lift(NetworkNamespace netns) throws IOException {
        each(netns, (_, saved) -> IptablesRules.unfenced(saved));
    }

    @Override
    public void stopCapturing(NetworkNamespace netns) throws IOException {
        each(netns, (_, saved) -> IptablesRules.releasing(saved));
    }

    @Override
    public void remove(NetworkNamespace netns) throws IOException {
        each(netns, (_, saved) -> IptablesRules.deletion(saved));
        each(netns, (_, saved) -> IptablesRules.unfenced(saved));
        stack.clear(netns);
    }

    @Override
    public int generation(NetworkNamespace netns) throws IOException {
        return iptables.generation(netns);
    }
}
