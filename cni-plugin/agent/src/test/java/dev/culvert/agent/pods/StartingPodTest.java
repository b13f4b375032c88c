package dev.culvert.agent.pods;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.culvert.agent.event.EventLimits;
import dev.culvert.agent.event.EventServer;
import dev.culvert.agent.event.PluginEvents;
import dev.culvert.agent.pods.PodView.Surroundings;
import dev.culvert.agent.pods.RedirectionStatus.State;
import dev.culvert.agent.zds.ScriptedZtunnel;
import dev.culvert.agent.zds.ZdsLimits;
import dev.culvert.agent.zds.ZdsServer;
import dev.culvert.linux.netns.NetworkNamespace;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// A pod that the container runtime starts: what the plugin is answered, and what packets can do meanwhile.
class StartingPodTest {
    private static final Timing TIMING = new Timing(
            Duration.ofMillis(20),
            Duration.ofMillis(100),
            Duration.ofMillis(20),
            Duration.ofMillis(50),
            Duration.ofSeconds(30));
    private static final ZdsLimits ZDS = new ZdsLimits(Duration.ofSeconds(2), Duration.ofMillis(50), 100, 100);
    private static final EventLimits LIMITS = new EventLimits(
            32,
            8 << 10,
            1 << 20,
            Duration.ofSeconds(2),
            Duration.ofMillis(500),
            Duration.ofSeconds(8),
            Duration.ofSeconds(8));
    private static final String DEL = "1205" + "1203756964";
    private static final int SHORT_MILLIS = 300;

    @TempDir
    Path directory;

    private PodNetwork network;
    private FolderStatus status;
    private PodReconciler reconciler;
    private ZdsServer zds;
    private EventServer events;

    @BeforeEach
    void build() throws Exception {
        network = new PodNetwork();
        status = new FolderStatus(directory.resolve("redirection"));
        reconciler = new PodReconciler(
                new Selection(Set.of(), "istio-system", false), Means.of(new NftRules(), status), TIMING);
        zds = ZdsServer.listen(directory.resolve("z.sock"), reconciler::served, reconciler::retryNow, ZDS);
        reconciler.start(zds);
        events = EventServer.listen(
                directory.resolve("e.sock"), new PluginEvents(reconciler, Path.of("/"), LIMITS), LIMITS);
        reconciler.pods(pod(Optional.of(Map.of("istio.io/dataplane-mode", "ambient"))));
    }

    @AfterEach
    void remove() throws Exception {
        events.close();
        reconciler.close();
        zds.close();
        network.close();
    }

    /// As the API server shows it before it runs: no addresses, no namespace's path.
    private static List<PodView> pod(Optional<Map<String, String>> namespaceLabels) {
        return List.of(new PodView(
                new PodView.Name("uid", "shop", "web"),
                "web",
                Map.of(),
                Map.of(),
                new Surroundings(namespaceLabels, List.of()),
                PodView.Declared.NOTHING,
                List.of(),
                false,
                false,
                Optional.empty()));
    }

    private ScriptedZtunnel ztunnel() throws Exception {
        return ScriptedZtunnel.connectEmpty(directory.resolve("z.sock"));
    }

    private String message(String netns, String uid, String container) {
        return """
                {"Netns":"%s","PodName":"web","PodNamespace":"shop","PodUID":"%s","Network":"n","ContainerID":"%s",
                "IfName":"eth0","IPs":[{"Interface":0,"Address":{"IP":"198.18.64.2","Mask":"////AA=="},"Gateway":""}]}""".formatted(netns, uid, container);
    }

    private String message() {
        return message(network.podPath.toString(), "uid", "c1");
    }

    /// Status and reason.
    private CompletableFuture<String> ask(String path, String body) {
        return CompletableFuture.supplyAsync(() -> {
            try {
                return exchange(path, body);
            } catch (IOException e) {
                throw new CompletionException(e);
            }
        });
    }

