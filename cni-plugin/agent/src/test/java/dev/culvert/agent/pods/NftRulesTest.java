package dev.culvert.agent.pods;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.culvert.agent.rules.Capture;
import dev.culvert.linux.netns.OwnedTables;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
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
        rules.close();
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

    private static final List<String> ATTACKS = List.of(
            "flush ruleset",
            "delete table inet istio-ambient-nat",
            "delete table inet istio-ambient-mangle",
            "flush chain inet istio-ambient-nat istio-output",
            "insert rule inet istio-ambient-nat istio-output accept");

    private void attack() throws Exception {
        for (var attack : ATTACKS) {
            network.inPod("sh", "-c", "nft " + attack + " || true");
        }
    }

    /// Who answers a new connection of the pod.
    private String answer() throws Exception {
        try (var line = PodNetwork.connect(network.pod, "198.18.64.1", 8080)) {
            return line.read();
        }
    }

    /// Not even before they are looked at again: an agent that is asked sees no change.
    @Test
    void nobodyElseOpensACapturedPod() throws Exception {
        try (var app = PodNetwork.server(network.peer, 8080, "app");
                var proxy = PodNetwork.server(network.pod, 15001, "proxy")) {
            for (var capture : List.of(Capture.TCP, new Capture(true, true), Capture.TCP)) {
                rules.enrol(network.pod, capture);
                var ours = network.ruleset();
                var generation = rules.generation(network.pod);
                attack();
                assertThat(answer()).isEqualTo("proxy");
                assertThat(network.ruleset()).isEqualTo(ours);
                network.inPod("nft", "add table inet somebodys");
                assertThat(rules.generation(network.pod)).isEqualTo(generation);
                network.inPod("nft", "delete table inet somebodys");
            }
            rules.stopCapturing(network.pod);
            var releasing = network.ruleset();
            attack();
            assertThat(network.ruleset()).isEqualTo(releasing);
            assertThat(answer()).isEqualTo("app");
            rules.remove(network.pod);
            assertThat(network.ruleset()).isBlank();
            assertThat(network.netfilterSockets()).isZero();
            assertThat(app.isBound() && proxy.isBound()).isTrue();
        }
    }

    /// While `nft` writes, the tables are anybody's. Whatever falls in between, what was written is in force, or the
    /// agent knows that it is not.
    @Test
    void aFlushWhileRulesAreWrittenIsNoticed() throws Exception {
        var flushing = new ProcessBuilder(
                        "nsenter", "--net=" + network.podPath, "sh", "-c", "while nft flush ruleset 2>&1; do :; done")
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        try {
            for (var i = 0; i < 20; i++) {
                if (enrolled(new Capture(true, i % 2 == 0))) {
                    assertThat(network.ruleset()).contains("redirect to :15001", "ct original zone set");
                }
            }
        } finally {
            flushing.destroy();
            flushing.waitFor();
        }
        while (!enrolled(Capture.TCP)) { // its last flush may still run
            Thread.onSpinWait();
        }
        assertThat(network.ruleset()).contains("redirect to :15001").doesNotContain("15053");
    }

    private boolean enrolled(Capture capture) {
        try {
            rules.enrol(network.pod, capture);
            return true;
        } catch (IOException e) {
            return false; // the agent tries again
        }
    }

    @Test
    void rulesOutliveTheAgentAndTheNextOneHoldsThem() throws Exception {
        try (var app = PodNetwork.server(network.peer, 8080, "app");
                var proxy = PodNetwork.server(network.pod, 15001, "proxy");
                var next = new NftRules()) {
            rules.enrol(network.pod, Capture.TCP);
            assertThat(network.netfilterSockets()).isEqualTo(1);
            var ours = network.ruleset();
            rules.close();
            assertThat(network.netfilterSockets()).isZero();
            assertThat(answer()).as("while no agent runs").isEqualTo("proxy");
            assertThat(network.ruleset()).isEqualTo(ours);

            next.enrol(network.pod, Capture.TCP);
            assertThat(network.ruleset()).isEqualTo(ours);
            attack();
            assertThat(answer()).isEqualTo("proxy");
            next.letGo(network.pod);
            assertThat(network.netfilterSockets()).isZero();
            assertThat(app.isBound() && proxy.isBound()).isTrue();
        }
    }

    /// Killed between making the tables and tracking connections. The first packet that is tracked is a FIN.
    @Test
    void whatWasOpenBeforeAnAgentThatWasKilledInBetweenEndsInOrder() throws Exception {
        try (var app = PodNetwork.server(network.peer, 8080, "app");
                var before = PodNetwork.connect(network.pod, "198.18.64.1", 8080)) {
            assertThat(before.read()).isEqualTo("app");
            try (OwnedTables tables = network.pod.call(OwnedTables::open)) {
                tables.claim("istio-ambient-nat");
                tables.claim("istio-ambient-mangle");
            }
            rules.enrol(network.pod, Capture.TCP);
            before.socket().shutdownOutput();
            assertThat(before.socket().getInputStream().read())
                    .as("the other side's end")
                    .isEqualTo(-1);
            assertThat(app.isBound()).isTrue();
        }
    }

    /// They are anybody's until the pod is released, or until somebody has deleted them.
    @Test
    void tablesOfAnOlderAgentAreWrittenAsEver() throws Exception {
        network.addOlderTables();
        rules.enrol(network.pod, Capture.TCP);
        assertThat(network.netfilterSockets()).isZero();
        var ours = network.ruleset();
        rules.enrol(network.pod, new Capture(true, true));
        assertThat(network.ruleset()).contains("15053");
        rules.enrol(network.pod, Capture.TCP);
        assertThat(network.ruleset()).isEqualTo(ours);
        network.inPod("nft", "flush ruleset");
        rules.enrol(network.pod, Capture.TCP);
        assertThat(network.ruleset()).isEqualTo(ours);
        attack();
        assertThat(network.ruleset()).as("made anew").isEqualTo(ours);
        rules.remove(network.pod);
        assertThat(network.ruleset()).isBlank();

        network.addOlderTables();
        rules.enrol(network.pod, Capture.TCP);
        rules.stopCapturing(network.pod);
        rules.remove(network.pod);
        assertThat(network.ruleset()).isBlank();
    }

    @Test
    void aTableOfAnotherProcessIsNamed() throws Exception {
        try (OwnedTables others = network.pod.call(OwnedTables::open)) {
            others.claim("istio-ambient-mangle");
            assertThatThrownBy(() -> rules.enrol(network.pod, Capture.TCP))
                    .hasMessageStartingWith("table inet istio-ambient-mangle is owned by another process");
        }
        rules.enrol(network.pod, Capture.TCP);
        assertThat(network.ruleset()).contains("redirect to :15001");
        assertThat(network.netfilterSockets()).isEqualTo(1);
    }
}
