package dev.culvert.agent.pods;

import dev.culvert.linux.LinuxException;
import dev.culvert.linux.netns.NetworkNamespace;
import dev.culvert.linux.netns.Ruleset;
import java.io.IOException;
import java.nio.file.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The language in which rules are written, in pods and on the node.
public record Dialect(NamespaceRules pods, NodeRules node) {
    private static final Logger LOG = LoggerFactory.getLogger(Dialect.class);

    public static Dialect nft(Path proc) {
        return new Dialect(new NftRules(proc), new NftNodeRules());
    }

    public static Dialect iptables(Iptables variant, Path proc) {
        return new Dialect(new IptablesPodRules(variant, proc), new IptablesNodeRules(variant));
    }

    /// @param wanted `auto`, `nft`, `iptables`, `iptables-nft` or `iptables-legacy`
    /// @param node in which it is tried what works
    /// @param proc where `sys/net` can be written
    /// @throws IOException if it is another word, or nothing works
    public static Dialect choose(String wanted, NetworkNamespace node, Path proc) throws IOException {
        var chosen =
                switch (wanted) {
                    case "nft" -> nft(proc);
                    case "iptables-nft" -> iptables(Iptables.NFT, proc);
                    case "iptables-legacy" -> iptables(Iptables.LEGACY, proc);
                    case "iptables" -> iptables(detected(node), proc);
                    case "auto" -> takesNft(node) ? nft(proc) : iptables(detected(node), proc);
                    default ->
                        throw new IOException(
                                "--rules is auto, nft, iptables, iptables-nft or iptables-legacy, not " + wanted);
                };
        LOG.info("rules are written by {}", chosen.pods.getClass().getSimpleName());
        return chosen;
    }

    private static boolean takesNft(NetworkNamespace node) throws IOException {
        try {
            node.<Integer, IOException>call(Ruleset::generation);
            return NamespaceCommands.has("nft");
        } catch (LinuxException e) {
            LOG.info("this kernel has no nftables: {}", e.getMessage());
            return false;
        }
    }

    /// As Istio's agent does: where legacy rules are in use, legacy; else what works.
    private static Iptables detected(NetworkNamespace node) throws IOException {
        if (legacyInUse(node)) {
            return Iptables.LEGACY;
        }
        for (var variant : Iptables.values()) {
            if (variant.works(node)) {
                return variant;
            }
        }
        throw new IOException("neither nftables nor iptables can be used on this node: load the kernel's nf_tables, or"
                + " install nft or iptables where the agent runs");
    }

    private static boolean legacyInUse(NetworkNamespace node) throws IOException {
        for (var family : Iptables.families(node)) {
            if (!Iptables.LEGACY.saved(node, family).isEmpty() && Iptables.LEGACY.works(node)) {
                return true;
            }
        }
        return false;
    }
}
