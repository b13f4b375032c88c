package dev.culvert.agent.pods;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.culvert.agent.pods.PodNetwork.Line;
import dev.culvert.agent.rules.Capture;
import dev.culvert.kube.object.Exclusions;
import dev.culvert.linux.netns.NetworkNamespace;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/// The rules in a pod by packets, the same in each language.
@ParameterizedClass
@EnumSource
class PodRulesTest {
    private static final int APP = 8080;

    /// In which rules are written.
    enum Language {
        NFT,
        IPTABLES_NFT,
        IPTABLES_LEGACY;

        Dialect dialect() {
            var proc = Path.of("/proc");
            return switch (this) {
                case NFT -> Dialect.nft(proc);
                case IPTABLES_NFT -> Dialect.iptables(Iptables.NFT, proc);
                case IPTABLES_LEGACY -> Dialect.iptables(Iptables.LEGACY, proc);
            };
        }
    }

    @Parameter
    @SuppressWarnings("NullAway.Init")
    private Language language;

    @SuppressWarnings("NullAway.Init")
    private NamespaceRules rules;

    private PodNetwork network;

    @BeforeEach
    void build() throws Exception {
        network = new PodNetwork();
        rules = language.dialect().pods();
    }

    @AfterEach
    void remove() throws Exception {
        rules.close();
        network.close();
    }

    @ParameterizedTest
    @ValueSource(strings = {"198.18.64.", "2001:2:0:40::"})
    void newOutboundConnectionsAreCapturedAndOpenOnesAreNot(String prefix) throws Exception {
        try (var app = PodNetwork.server(network.peer, APP, "app");
                var before = PodNetwork.connect(network.pod, prefix + "1", APP)) {
            assertThat(before.read()).isEqualTo("app");
            rules.enrol(network.pod, Capture.TCP);
            assertThat(before.roundTrip("after enrolment")).isEqualTo("after enrolment");
            assertThatThrownBy(() -> PodNetwork.connect(network.pod, prefix + "1", APP))
                    .as("closed while nobody listens")
                    .isInstanceOf(ConnectException.class);

            try (var proxy = PodNetwork.server(network.pod, 15001, "proxy");
                    var captured = PodNetwork.connect(network.pod, prefix + "1", APP)) {
                assertThat(captured.read()).isEqualTo("proxy");
                rules.stopCapturing(network.pod);
                assertThat(captured.roundTrip("while released")).isEqualTo("while released");
                assertThat(before.roundTrip("while released")).isEqualTo("while released");
                try (var direct = PodNetwork.connect(network.pod, prefix + "1", APP)) {
                    assertThat(direct.read()).isEqualTo("app");
                    rules.remove(network.pod);
                    assertThat(direct.roundTrip("after")).isEqualTo("after");
                    assertThat(before.roundTrip("after")).isEqualTo("after");
                }
                assertThat(proxy.isClosed()).isFalse();
            }
            assertThat(app.isClosed()).isFalse();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"198.18.64.", "2001:2:0:40::"})
    void newInboundConnectionsAreCapturedButTunnelsAndOpenOnesAreNot(String prefix) throws Exception {
        try (var app = PodNetwork.server(network.pod, APP, "app");
                var hbone = PodNetwork.server(network.pod, 15008, "hbone");
                var proxy = PodNetwork.server(network.pod, 15006, "proxy");
                var before = PodNetwork.connect(network.peer, prefix + "2", APP)) {
            assertThat(before.read()).isEqualTo("app");
            rules.enrol(network.pod, Capture.TCP);
            assertThat(before.roundTrip("x")).isEqualTo("x");
            assertThat(answer(network.connectFromPeer(prefix + "2", APP))).isEqualTo("proxy");
            assertThat(answer(network.connectFromPeer(prefix + "2", 15008))).isEqualTo("hbone");
            assertThat(answer(PodNetwork.connect(network.pod, prefix + "2", APP)))
                    .as("the pod to itself")
                    .isEqualTo("app");
            rules.stopCapturing(network.pod);
            assertThat(answer(network.connectFromPeer(prefix + "2", APP))).isEqualTo("app");
            assertThat(app.isBound() && hbone.isBound() && proxy.isBound()).isTrue();
        }
    }

