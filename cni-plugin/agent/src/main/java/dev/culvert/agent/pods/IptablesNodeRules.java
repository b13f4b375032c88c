package dev.culvert.agent.pods;

import dev.culvert.agent.rules.IptablesHostRules;
import dev.culvert.agent.rules.Kubelet;
import dev.culvert.agent.rules.Probes;
import dev.culvert.linux.netns.NetworkNamespace;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// By `iptables`.
public final class IptablesNodeRules implements NodeRules {
    private static final Logger LOG = LoggerFactory.getLogger(IptablesNodeRules.class);
    private static final Path BRIDGED = Path.of("/proc/sys/net/bridge/bridge-nf-call-iptables");

    private final Iptables iptables;
    private boolean bridgesSaid;

    public IptablesNodeRules(Iptables iptables) {
        this.iptables = iptables;
    }

    @Override
    public void direct(NetworkNamespace node, Kubelet kubelet, Collection<Probes.Target> pods) throws IOException {
        for (var family : Iptables.families(node)) {
            iptables.apply(node, family, IptablesHostRules.direct(family, kubelet, pods, iptables.saved(node, family)));
        }
        sayBridges(node);
    }

    private void sayBridges(NetworkNamespace node) throws IOException {
        var off = node.<Boolean, IOException>call(
                () -> Files.exists(BRIDGED) && Files.readString(BRIDGED).strip().equals("0"));
        if (off && !bridgesSaid) {
            LOG.warn("neighbours on a bridge can pass for the kubelet on declared probe ports;"
                    + " set net.bridge.bridge-nf-call-iptables and -ip6tables to 1");
        }
        bridgesSaid = off;
    }

    @Override
    public void linkLocal(NetworkNamespace node, long user, Collection<Probes.Target> pods) throws IOException {
        for (var family : Iptables.families(node)) {
            iptables.apply(node, family, IptablesHostRules.linkLocal(family, user, pods, iptables.saved(node, family)));
        }
    }

    @Override
    public void remove(NetworkNamespace node) throws IOException {
        for (var family : Iptables.families(node)) {
            iptables.apply(node, family, IptablesHostRules.none(iptables.saved(node, family)));
        }
    }

    @Override
    public int generation(NetworkNamespace node) throws IOException {
        return iptables.generation(node);
    }
}
