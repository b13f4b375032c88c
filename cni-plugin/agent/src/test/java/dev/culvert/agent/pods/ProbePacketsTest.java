package dev.culvert.agent.pods;

import static org.assertj.core.api.Assertions.assertThat;

import dev.culvert.agent.kube.KubeletProbes;
import dev.culvert.agent.kube.NodeKubelet;
import dev.culvert.agent.pods.NodeNetwork.Kind;
import dev.culvert.agent.pods.PodView.Declared;
import dev.culvert.agent.rules.Capture;
import dev.culvert.agent.rules.Kubelet;
import dev.culvert.agent.rules.Probes;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/// Who reaches the application past the proxy, on real packets: the kubelet on declared probe ports,
/// and nobody else.
@ParameterizedClass
@EnumSource
class ProbePacketsTest {
    @Parameter
    @SuppressWarnings("NullAway.Init")
    private PodRulesTest.Language language;

    private static final int PROBED = NodeNetwork.PROBED;
    private static final int OTHER = 9090;
    private static final Kubelet THIS = new Kubelet.OfUser(0);
    private static final Kubelet SOMEBODY_ELSE = new Kubelet.OfUser(4711);

    @SuppressWarnings("NullAway.Init") // by build
    private NodeNetwork network;

    @SuppressWarnings("NullAway.Init") // by build
    private KubeletProbes probes;

    @SuppressWarnings("NullAway.Init") // by build
    private NamespaceRules rules;

    private Kubelet kubelet = THIS;
    private List<ServerSocket> servers = List.of();

    private void build(Kind kind) throws Exception {
        network = new NodeNetwork(kind, language != PodRulesTest.Language.NFT);
        probes = new KubeletProbes(
                KubeletProbes.Way.TTL,
                network.opened("node"),
                network.net(),
                () -> kubelet,
                language.dialect().node());
        probes.pods(Set.of(target()));
        rules = language.dialect().pods();
        rules.enrol(network.namespace("pod"), Capture.TCP.with(probes.inPod(pod())));
        var pod = network.namespace("pod");
        servers = List.of(
                PodNetwork.server(pod, PROBED, "app"),
                PodNetwork.server(pod, OTHER, "app"),
                PodNetwork.server(pod, 15006, "proxy"));
    }

    private static Set<InetAddress> addresses() {
        return Set.of(InetAddress.ofLiteral("198.18.64.2"), InetAddress.ofLiteral("2001:2:0:40::2"));
    }

    private static Probes.Target target() {
        return new Probes.Target(addresses(), Set.of(PROBED));
    }

    private static PodView pod() {
        return new PodView(
                new PodView.Name("uid", "shop", "web"),
                "web",
                Map.of(),
                Map.of(),
                new PodView.Surroundings(Optional.empty(), List.of()),
                new Declared(Set.of(PROBED), List.of()),
                List.copyOf(addresses()),
                false,
                false,
                Optional.empty());
    }

    @AfterEach
    void remove() throws Exception {
        for (var server : servers) {
            server.close();
        }
        rules.close();
        probes.close();
        assertThat(rulesOfTheNode()).doesNotContainIgnoringCase("culvert");
        network.close();
    }

    static Stream<Arguments> everywhere() {
        return Stream.of(Kind.values())
                .flatMap(kind -> PodNetwork.FAMILIES.stream()
                        .map(prefix -> Arguments.of(
                                kind, prefix, prefix.replace("64.", "70.").replace("40:", "46:"))));
    }

    @ParameterizedTest
    @MethodSource("everywhere")
    void onlyTheKubeletPassesAndOnlyToDeclaredPorts(Kind kind, String pods, String outer) throws Exception {
        build(kind);
        assertThat(network.ask("node", pods + "2", PROBED)).as("the kubelet").isEqualTo("app");
        assertThat(network.ask("node", pods + "2", OTHER)).as("another port").isEqualTo("proxy");
        assertThat(network.ask("neighbour", pods + "2", PROBED))
                .as("a neighbour")
                .isEqualTo("proxy");
        assertThat(network.ask("outside", outer + "1", NodeNetwork.NODE_PORT))
                .as("by NodePort, masqueraded")
                .isEqualTo("proxy");
        assertThat(network.ask("outside", pods + "2", PROBED)).as("masqueraded").isEqualTo("proxy");
        kubelet = SOMEBODY_ELSE;
        network.beginWith255("node");
        awaitRules("4711");
        assertThat(network.ask("node", pods + "2", PROBED))
                .as("a hostNetwork pod that sends 255")
                .isEqualTo("proxy");
        assertThat(network.ask("node", pods + "2", PROBED)).as("again").isEqualTo("proxy");
    }