    /// The kernel may give what the proxy opens to the app, from the peer's address, the very port of a
    /// connection that the peer has open in clear.
    @Test
    void aSpoofedConnectionDoesNotDisturbOneInClearFromTheSamePort() throws Exception {
        rules.enrol(network.pod, Capture.TCP);
        try (var app = PodNetwork.server(network.pod, APP, "app");
                var proxy = PodNetwork.server(network.pod, 15006, "proxy");
                var clear = network.connectFromPeer("198.18.64.2", APP)) {
            assertThat(clear.read()).isEqualTo("proxy");
            for (var i = 0; i < 3; i++) {
                try (var spoofed = network.pod.<SpoofedSocket, IOException>call(
                        () -> SpoofedSocket.connect(clear.socket().getLocalPort(), APP))) {
                    assertThat(spoofed.read()).isEqualTo("app\n");
                    assertThat(clear.roundTrip("while both are open")).isEqualTo("while both are open");
                }
                assertThat(clear.roundTrip("after the other")).isEqualTo("after the other");
                rules.enrol(network.pod, Capture.TCP);
            }
            assertThat(app.isBound() && proxy.isBound()).isTrue();
        }
    }

    /// The first packet that connection tracking sees of it is a FIN, which it calls invalid. Twice: an
    /// agent that starts again must not forget it.
    @ParameterizedTest
    @ValueSource(strings = {"198.18.64.", "2001:2:0:40::"})
    void anOpenConnectionThatIsSilentFromThenOnEndsInOrder(String prefix) throws Exception {
        try (var app = PodNetwork.server(network.peer, APP, "app");
                var before = PodNetwork.connect(network.pod, prefix + "1", APP)) {
            assertThat(before.read()).isEqualTo("app");
            rules.enrol(network.pod, Capture.TCP);
            rules.enrol(network.pod, Capture.TCP);
            before.socket().shutdownOutput();
            assertThat(before.socket().getInputStream().read())
                    .as("the other side's end")
                    .isEqualTo(-1);
            assertThat(app.isBound()).isTrue();
        }
    }

    private static String answer(Line line) throws Exception {
        try (line) {
            return line.read();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"198.18.64.", "2001:2:0:40::"})
    void excludedPortsAndBlocksPassBy(String prefix) throws Exception {
        try (var proxyOut = PodNetwork.server(network.pod, 15001, "proxy");
                var proxyIn = PodNetwork.server(network.pod, 15006, "proxy");
                var inside = PodNetwork.server(network.pod, APP, "app");
                var insideToo = PodNetwork.server(network.pod, 9090, "app");
                var outside = PodNetwork.server(network.peer, APP, "app");
                var outsideToo = PodNetwork.server(network.peer, 9090, "app")) {
            rules.enrol(network.pod, excluding(Exclusions.INBOUND_PORTS, "8080"));
            assertThat(answer(network.connectFromPeer(prefix + "2", APP))).isEqualTo("app");
            assertThat(answer(network.connectFromPeer(prefix + "2", 9090))).isEqualTo("proxy");
            assertThat(answer(PodNetwork.connect(network.pod, prefix + "1", APP)))
                    .isEqualTo("proxy");
            rules.enrol(network.pod, excluding(Exclusions.OUTBOUND_PORTS, "8080"));
            assertThat(answer(PodNetwork.connect(network.pod, prefix + "1", APP)))
                    .isEqualTo("app");
            assertThat(answer(PodNetwork.connect(network.pod, prefix + "1", 9090)))
                    .isEqualTo("proxy");
            rules.enrol(network.pod, excluding(Exclusions.OUTBOUND_BLOCKS, "198.18.64.0/24, 2001:2:0:40::1"));
            assertThat(answer(PodNetwork.connect(network.pod, prefix + "1", 9090)))
                    .isEqualTo("app");
            rules.enrol(network.pod, excluding(Exclusions.OUTBOUND_BLOCKS, "198.18.65.0/24, 2001:2:0:41::/64"));
            assertThat(answer(PodNetwork.connect(network.pod, prefix + "1", 9090)))
                    .isEqualTo("proxy");
            assertThat(proxyOut.isBound() && proxyIn.isBound() && inside.isBound() && insideToo.isBound())
                    .isTrue();
            assertThat(outside.isBound() && outsideToo.isBound()).isTrue();
        }
    }

    private static Capture excluding(String annotation, String what) {
        return Capture.TCP.without(Exclusions.of(Map.of(annotation, what)));
    }

    @Test
    void ingressPodsKeepTheirInboundConnections() throws Exception {
        try (var app = PodNetwork.server(network.pod, APP, "app")) {
            rules.enrol(network.pod, new Capture(false, false));
            assertThat(answer(network.connectFromPeer("198.18.64.2", APP))).isEqualTo("app");
            assertThat(app.isBound()).isTrue();
        }
    }

