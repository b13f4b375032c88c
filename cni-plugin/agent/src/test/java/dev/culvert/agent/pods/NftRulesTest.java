package dev.culvert.agent.pods;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.culvert.agent.pods.PodNetwork.Line;
import dev.culvert.agent.rules.Capture;
import java.net.ConnectException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class NftRulesTest {
    private static final int APP = 8080;

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

    private static String answer(Line line) throws Exception {
        try (line) {
            return line.read();
        }
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
        assertThat(state()).contains(":15053", "istio-ambient-raw");
        rules.enrol(network.pod, Capture.TCP);
        assertThat(state()).isEqualTo(once);

        rules.remove(network.pod);
        rules.remove(network.pod);
        assertThat(network.inPod("nft", "list", "ruleset")).isBlank();
        assertThat(network.inPod("ip", "rule")).doesNotContain("0x111");
        assertThat(network.inPod("ip", "-6", "rule")).doesNotContain("0x111");
    }

    private String state() throws Exception {
        return network.inPod("nft", "-s", "list", "ruleset")
                + network.inPod("ip", "rule")
                + network.inPod("ip", "-6", "rule")
                + network.inPod("ip", "route", "show", "table", "100")
                + network.inPod("ip", "-6", "route", "show", "table", "100");
    }

    @Test
    void repliesToSpoofedConnectionsAreRoutedToLo() throws Exception {
        rules.enrol(network.pod, Capture.TCP);
        assertThat(network.inPod("ip", "route", "get", "203.0.113.9", "mark", "0x111"))
                .contains("local 203.0.113.9 dev lo");
        assertThat(network.inPod("ip", "-6", "route", "get", "2001:db8::9", "mark", "0x111"))
                .contains("dev lo");
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