    private String exchange(String path, String body) throws IOException {
        var request = "POST %s HTTP/1.1\r\nContent-Length: %d\r\n\r\n%s".formatted(path, body.length(), body);
        var answer = new ByteArrayOutputStream();
        try (var channel = SocketChannel.open(UnixDomainSocketAddress.of(directory.resolve("e.sock")))) {
            channel.write(ByteBuffer.wrap(request.getBytes(StandardCharsets.US_ASCII)));
            var buffer = ByteBuffer.allocate(4096);
            while (channel.read(buffer) >= 0) {
                answer.write(buffer.array(), 0, buffer.position());
                buffer.clear();
            }
        }
        var text = answer.toString(StandardCharsets.UTF_8);
        return (text.substring(9, 12) + " " + text.substring(text.indexOf("\r\n\r\n") + 4)).strip();
    }

    private static String soon(CompletableFuture<String> answer) throws Exception {
        return answer.get(20, TimeUnit.SECONDS);
    }

    private String ruleset() throws Exception {
        return network.inPod("nft", "list", "ruleset");
    }

    @ParameterizedTest
    @ValueSource(strings = {"198.18.64.", "2001:2:0:40::"})
    void noPacketPassesBeforeTheAckAndThenTrafficIsRedirected(String prefix) throws Exception {
        try (var ztunnel = ztunnel();
                var app = PodNetwork.server(network.peer, 8080, "app");
                var inPod = PodNetwork.server(network.pod, 8080, "pod");
                var hbone = PodNetwork.server(network.pod, 15008, "hbone");
                var proxy = PodNetwork.server(network.pod, 15001, "proxy")) {
            assertThat(datagramPasses(network.peer, network.pod, prefix + "2"))
                    .as("control")
                    .isTrue();
            assertThat(datagramPasses(network.pod, network.peer, prefix + "1"))
                    .as("control")
                    .isTrue();

            var answer = ask("/cmdadd", message());
            assertThat(ztunnel.receiveAdd().netns()).isEqualTo(network.pod.id());
            assertThat(ruleset()).contains("culvert-fence", "redirect to :15001");
            assertThat(datagramPasses(network.peer, network.pod, prefix + "2")).isFalse();
            assertThat(datagramPasses(network.pod, network.peer, prefix + "1")).isFalse();
            assertClosed(network.peer, prefix + "2", 8080);
            assertClosed(network.peer, prefix + "2", 15008);
            assertClosed(network.pod, prefix + "1", 8080);
            assertClosed(network.pod, prefix + "2", 8080);
            assertThat(answer).isNotDone();
            assertThat(status.read("uid")).isEmpty();

            ztunnel.ack();
            assertThat(soon(answer)).isEqualTo("200");
            assertThat(ruleset()).doesNotContain("culvert-fence").contains("redirect to :15001");
            assertThat(status.read("uid")).contains(State.ENABLED);
            try (var line = PodNetwork.connect(network.pod, prefix + "1", 8080)) {
                assertThat(line.read()).isEqualTo("proxy");
            }
            try (var line = network.connectFromPeer(prefix + "2", 15008)) {
                assertThat(line.read()).isEqualTo("hbone");
            }
            assertThat(datagramPasses(network.pod, network.peer, prefix + "1")).isTrue();
            assertThat(List.of(app.isBound(), inPod.isBound(), hbone.isBound(), proxy.isBound()))
                    .doesNotContain(false);
        }
    }

    private static boolean datagramPasses(NetworkNamespace from, NetworkNamespace to, String address) throws Exception {
        try (DatagramSocket receiver = to.call(() -> new DatagramSocket(9000, InetAddress.getByName("::")));
                DatagramSocket sender = from.call(() -> new DatagramSocket())) {
            receiver.setSoTimeout(SHORT_MILLIS);
            try {
                sender.send(new DatagramPacket(new byte[4], 4, InetAddress.getByName(address), 9000));
                receiver.receive(new DatagramPacket(new byte[4], 4));
                return true;
            } catch (SocketTimeoutException e) {
                return false;
            } catch (IOException e) {
                assertThat(e).hasMessageContaining("not permitted"); // what a drop in OUTPUT tells the sender
                return false;
            }
        }
    }

    /// Not even an answer that nobody listens.
    private static void assertClosed(NetworkNamespace from, String address, int port) throws Exception {
        var to = new InetSocketAddress(InetAddress.getByName(address), port);
        try (var socket = new Socket()) {
            assertThatThrownBy(() -> from.<Boolean, IOException>call(() -> {
                        socket.connect(to, SHORT_MILLIS);
                        return socket.isConnected();
                    }))
                    .isInstanceOf(SocketTimeoutException.class);
        }
    }