    /// The addresses alone would not keep a neighbour out who takes the node's: here the pod believes
    /// the neighbour's.
    @ParameterizedTest
    @MethodSource("everywhere")
    void aNeighbourWithTheNodesAddressHasNot255(Kind kind, String pods, String outer) throws Exception {
        build(kind);
        var believed = new HashSet<InetAddress>();
        for (var prefix : PodNetwork.FAMILIES) {
            believed.add(InetAddress.ofLiteral(prefix + "1"));
            believed.add(InetAddress.ofLiteral(prefix + "3"));
        }
        rules.enrol(network.namespace("pod"), Capture.TCP.with(new Probes.Direct(Set.of(PROBED), believed)));
        assertThat(network.ask("node", pods + "2", OTHER))
                .as("neighbours know each other")
                .isEqualTo("proxy");
        assertThat(network.ask("neighbour", pods + "2", PROBED)).isEqualTo("proxy");
        if (kind == Kind.BRIDGED && language == PodRulesTest.Language.NFT) { // the proof that it would pass otherwise
            assertThat(network.in("node", "nft", "list", "table", "bridge", "culvert-probes"))
                    .containsPattern("255 counter packets [1-9]");
            network.in("node", "nft", "delete", "table", "bridge", "culvert-probes");
            assertThat(network.ask("neighbour", pods + "2", PROBED)).isEqualTo("app");
        }
        assertThat(outer).isNotEmpty();
    }

    @ParameterizedTest
    @EnumSource
    void flushedRulesOfTheNodeArePutBack(Kind kind) throws Exception {
        build(kind);
        network.in(
                "node", "sh", "-c", "nft flush ruleset; iptables-legacy -t mangle -F; ip6tables-legacy -t mangle -F");
        awaitRules("0");
        assertThat(network.ask("node", "198.18.64.2", PROBED)).isEqualTo("app");
        assertThat(network.ask("neighbour", "198.18.64.2", PROBED)).isEqualTo("proxy");
    }

    /// @param kubelet a user's number or a control group
    private void awaitRules(String kubelet) throws Exception {
        var deadline = System.nanoTime() + Duration.ofSeconds(30).toNanos();
        var rules = "";
        do {
            probes.pods(Set.of(target()));
            rules = rulesOfTheNode();
        } while (!rules.matches("(?s).*(skuid |--uid-owner |cgroup.*/|--path )" + kubelet + ".*")
                && System.nanoTime() < deadline);
        assertThat(rules).containsPattern("(skuid |--uid-owner |cgroup.*/|--path )" + kubelet);
    }

    private String rulesOfTheNode() throws Exception {
        return network.in(
                "node", "sh", "-c", "nft list ruleset; iptables-legacy-save -t mangle; iptables-nft-save -t mangle");
    }

    /// A group of its own where this machine lets us make one, else the one that we are in.
    @ParameterizedTest
    @EnumSource
    void aControlGroupTellsTheKubeletFromOthersOfItsUser(Kind kind) throws Exception {
        build(kind);
        var root = Stream.of("/sys/fs/cgroup", "/sys/fs/cgroup/unified")
                .map(Path::of)
                .filter(path -> Files.exists(path.resolve("cgroup.controllers")))
                .findFirst()
                .orElseThrow();
        var group = root.resolve("culvert-test-" + ProcessHandle.current().pid());
        Files.createDirectory(group);
        try {
            var inode = ((Number) Files.getAttribute(group, "unix:ino")).longValue();
            kubelet = new Kubelet.InControlGroup(group, 1, inode);
            network.beginWith255("node");
            awaitRules(group.getFileName().toString());
            assertThat(network.ask("node", "198.18.64.2", PROBED))
                    .as("the same user, elsewhere")
                    .isEqualTo("proxy");
            var words = "echo $$ > " + group + "/cgroup.procs; exec 3<>/dev/tcp/198.18.64.2/" + PROBED
                    + "; read -r who <&3; echo $who";
            assertThat(network.in("node", "bash", "-c", words).strip()).isEqualTo("app");
            assertThat(new NodeKubelet(Path.of("/proc"), Path.of("/sys/fs/cgroup")))
                    .isNotNull();
        } finally {
            Files.delete(group);
        }
    }
}
