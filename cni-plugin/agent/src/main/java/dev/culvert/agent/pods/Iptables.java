package dev.culvert.agent.pods;

import dev.culvert.agent.rules.IptablesRules.Family;
import dev.culvert.agent.rules.IptablesSaved;
import dev.culvert.linux.netns.LegacyTables;
import dev.culvert.linux.netns.NetworkNamespace;
import dev.culvert.linux.netns.Ruleset;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/// Runs one variant of the iptables programs in a network namespace.
public enum Iptables {
    /// Into nftables' part of the kernel.
    NFT("nft"),
    /// Into its own.
    LEGACY("legacy");

    private static final String WAIT_SECONDS = "5";

    private final String variant;

    Iptables(String variant) {
        this.variant = variant;
    }

    static List<Family> families(NetworkNamespace netns) throws IOException {
        return PodStack.hasV6(netns) ? List.of(Family.V4, Family.V6) : List.of(Family.V4);
    }

    public IptablesSaved saved(NetworkNamespace netns, Family family) throws IOException {
        return IptablesSaved.of(NamespaceCommands.output(netns, family.program() + "-" + variant + "-save"));
    }

    /// @param rules one transaction a table
    public void apply(NetworkNamespace netns, Family family, String rules) throws IOException {
        if (rules.isEmpty()) {
            return;
        }
        var command = new ArrayList<>(List.of(family.program() + "-" + variant + "-restore", "--noflush"));
        if (this == LEGACY) {
            command.addAll(List.of("--wait", WAIT_SECONDS));
        }
        NamespaceCommands.run(netns, rules, line -> line.startsWith("#"), command.toArray(String[]::new));
    }

    /// Another number after a change of any rule there, whoever made it.
    public int generation(NetworkNamespace netns) throws IOException {
        return switch (this) {
            case NFT -> netns.<Integer, IOException>call(Ruleset::generation);
            case LEGACY -> netns.<Integer, IOException>call(LegacyTables::fingerprint);
        };
    }

    /// Whether the programs are there and the kernel takes a rule of theirs.
    boolean works(NetworkNamespace netns) {
        if (!NamespaceCommands.has("iptables-" + variant + "-restore")) {
            return false;
        }
        try {
            apply(
                    netns,
                    Family.V4,
                    "*mangle\n:CULVERT_TRY - [0:0]\n-A CULVERT_TRY -p 255 -j DROP\n-F CULVERT_TRY\n-X CULVERT_TRY\nCOMMIT\n");
            return true;
        } catch (IOException e) {
            return false;
        }
    }
}