    @Test
    void withoutZtunnelAddFailsAndThePodStaysFencedUntilItIsDeleted() throws Exception {
        assertThat(soon(ask("/cmdadd", message()))).isEqualTo("500 no ztunnel connection");
        assertThat(ruleset()).contains("culvert-fence", "redirect to :15001");
        assertThat(soon(ask("/cmdcheck", message()))).startsWith("500 ");
        assertThat(soon(ask("/cmddel", message()))).isEqualTo("200");
        assertThat(status.read("uid")).isEmpty();
        assertThat(ruleset()).as("what may still run there stays closed").contains("culvert-fence");

        try (var ztunnel = ztunnel()) { // its snapshot is empty
            var answer = ask("/cmdadd", message(network.podPath.toString(), "uid", "c2"));
            ztunnel.receiveAdd();
            ztunnel.ack();
            assertThat(soon(answer)).isEqualTo("200");
            assertThat(soon(ask("/cmdcheck", message(network.podPath.toString(), "uid", "c2"))))
                    .isEqualTo("200");
            assertThat(soon(ask("/cmddel", message())))
                    .as("of the former sandbox, late")
                    .isEqualTo("200");
            assertThat(status.read("uid")).contains(State.ENABLED);
            var deleted = ask("/cmddel", message(network.podPath.toString(), "uid", "c2"));
            assertThat(ztunnel.receive()).isEqualTo(DEL);
            ztunnel.ack();
            assertThat(soon(deleted)).isEqualTo("200");
        }
    }

    @Test
    void silentZtunnelFailsAddAndTheFenceStays() throws Exception {
        try (var ztunnel = ztunnel()) {
            var answer = ask("/cmdadd", message());
            ztunnel.receiveAdd();
            assertThat(soon(answer)).startsWith("500 ");
            assertThat(ruleset()).contains("culvert-fence");
        }
    }

    @Test
    void refusingZtunnelFailsAdd() throws Exception {
        try (var ztunnel = ztunnel()) {
            var answer = ask("/cmdadd", message());
            ztunnel.receiveAdd();
            ztunnel.nack("port in use");
            assertThat(soon(answer)).isEqualTo("500 got ack error: port in use");
            assertThat(ruleset()).contains("culvert-fence");
            ztunnel.receiveAdd(); // the agent tries again by itself, too
            ztunnel.ack();
            assertThat(soon(ask("/cmdadd", message()))).isEqualTo("200");
            assertThat(ruleset()).doesNotContain("culvert-fence");
        }
    }

    @Test
    void whatNobodyWaitsForAnyMoreIsNotBegun() throws Exception {
        var sandbox = new Sandbox(
                new Sandbox.Pod("shop", "web", "uid"),
                new Sandbox.Attachment("n", "c1", "eth0"),
                network.podPath,
                List.of());
        try (var ztunnel = ztunnel()) {
            var added = ask("/cmdadd", message());
            ztunnel.receiveAdd(); // the agent waits for the answer, and everything else for the agent
            assertThat(reconciler.deleted(sandbox).cancel(false)).isTrue();
            ztunnel.ack();
            assertThat(soon(added)).isEqualTo("200");
            assertThat(soon(ask("/cmdcheck", message()))).isEqualTo("200");
        }
    }

    @Test
    void twoAddsAtOnceAreOne() throws Exception {
        try (var ztunnel = ztunnel()) {
            var first = ask("/cmdadd", message());
            var second = ask("/cmdadd", message());
            ztunnel.receiveAdd();
            ztunnel.ack();
            assertThat(soon(first)).isEqualTo("200");
            assertThat(soon(second)).isEqualTo("200");
            assertThat(ruleset()).doesNotContain("culvert-fence");
        }
    }

    @Test
    void podOutsideTheMeshStartsUntouched() throws Exception {
        reconciler.pods(pod(Optional.of(Map.of())));
        assertThat(soon(ask("/cmdadd", message()))).isEqualTo("200");
        assertThat(soon(ask("/cmdcheck", message()))).isEqualTo("200");
        assertThat(ruleset()).isBlank();
    }