    @Test
    void againChangesNothingAndRemovalLeavesNothing() throws Exception {
        rules.enrol(network.pod, Capture.TCP);
        var once = state();
        rules.enrol(network.pod, Capture.TCP);
        assertThat(state()).isEqualTo(once);
        rules.enrol(network.pod, new Capture(true, true));
        assertThat(state()).contains("15053").isNotEqualTo(once);
        rules.enrol(network.pod, Capture.TCP);
        assertThat(state()).isEqualTo(once);

        rules.remove(network.pod);
        rules.remove(network.pod);
        assertThat(written()).isBlank();
        assertThat(network.inPod("ip", "rule")).doesNotContain("0x111");
        assertThat(network.inPod("ip", "-6", "rule")).doesNotContain("0x111");
    }

    private String state() throws Exception {
        return written()
                + network.inPod("ip", "rule")
                + network.inPod("ip", "-6", "rule")
                + network.inPod("ip", "route", "show", "table", "100")
                + network.inPod("ip", "-6", "route", "show", "table", "100");
    }

    /// Without the counters, and without empty tables, which iptables leaves.
    private String written() throws Exception {
        return switch (language) {
            case NFT -> network.ruleset();
            case IPTABLES_NFT -> saved("iptables-nft-save; ip6tables-nft-save");
            case IPTABLES_LEGACY -> saved("iptables-legacy-save; ip6tables-legacy-save");
        };
    }

    private String saved(String words) throws Exception {
        return network.inPod("sh", "-c", words)
                .lines()
                .filter(line -> line.startsWith("-A "))
                .collect(Collectors.joining("\n"));
    }

    /// The number by which the agent sees that somebody has changed something: added, taken, replaced. Of nftables
    /// that is what an older agent captured; see [NftRulesTest] for the rest.
    @Test
    void changesOfOthersAreSeenAndPutRight() throws Exception {
        for (var change : changes()) {
            if (language == Language.NFT) {
                rules.remove(network.pod);
                network.addOlderTables();
            }
            rules.enrol(network.pod, Capture.TCP);
            var ours = written();
            var before = rules.generation(network.pod);
            assertThat(rules.generation(network.pod)).isEqualTo(before);
            network.inPod("sh", "-c", change);
            assertThat(rules.generation(network.pod)).as(change).isNotEqualTo(before);
            rules.enrol(network.pod, Capture.TCP);
            assertThat(written()).as(change).isEqualTo(ours);
        }
    }

    private List<String> changes() {
        var iptables = language == Language.IPTABLES_LEGACY ? "ip%stables-legacy -t " : "ip%stables-nft -t ";
        return language == Language.NFT
                ? List.of(
                        "nft flush ruleset",
                        "nft delete table inet istio-ambient-nat",
                        "nft insert rule inet istio-ambient-nat istio-output accept")
                : Stream.of(
                                "nat -F",
                                "nat -I ISTIO_OUTPUT 1 -j ACCEPT",
                                "mangle -D OUTPUT -j ISTIO_OUTPUT",
                                "nat -R ISTIO_OUTPUT 1 -p tcp -m mark --mark 0x112/0xfff -j ACCEPT")
                        .flatMap(words -> Stream.of("", "6").map(family -> iptables.formatted(family) + words))
                        .toList();
    }

    /// Nothing passes in or out, and afterwards everything does.
    @ParameterizedTest
    @ValueSource(strings = {"198.18.64.", "2001:2:0:40::"})
    void aFencedPodHearsAndSaysNothing(String prefix) throws Exception {
        try (var app = PodNetwork.server(network.pod, APP, "app");
                var peer = PodNetwork.server(network.peer, APP, "app")) {
            rules.fence(network.pod);
            rules.fence(network.pod);
            assertThatThrownBy(() -> connect(network.peer, prefix + "2", 300))
                    .isInstanceOf(SocketTimeoutException.class);
            assertThatThrownBy(() -> connect(network.pod, prefix + "1", 300))
                    .isInstanceOf(SocketTimeoutException.class);
            rules.lift(network.pod);
            rules.lift(network.pod);
            connect(network.peer, prefix + "2", 5000); // the neighbour is asked for again after a while
            connect(network.pod, prefix + "1", 5000);
            assertThat(app.isBound() && peer.isBound()).isTrue();
        }
    }

    private static void connect(NetworkNamespace from, String address, int millis) throws Exception {
        from.<Boolean, Exception>call(() -> {
            try (var socket = new Socket()) {
                socket.connect(new InetSocketAddress(address, APP), millis);
                return socket.isConnected();
            }
        });
    }

    @Test
    void repliesToSpoofedConnectionsAreRoutedToLo() throws Exception {
        rules.enrol(network.pod, Capture.TCP);
        assertThat(network.inPod("ip", "route", "get", "203.0.113.9", "mark", "0x111"))
                .contains("local 203.0.113.9 dev lo");
        assertThat(network.inPod("ip", "-6", "route", "get", "2001:db8::9", "mark", "0x111"))
                .contains("dev lo");
    }
}
