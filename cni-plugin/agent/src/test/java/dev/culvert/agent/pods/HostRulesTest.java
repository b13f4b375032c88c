package dev.culvert.agent.pods;

import static org.assertj.core.api.Assertions.assertThat;

import dev.culvert.agent.rules.HostRules;
import dev.culvert.agent.rules.Kubelet;
import dev.culvert.agent.rules.Probes;
import java.net.InetAddress;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// The node's rules, in a namespace that stands for the node's.
class HostRulesTest {
    private static final List<Probes.Target> PODS = List.of(new Probes.Target(
            Set.of(InetAddress.ofLiteral("198.18.64.2"), InetAddress.ofLiteral("2001:2:0:40::2")), Set.of(8080)));

    private static final List<Probes.Target> PEER = List.of(new Probes.Target(
            Set.of(InetAddress.ofLiteral("198.18.64.1"), InetAddress.ofLiteral("2001:2:0:40::1")), Set.of(8080)));

    private PodNetwork network;

    @BeforeEach
    void build() throws Exception {
        network = new PodNetwork();
    }

    @AfterEach
    void remove() throws Exception {
        network.close();
    }

    private String list() throws Exception {
        return network.inPod("nft", "list", "ruleset");
    }

    @Test
    void podsAreReplacedAsAWholeAndNothingIsLeft() throws Exception {
        NamespaceCommands.apply(network.pod, HostRules.linkLocal(0, PODS));
        assertThat(list()).contains("elements = { 198.18.64.2 }").contains("elements = { 2001:2:0:40::2 }");
        NamespaceCommands.apply(network.pod, HostRules.linkLocal(0, List.of()));
        assertThat(list()).contains("istio-inpod-probes-v4").doesNotContain("elements");
        NamespaceCommands.apply(network.pod, HostRules.none("inet"));
        NamespaceCommands.apply(network.pod, HostRules.none("inet"));
        assertThat(list()).isBlank();
    }

    /// The former agent of the node may have gone the other way.
    @ParameterizedTest
    @EnumSource
    void eachWayTakesTheOthersRulesAway(PodRulesTest.Language language) throws Exception {
        var rules = language.dialect().node();
        var saved = "nft list ruleset; iptables-legacy-save; iptables-nft-save";
        for (var round = 0; round < 2; round++) {
            rules.linkLocal(network.pod, 0, PODS);
            assertThat(network.inPod("sh", "-c", saved))
                    .contains("169.254.7.127")
                    .doesNotContain("CULVERT_PROBES", "inet culvert-probes");
            rules.direct(network.pod, new Kubelet.OfUser(0), PODS);
            assertThat(network.inPod("sh", "-c", saved))
                    .containsIgnoringCase("culvert")
                    .doesNotContain("169.254.7.127");
        }
        rules.remove(network.pod);
        rules.remove(network.pod);
        assertThat(network.inPod("sh", "-c", saved))
                .doesNotContainIgnoringCase("culvert")
                .doesNotContain("169.254");
    }

    /// Neighbour discovery lives by its hop limit of 255.
    @ParameterizedTest
    @EnumSource
    void podsStillFindTheNode(PodRulesTest.Language language) throws Exception {
        var rules = language.dialect().node();
        try (var node = PodNetwork.server(network.pod, 8080, "node")) {
            assertThat(node.isBound()).isTrue();
            rules.direct(network.pod, new Kubelet.OfUser(4711), PEER);
            for (var family : PodNetwork.FAMILIES) {
                network.inPod("ip", "neigh", "flush", "dev", "eth0");
                network.inPeer("ip", "neigh", "flush", "dev", "eth0");
                try (var line = network.connectFromPeer(family + "2", 8080)) {
                    assertThat(line.read()).isEqualTo("node");
                }
            }
        }
        rules.remove(network.pod);
    }

    /// What the kubelet's user opens comes from the link-local address; what another user opens does not.
    @Test
    void onlyTheKubeletsUserGetsTheProbesAddress() throws Exception {
        var peer = List.of(new Probes.Target(Set.of(InetAddress.ofLiteral("198.18.64.1")), Set.of()));
        try (var server = PodNetwork.server(network.peer, 8080, "app")) {
            assertThat(server.isBound()).isTrue();
            NamespaceCommands.apply(network.pod, HostRules.linkLocal(4711, peer));
            PodNetwork.connect(network.pod, "198.18.64.1", 8080).close();
            assertThat(list()).contains("skuid 4711").contains("counter packets 0 bytes 0 snat ip to 169.254.7.127");
            NamespaceCommands.apply(network.pod, HostRules.linkLocal(0, peer));
            network.inPeer("ip", "route", "add", "169.254.7.127/32", "dev", "eth0");
            network.inPod("ip", "addr", "add", "169.254.7.127/32", "dev", "lo");
            PodNetwork.connect(network.pod, "198.18.64.1", 8080).close();
            assertThat(list()).contains("counter packets 1 ");
        }
    }
}