    @Test
    void podOfAnUnknownNamespaceDoesNotStart() throws Exception {
        reconciler.pods(pod(Optional.empty()));
        assertThat(soon(ask("/cmdadd", message()))).startsWith("500 nobody knows whether it is in the mesh");
        assertThat(ruleset()).isBlank();
    }

    @Test
    void podThatIsNotKnownYetIsWaitedFor() throws Exception {
        reconciler.pods(List.of());
        assertThat(soon(ask("/cmdadd", message()))).isEqualTo("500 no such pod on this node is known yet");
        reconciler.pods(pod(Optional.of(Map.of())));
        assertThat(soon(ask("/cmdadd", message(network.podPath.toString(), "older", "c1"))))
                .as("a pod of the same name")
                .startsWith("500 no such pod");
        reconciler.pods(List.of());
        var answer = ask("/cmdadd", message());
        reconciler.pods(pod(Optional.of(Map.of())));
        assertThat(soon(answer)).isEqualTo("200");
    }

    @Test
    void onlyAPodsOwnNamespaceIsEntered() throws Exception {
        for (var netns : List.of("/proc/self/ns/net", "/proc/1/ns/net")) {
            assertThat(soon(ask("/cmdadd", message(netns, "uid", "c1"))))
                    .isEqualTo("400 " + netns + " is the node's own network namespace");
        }
        for (var netns : List.of("/run/netns/gone", "/proc/self/ns/mnt", "/etc/passwd", "/")) {
            assertThat(soon(ask("/cmdadd", message(netns, "uid", "c1"))))
                    .startsWith("400 " + netns + " cannot be opened");
        }
        for (var netns : List.of("run/netns/x", "/run/../x", "/run/netns/..")) {
            assertThat(soon(ask("/cmdadd", message(netns, "uid", "c1"))))
                    .startsWith("400 ")
                    .contains("absolute path");
        }
        assertThat(soon(ask("/cmdadd", "{}")))
                .isEqualTo("400 not a request of a CNI plugin: \"PodNamespace\" is missing");
        assertThat(soon(ask("/cmdelse", "{}"))).startsWith("404 ");
        assertThat(network.inPod("nft", "list", "ruleset")).isBlank();
    }

    @Test
    void garbageCollectionEndsTheSandboxesOfItsNetworkThatAreNotNamed() throws Exception {
        try (var ztunnel = ztunnel()) {
            var answer = ask("/cmdadd", message());
            ztunnel.receiveAdd();
            ztunnel.ack();
            assertThat(soon(answer)).isEqualTo("200");
            var named = "{\"Network\":\"n\",\"Valid\":[{\"ContainerID\":\"c1\",\"IfName\":\"eth0\"}]}";
            assertThat(soon(ask("/cmdgc", named))).isEqualTo("200");
            assertThat(soon(ask("/cmdgc", "{\"Network\":\"other\",\"Valid\":[]}")))
                    .isEqualTo("200");
            assertThat(status.read("uid")).contains(State.ENABLED);
            var collected = ask("/cmdgc", "{\"Network\":\"n\",\"Valid\":[]}");
            assertThat(ztunnel.receive()).isEqualTo(DEL);
            ztunnel.ack();
            assertThat(soon(collected)).isEqualTo("200");
            assertThat(status.read("uid")).isEmpty();
        }
    }

    /// Or its namespace would never go.
    @Test
    void nothingIsHeldOfAFormerSandbox() throws Exception {
        var second = new PodNetwork();
        try (var ztunnel = ztunnel()) {
            var first = ask("/cmdadd", message());
            ztunnel.receiveAdd();
            ztunnel.ack();
            assertThat(soon(first)).isEqualTo("200");
            assertThat(network.netfilterSockets()).isEqualTo(1);
            var anew = ask("/cmdadd", message(second.podPath.toString(), "uid", "c2"));
            assertThat(ztunnel.receiveAdd().netns()).isEqualTo(second.pod.id());
            ztunnel.ack();
            assertThat(soon(anew)).isEqualTo("200");
            assertThat(network.netfilterSockets()).isZero();
            assertThat(second.netfilterSockets()).isEqualTo(1);
        } finally {
            second.close();
        }
    }
}
