package dev.culvert.agent.pods;

import dev.culvert.agent.rules.HostRules;
import dev.culvert.agent.rules.Kubelet;
import dev.culvert.agent.rules.Probes;
import dev.culvert.linux.netns.NetworkNamespace;
import dev.culvert.linux.netns.Ruleset;
import java.io.IOException;
import java.util.Collection;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// By `nft`.
public final class NftNodeRules implements NodeRules {
    private static final Logger LOG = LoggerFactory.getLogger(NftNodeRules.class);

    private boolean withoutBridges;

    @Override
    public void direct(NetworkNamespace node, Kubelet kubelet, Collection<Probes.Target> pods) throws IOException {
        apply(node, HostRules.bridged(pods), HostRules.direct(kubelet, pods));
    }

    /// In one transaction, but on a kernel without rules for bridges, which has no bridges, mostly.
    private void apply(NetworkNamespace node, String bridged, String routed) throws IOException {
        try {
            NamespaceCommands.apply(node, bridged + routed);
        } catch (IOException e) {
            if (!String.valueOf(e.getMessage()).contains("not supported")) {
                throw e;
            }
            if (!withoutBridges) {
                withoutBridges = true;
                LOG.warn("neighbours on a bridge can pass for the kubelet on declared probe ports: {}", e.getMessage());
            }
            NamespaceCommands.apply(node, routed);
        }
    }

    @Override
    public void linkLocal(NetworkNamespace node, long user, Collection<Probes.Target> pods) throws IOException {
        NamespaceCommands.apply(node, HostRules.linkLocal(user, pods));
    }

    @Override
    public void remove(NetworkNamespace node) throws IOException {
        apply(node, HostRules.none("bridge"), HostRules.none("inet"));
    }

    @Override
    public int generation(NetworkNamespace node) throws IOException {
        return node.<Integer, IOException>call(Ruleset::generation);
    }
}
