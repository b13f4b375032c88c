package dev.culvert.agent.pods;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.culvert.agent.rules.Capture;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/// What is of one language only; the rest is [PodRulesTest].
class NftRulesTest {
    private final NftRules rules = new NftRules();
    private PodNetwork network;

    @BeforeEach
    void build() throws Exception {
        network = new PodNetwork();
    }

    @AfterEach
    void remove() throws Exception {
        network.close();
    }

    /// As other meshes' sidecars and CNI plugins leave it, by either of nftables' programs; ours, and
    /// what translates nothing, is not foreign.
    @ParameterizedTest
    @ValueSource(
            strings = {
                "iptables-nft -t nat -N ISTIO_OUTPUT; iptables-nft -t nat -A OUTPUT -p tcp -j ISTIO_OUTPUT",
                "iptables-nft -t nat -A PREROUTING -p tcp -j REDIRECT --to-ports 4143",
                "nft 'table inet other { chain a { type nat hook output priority -100; tcp dport 80 redirect to :1; }; }'"
            })
    void rulesOfOthersAreSeen(String command) throws Exception {
        network.inPod("iptables-nft", "-t", "filter", "-A", "INPUT", "-p", "icmp", "-j", "ACCEPT");
        rules.enrol(network.pod, Capture.TCP);
        assertThat(rules.foreign(network.pod)).isEmpty();
        network.inPod("sh", "-c", command);
        assertThat(rules.foreign(network.pod)).get().asString().contains("redirect its traffic already");
    }

    @ParameterizedTest
    @EnumSource
    void rulesOfOthersAreSeenByIptables(Iptables variant) throws Exception {
        var byIptables = new IptablesPodRules(variant, Path.of("/proc"));
        byIptables.enrol(network.pod, Capture.TCP);
        assertThat(byIptables.foreign(network.pod)).isEmpty();
        var program = variant == Iptables.NFT ? "ip6tables-nft" : "ip6tables-legacy";
        network.inPod(program, "-t", "nat", "-A", "OUTPUT", "-p", "tcp", "-j", "REDIRECT", "--to-ports", "1");
        assertThat(byIptables.foreign(network.pod)).get().asString().contains("(ip6tables, table nat)");
    }

    /// Legacy where its rules are in use on the node, as Istio's agent chooses.
    @Test
    void theLanguageIsChosenByWhatTheNodeHas() throws Exception {
        var proc = Path.of("/proc");
        assertThat(Dialect.choose("auto", network.pod, proc).pods()).isInstanceOf(NftRules.class);
        assertThat(Dialect.choose("iptables", network.pod, proc))
                .extracting("pods.iptables")
                .isEqualTo(Iptables.NFT);
        network.inPod("iptables-legacy", "-A", "INPUT", "-p", "icmp", "-j", "ACCEPT");
        assertThat(Dialect.choose("iptables", network.pod, proc))
                .extracting("pods.iptables")
                .isEqualTo(Iptables.LEGACY);
        assertThatThrownBy(() -> Dialect.choose("ebtables", network.pod, proc)).hasMessageContaining("not ebtables");
    }

    @Test
    void failureNamesTheCommandAndItsReason() throws Exception {
        network.inPod(
                "nft",
                "add table inet istio-ambient-nat; add chain inet istio-ambient-nat output"
                        + " { type filter hook output priority 0; }");
        assertThatThrownBy(() -> rules.enrol(network.pod, Capture.TCP))
                .hasMessageStartingWith("nft -f -: ")
                .hasMessageContaining("istio-ambient-nat");
    }
}
