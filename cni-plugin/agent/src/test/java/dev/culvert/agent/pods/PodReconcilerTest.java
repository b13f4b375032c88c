package dev.culvert.agent.pods;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.culvert.agent.pods.PodView.Surroundings;
import dev.culvert.agent.pods.RedirectionStatus.State;
import dev.culvert.agent.rules.Capture;
import dev.culvert.agent.rules.Probes;
import dev.culvert.agent.zds.ScriptedZtunnel;
import dev.culvert.agent.zds.ZdsLimits;
import dev.culvert.agent.zds.ZdsServer;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PodReconcilerTest {
    private static final Timing FAST = new Timing(
            Duration.ofMillis(20),
            Duration.ofMillis(100),
            Duration.ofMillis(20),
            Duration.ofMillis(50),
            Duration.ofSeconds(30));
    private static final ZdsLimits LIMITS = new ZdsLimits(Duration.ofSeconds(5), Duration.ofMillis(50), 100, 100);
    private static final String DEL = "1205" + "1203756964";

    @TempDir
    Path directory;

    private PodNetwork network;
    private FolderStatus status;
    private Agent agent;

    /// The reconciler with its server, as `app` wires them.
    private final class Agent {
        final PodReconciler reconciler;
        final ZdsServer server;

        Agent(List<PodView> pods) throws Exception {
            this(pods, Means.of(new NftRules(), status));
        }

        Agent(List<PodView> pods, Means means) throws Exception {
            var selection = new Selection(Set.of(), "istio-system", false);
            reconciler = new PodReconciler(selection, means, FAST);
            reconciler.adopt(pods);
            server = ZdsServer.listen(socket(), reconciler::served, reconciler::retryNow, LIMITS);
            reconciler.start(server);
        }

        void close() throws Exception {
            reconciler.close();
            server.close();
        }
    }

    @BeforeEach
    void build() throws Exception {
        network = new PodNetwork();
        status = new FolderStatus(directory.resolve("redirection"));
        agent = new Agent(List.of());
    }

    @AfterEach
    void remove() throws Exception {
        agent.close();
        network.close();
    }

    private Path socket() {
        return directory.resolve("z.sock");
    }

    private List<PodView> pod(String mode) throws Exception {
        return pod(new Surroundings(Optional.of(Map.of("istio.io/dataplane-mode", mode)), List.of()));
    }

    private List<PodView> pod(Surroundings surroundings) throws Exception {
        return List.of(pod("uid", surroundings));
    }

    private PodView pod(String uid, Surroundings surroundings) throws Exception {
        return new PodView(
                new PodView.Name(uid, "shop", "web"),
                "web",
                Map.of(),
                Map.of(),
                surroundings,
                PodView.Declared.NOTHING,
                List.of(InetAddress.getByName("198.18.64.2"), InetAddress.getByName("2001:2:0:40::2")),
                false,
                false,
                Optional.of(network.podPath));
    }

    @Test
    void labelEnrolsARunningPodAndStatusIsWrittenAfterTheAck() throws Exception {
        try (var ztunnel = ScriptedZtunnel.connectEmpty(socket())) {
            agent.reconciler.pods(pod("ambient"));
            assertThat(ztunnel.receiveAdd().netns()).isEqualTo(network.pod.id());
            assertThat(status.read("uid")).isEmpty();
            ztunnel.ack();
            awaitStatus(Optional.of(State.ENABLED));
            assertThat(network.inPod("nft", "list", "ruleset")).contains("redirect to :15001");
        }
    }

    /// A probe of a pod that refuses plaintext must not come to the proxy in between. That the node's rules
    /// fail does not keep the pod open.
    @Test
    void theNodesRulesForProbesComeBeforeThePodIsCaptured() throws Exception {
        agent.close();
        var rulesets = new CopyOnWriteArrayList<String>();
        var probes = new ProbeBypass() {
            @Override
            public Probes inPod(PodView pod) {
                return new Probes.Proxied();
            }

            @Override
            public void pods(Set<Probes.Target> pods) throws IOException {
                if (pods.isEmpty()) {
                    return;
                }
                try {
                    rulesets.add(network.ruleset());
                } catch (Exception e) {
                    throw new IOException(e);
                }
                if (rulesets.size() == 1) {
                    throw new IOException("the node's rules cannot be written");
                }
            }

            @Override
            public void close() {}
        };
        agent = new Agent(List.of(), new Means(new NftRules(), status, NetnsFinder.NONE, probes));
        try (var ztunnel = ScriptedZtunnel.connectEmpty(socket())) {
            agent.reconciler.pods(pod("ambient"));
            ztunnel.receiveAdd();
            ztunnel.ack();
            ztunnel.receiveAdd(); // once more, since the node's rules failed
            assertThat(rulesets.getFirst()).doesNotContain("redirect");
            assertThat(network.ruleset()).contains("redirect to :15001");
            assertThat(status.read("uid")).isEmpty();
            ztunnel.ack();
            awaitStatus(Optional.of(State.ENABLED));
        }
    }

    private static final List<String> ATTACKS = List.of(
            "flush ruleset",
            "delete table inet istio-ambient-nat",
            "insert rule inet istio-ambient-nat istio-output accept");

    /// Of a pod whose tables an older agent made: whatever was changed, by whatever program.
    @Test
    void rulesThatSomebodyTakesAwayArePutBack() throws Exception {
        try (var ztunnel = ScriptedZtunnel.connectEmpty(socket())) {
            for (var attack : ATTACKS) {
                network.addOlderTables();
                captured(ztunnel);
                var ours = network.ruleset();
                network.inPod("nft", attack);
                while (!network.ruleset().equals(ours)) {
                    TimeUnit.MILLISECONDS.sleep(10);
                }
                agent.reconciler.pods(pod("none"));
                assertThat(ztunnel.receive()).isEqualTo(DEL);
                ztunnel.ack();
                awaitNoRules();
            }
        }
    }

    private void captured(ScriptedZtunnel ztunnel) throws Exception {
        agent.reconciler.pods(pod("ambient"));
        ztunnel.receiveAdd();
        ztunnel.ack();
        awaitStatus(Optional.of(State.ENABLED));
    }

    /// By one socket, which the agent opens no more of, and closes.
    @Test
    void rulesThatAreHeldNobodyTakesAway() throws Exception {
        try (var ztunnel = ScriptedZtunnel.connectEmpty(socket())) {
            captured(ztunnel);
            var ours = network.ruleset();
            for (var attack : ATTACKS) {
                network.inPod("sh", "-c", "nft " + attack + " || true");
                assertThat(network.ruleset()).as(attack).isEqualTo(ours);
            }
            assertThat(network.netfilterSockets()).isEqualTo(1);
            agent.close();
            assertThat(network.netfilterSockets()).isZero();
            assertThat(network.ruleset()).isEqualTo(ours);
        }
    }

    private void captureAsAFormerAgent() throws Exception {
        try (var former = new NftRules()) {
            former.enrol(network.pod, Capture.TCP);
        }
    }

    /// It is left alone until its sandbox is made anew, however often it is looked at.
    @Test
    void podWhoseTrafficSomebodyElseRedirectsIsLeftAlone() throws Exception {
        network.inPod("iptables-nft", "-t", "nat", "-A", "OUTPUT", "-p", "tcp", "-j", "REDIRECT", "--to-ports", "1");
        try (var ztunnel = ScriptedZtunnel.connectEmpty(socket())) {
            agent.reconciler.pods(pod("ambient"));
            agent.reconciler.pods(pod("none"));
            agent.reconciler.pods(pod("ambient"));
            agent.reconciler.leave(Duration.ofSeconds(5)).get(1, TimeUnit.MINUTES);
            assertThat(status.read("uid")).isEmpty();
            assertThat(network.ruleset()).doesNotContain("istio");
            assertThat(ztunnel).isNotNull();
        }
    }

    @Test
    void withoutZtunnelThePodIsClosedAndPendingUntilOneComes() throws Exception {
        try (var app = PodNetwork.server(network.peer, 8080, "app")) {
            agent.reconciler.pods(pod("ambient"));
            awaitStatus(Optional.of(State.PENDING));
            assertThatThrownBy(() -> PodNetwork.connect(network.pod, "198.18.64.1", 8080))
                    .isInstanceOf(ConnectException.class);
            assertThat(app.isBound()).isTrue();
        }
        try (var ztunnel = ScriptedZtunnel.connect(socket())) {
            ztunnel.send("0801");
            ztunnel.receiveAdd(); // of the snapshot
            ztunnel.ack();
            assertThat(ztunnel.receive()).isEqualTo("1a00");
            ztunnel.ack();
            ztunnel.receiveAdd(); // of the retry
            assertThat(status.read("uid")).contains(State.PENDING);
            ztunnel.ack();
            awaitStatus(Optional.of(State.ENABLED));
        }
    }

    @Test
    void podWhoseUidCannotBeTrueKeepsNoOtherOut() throws Exception {
        var ambient = new Surroundings(Optional.of(Map.of("istio.io/dataplane-mode", "ambient")), List.of());
        try (var ztunnel = ScriptedZtunnel.connectEmpty(socket())) {
            agent.reconciler.pods(List.of(pod("../up", ambient), pod("", ambient)));
            agent.reconciler.pods(List.of(pod("../up", ambient), pod("", ambient), pod("uid", ambient)));
            ztunnel.receiveAdd();
            ztunnel.ack();
            awaitStatus(Optional.of(State.ENABLED));
        }
    }

    @Test
    void refusedPodIsTriedAgain() throws Exception {
        try (var ztunnel = ScriptedZtunnel.connectEmpty(socket())) {
            agent.reconciler.pods(pod("ambient"));
            ztunnel.receiveAdd();
            ztunnel.nack("port in use");
            ztunnel.receiveAdd();
            assertThat(status.read("uid")).contains(State.PENDING);
            ztunnel.ack();
            awaitStatus(Optional.of(State.ENABLED));
        }
    }

    @Test
    void releaseWaitsForTheLastCapturedConnection() throws Exception {
        try (var ztunnel = ScriptedZtunnel.connectEmpty(socket());
                var app = PodNetwork.server(network.peer, 8080, "app");
                var proxy = PodNetwork.server(network.pod, 15001, "proxy")) {
            captured(ztunnel);
            try (var captured = PodNetwork.connect(network.pod, "198.18.64.1", 8080)) {
                assertThat(captured.read()).isEqualTo("proxy");
                agent.reconciler.pods(pod("none"));
                awaitStatus(Optional.empty());
                assertThat(captured.roundTrip("still")).isEqualTo("still");
                try (var direct = PodNetwork.connect(network.pod, "198.18.64.1", 8080)) {
                    assertThat(direct.read()).isEqualTo("app");
                }
                assertThat(network.inPod("nft", "list", "ruleset")).contains("istio-ambient-nat");
            }
            assertThat(ztunnel.receive()).isEqualTo(DEL);
            ztunnel.ack();
            awaitNoRules();
            assertThat(app.isBound() && proxy.isBound()).isTrue();
        }
    }

    @Test
    void nextAgentTakesOverWithoutAGapAndSendsThePodAgain() throws Exception {
        try (var ztunnel = ScriptedZtunnel.connectEmpty(socket())) {
            captured(ztunnel);
        }
        agent.close();
        assertThat(status.read("uid")).contains(State.ENABLED);
        assertThat(network.inPod("nft", "list", "ruleset")).contains("redirect to :15001");

        agent = new Agent(pod("ambient"));
        try (var ztunnel = ScriptedZtunnel.connect(socket())) {
            ztunnel.send("0801");
            assertThat(ztunnel.receiveAdd().netns()).isEqualTo(network.pod.id());
            ztunnel.ack();
            assertThat(ztunnel.receive()).isEqualTo("1a00");
            ztunnel.ack();
        }
        assertThat(status.read("uid")).contains(State.ENABLED);
    }

    /// Peers that read `pending` would talk to it in clear.
    @Test
    void nextAgentLeavesThePodEnabledWhileNoZtunnelIsConnected() throws Exception {
        captureAsAFormerAgent();
        status.write("uid", State.ENABLED);
        agent.close();
        agent = new Agent(pod("ambient"));
        try (var ztunnel = ScriptedZtunnel.connect(socket())) {
            ztunnel.send("0801");
            ztunnel.receiveAdd(); // of the snapshot
            ztunnel.ack();
            assertThat(ztunnel.receive()).isEqualTo("1a00");
            ztunnel.ack();
            ztunnel.receiveAdd(); // of the retry
            assertThat(status.read("uid")).contains(State.ENABLED);
            ztunnel.ack();
        }
    }

    @Test
    void podWhoseNamespaceIsNotFoundAfterARestartIsKept() throws Exception {
        captureAsAFormerAgent();
        status.write("uid", State.ENABLED);
        agent.close();
        var lost = pod("ambient").getFirst();
        agent = new Agent(List.of(new PodView(
                lost.name(),
                "web",
                Map.of(),
                Map.of(),
                lost.surroundings(),
                PodView.Declared.NOTHING,
                lost.ips(),
                false,
                false,
                Optional.empty())));
        try (var ztunnel = ScriptedZtunnel.connect(socket())) {
            ztunnel.send("0801");
            assertThat(ztunnel.receive()).isEqualTo("2a05" + "0a03756964");
        }
    }

    /// The invariant: what could not be read releases nobody.
    @Test
    void nextAgentThatKnowsNothingOfTheNamespaceKeepsThePodUntilItReadsThatItIsReleased() throws Exception {
        captureAsAFormerAgent();
        status.write("uid", State.ENABLED);
        agent.close();
        var unread = new Surroundings(Optional.empty(), List.of("what is written at namespace.yaml:3"));
        agent = new Agent(pod(unread));
        try (var ztunnel = ScriptedZtunnel.connect(socket())) {
            ztunnel.send("0801");
            assertThat(ztunnel.receiveAdd().netns()).isEqualTo(network.pod.id());
            ztunnel.ack();
            assertThat(ztunnel.receive()).isEqualTo("1a00");
            ztunnel.ack();
            ztunnel.receiveAdd(); // it is enrolled again, not released
            ztunnel.ack();
            agent.reconciler.pods(pod(new Surroundings(Optional.empty(), List.of()))); // deleted is not released
            agent.reconciler.pods(pod(new Surroundings(Optional.of(Map.of()), unread.doubts()))); // nor is doubt
            assertThat(network.inPod("nft", "list", "ruleset")).contains("redirect to :15001");
            assertThat(status.read("uid")).contains(State.ENABLED);
            agent.reconciler.pods(pod("none"));
            assertThat(ztunnel.receive()).isEqualTo(DEL); // the next thing it hears
            ztunnel.ack();
            awaitStatus(Optional.empty());
            awaitNoRules();
        }
    }

    @Test
    void podThatCouldNotBeReadAtTheStartIsTakenOverWhenItIs() throws Exception {
        captureAsAFormerAgent();
        status.write("uid", State.ENABLED);
        try (var ztunnel = ScriptedZtunnel.connectEmpty(socket())) {
            agent.reconciler.pods(pod("none"));
            assertThat(ztunnel.receive()).isEqualTo(DEL);
            ztunnel.ack();
            awaitStatus(Optional.empty());
            awaitNoRules();
        }
    }

    @Test
    void podThatWasNeverCapturedIsLeftAloneInDoubt() throws Exception {
        try (var ztunnel = ScriptedZtunnel.connectEmpty(socket())) {
            agent.reconciler.pods(pod(new Surroundings(Optional.empty(), List.of("what is written at a.yaml:1"))));
            agent.reconciler.pods(pod("ambient"));
            ztunnel.receiveAdd(); // of the second
            assertThat(status.read("uid")).isEmpty();
            ztunnel.ack();
            awaitStatus(Optional.of(State.ENABLED));
        }
    }

    @Test
    void podThatIsGoneIsDeletedAndItsStatusRemoved() throws Exception {
        try (var ztunnel = ScriptedZtunnel.connectEmpty(socket())) {
            captured(ztunnel);
            agent.reconciler.pods(List.of());
            assertThat(ztunnel.receive()).isEqualTo(DEL);
            ztunnel.ack();
            awaitStatus(Optional.empty());
            assertThat(network.netfilterSockets()).isZero();
        }
    }

    @Test
    void agentThatLeavesReleasesItsPodsAndCapturesNoFurther() throws Exception {
        try (var ztunnel = ScriptedZtunnel.connectEmpty(socket())) {
            captured(ztunnel);
            var left = agent.reconciler.leave(Duration.ofSeconds(5));
            assertThat(ztunnel.receive()).isEqualTo(DEL);
            ztunnel.ack();
            left.get(1, TimeUnit.MINUTES);
            assertThat(status.read("uid")).isEmpty();
            assertThat(network.inPod("nft", "list", "ruleset")).isBlank();
            agent.reconciler.pods(pod("ambient"));
            agent.reconciler.leave(Duration.ofSeconds(5)).get(1, TimeUnit.MINUTES);
            assertThat(status.read("uid")).isEmpty();
        }
    }

    private void awaitStatus(Optional<State> expected) throws Exception {
        var deadline = System.nanoTime() + Duration.ofMinutes(1).toNanos();
        while (!status.read("uid").equals(expected) && System.nanoTime() < deadline) {
            TimeUnit.MILLISECONDS.sleep(10);
        }
        assertThat(status.read("uid")).isEqualTo(expected);
    }

    private void awaitNoRules() throws Exception {
        var deadline = System.nanoTime() + Duration.ofMinutes(1).toNanos();
        while (!network.inPod("nft", "list", "ruleset").isBlank() && System.nanoTime() < deadline) {
            TimeUnit.MILLISECONDS.sleep(20);
        }
        assertThat(network.inPod("nft", "list", "ruleset")).isBlank();
    }
}
