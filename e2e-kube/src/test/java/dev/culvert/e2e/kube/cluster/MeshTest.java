package dev.culvert.e2e.kube.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import dev.culvert.e2e.kube.cluster.Faults.Victim;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/// One mesh, installed at the beginning from nothing and removed at the end without a trace; each test has
/// namespaces of its own.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class MeshTest {
    private static final int MANY = Optional.ofNullable(System.getenv("CULVERT_KUBE_PODS"))
            .map(Integer::parseInt)
            .orElse(30);
    private static final int TALKERS = 10;
    private static final String LEFTOVERS =
            "ls -A /opt/cni/bin | grep -i culvert; grep -l culvert /etc/cni/net.d/*; find /var/run/istio-cni /var/run/ztunnel -mindepth 1;"
                    + " nft list tables | grep -i -e istio -e culvert; true";

    private static final String TTL = "echo %s > /proc/sys/net/ipv4/ip_default_ttl";

    private static final String PROVIDER = "/etc/cni/net.d/$(ls /etc/cni/net.d | grep -v ^00- | head -n 1)";

    private final KubeCluster cluster = new KubeCluster();
    private final String word = "canary-" + UUID.randomUUID();
    private String provided = "";
    private String near = "";
    private String far = "";
    private Shop shop = new Shop("", "");

    MeshTest() throws Exception {}

    @BeforeAll
    void install() throws Exception {
        var nodes = cluster.nodes();
        assertThat(nodes).hasSizeGreaterThanOrEqualTo(2);
        near = nodes.get(0);
        far = nodes.get(1);
        cluster.loadImages();
        cluster.apply(resource("istio-crds.yaml"));
        refusesWhatIsSomebodyElses();
        for (var node : nodes) {
            Faults.ownGroup(cluster, node);
        }
        provided = cluster.onNode(near, "cat " + PROVIDER);
        System.out.println(cluster.culvert("install").succeeded());
        assertThat(cluster.culvert("check").succeeded()).contains("Status check results are √");
    }

    private void refusesWhatIsSomebodyElses() throws Exception {
        cluster.apply("""
                apiVersion: rbac.authorization.k8s.io/v1
                kind: ClusterRole
                metadata: {name: istio-cni}
                """);
        var refused = cluster.culvert("install");
        assertThat(refused.code()).isEqualTo(1);
        assertThat(refused.output()).contains("ClusterRole istio-cni").contains("Nothing was changed");
        assertThat(cluster.client().namespaces().withName(KubeCluster.SYSTEM).get())
                .isNull();
        cluster.client().rbac().clusterRoles().withName("istio-cni").delete();
    }

    private static String resource(String name) throws Exception {
        try (var in = MeshTest.class.getResourceAsStream("/" + name)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    @AfterAll
    void uninstall() throws Exception {
        try {
            System.out.println(
                    cluster.culvert("uninstall", "--skip-confirmation").succeeded());
            for (var node : cluster.nodes()) {
                assertThat(cluster.onNode(node, LEFTOVERS))
                        .as("left on " + node)
                        .isBlank();
            }
            assertThat(cluster.client()
                            .namespaces()
                            .withName(KubeCluster.SYSTEM)
                            .get())
                    .satisfiesAnyOf(
                            gone -> assertThat(gone).isNull(),
                            going -> assertThat(going.getMetadata().getDeletionTimestamp())
                                    .isNotNull());
        } finally {
            cluster.close();
        }
    }

    @BeforeEach
    void openShop() throws Exception {
        var name = "shop-" + UUID.randomUUID().toString().substring(0, 8);
        shop = new Shop(name, "culvert/culvert-cni:" + version());
        cluster.apply(shop.namespaces());
        cluster.apply(shop.server("server", far, word)
                + "---\n" + shop.client(shop.namespace(), "web", near)
                + "---\n" + shop.client(shop.outside(), "stranger", near));
        cluster.awaitReady(shop.namespace(), "server", "web");
        cluster.awaitReady(shop.outside(), "stranger");
    }

    @AfterEach
    void closeShop() {
        cluster.client().namespaces().withName(shop.namespace()).delete();
        cluster.client().namespaces().withName(shop.outside()).delete();
    }

    private static String version() throws Exception {
        var pom = Files.readString(Path.of(System.getProperty("culvert.root"), "pom.xml"));
        var from = pom.indexOf("<version>") + "<version>".length();
        return pom.substring(from, pom.indexOf("</version>", from));
    }

    private String server() {
        return "http://"
                + cluster.client()
                        .services()
                        .inNamespace(shop.namespace())
                        .withName("server")
                        .get()
                        .getSpec()
                        .getClusterIP()
                + "/";
    }

    private String serverPod() {
        return "http://" + cluster.pod(shop.namespace(), "server").getStatus().getPodIP() + ":8080/";
    }

    private void awaitWelcome(String namespace, String client) throws InterruptedException {
        Await.until(
                client + " is served",
                () -> cluster.fetch(namespace, client, server()).succeeded().contains(word));
    }

    @Test
    void requestBetweenNodesIsEncryptedAndBothIdentitiesAreKnown() throws Exception {
        awaitRedirection("enabled");
        awaitWelcome(shop.namespace(), "web");
        try (var wire = new Wire(near, word)) {
            awaitWelcome(shop.namespace(), "web");
            var seen = wire.stop();
            assertThat(seen.clear()).isFalse();
            assertThat(seen.frames()).isPositive();
        }
        try (var wire = new Wire(near, word)) { // the proof that one would see it
            awaitWelcome(shop.outside(), "stranger");
            assertThat(wire.stop().clear()).isTrue();
        }
        var identity = "spiffe://cluster.local/ns/" + shop.namespace() + "/sa/";
        Await.until(
                "both identities are logged",
                () -> cluster.log(cluster.systemPod("ztunnel", far))
                        .lines()
                        .anyMatch(line -> line.contains("src.identity=\"" + identity + "web\"")
                                && line.contains("dst.identity=\"" + identity + "server\"")));
    }

    @Test
    void namesAreResolvedInTheMesh() throws Exception {
        Await.until(
                "web fetches by name",
                () -> cluster.fetch(
                                shop.namespace(), "web", "http://server." + shop.namespace() + ".svc.cluster.local/")
                        .succeeded()
                        .contains(word));
    }

    @Test
    void strictRefusesPlaintextAndTheKubeletStillProbes() throws Exception {
        awaitWelcome(shop.outside(), "stranger");
        cluster.apply(shop.strict());
        Await.until(
                "the stranger is refused",
                () -> cluster.fetch(shop.outside(), "stranger", server()).code() != 0);
        awaitWelcome(shop.namespace(), "web");
        assertThat(cluster.fetch(shop.outside(), "stranger", serverPod()).code())
                .isNotZero();
        assertProbed();
    }

    /// A new pod becomes ready only by a probe that passes.
    private void assertProbed() throws Exception {
        cluster.apply(shop.server("second", far, word));
        cluster.awaitReady(shop.namespace(), "second");
    }

    /// Deny-all and STRICT: nobody gets through, whichever way, but the kubelet's probes by HTTP and TCP do.
    @Test
    void denyAllRefusesEveryWayInButProbes() throws Exception {
        cluster.apply(shop.nodePort("server"));
        var port = cluster.client()
                .services()
                .inNamespace(shop.namespace())
                .withName("server-node")
                .get()
                .getSpec()
                .getPorts()
                .getFirst()
                .getNodePort();
        var byNode = "http://" + cluster.address(near) + ":" + port + "/";
        awaitWelcome(shop.namespace(), "web");
        Await.until(
                "the NodePort is served",
                () -> cluster.fetch(shop.outside(), "stranger", byNode)
                        .succeeded()
                        .contains(word));
        cluster.apply(shop.strict());
        cluster.apply(shop.denyAll());
        for (var url : List.of(server(), serverPod(), byNode)) {
            Await.until(
                    url + " refuses web",
                    () -> cluster.fetch(shop.namespace(), "web", url).code() != 0);
            Await.until(
                    url + " refuses the stranger",
                    () -> cluster.fetch(shop.outside(), "stranger", url).code() != 0);
        }
        cluster.apply(shop.clientOfTheNode("host", far));
        cluster.awaitReady(shop.outside(), "host");
        cluster.onNode(far, TTL.formatted(255)); // as if it were the kubelet
        try {
            assertThat(cluster.fetch(shop.outside(), "host", serverPod()).code())
                    .as("another process of the server's node")
                    .isNotZero();
        } finally {
            cluster.onNode(far, TTL.formatted(64));
        }
        assertThat(cluster.log(cluster.systemPod("istio-cni-node", far))).contains("the kubelet is known by");
        cluster.apply(shop.server("second", near, word));
        cluster.apply(shop.probedByTcp("third", far));
        cluster.awaitReady(shop.namespace(), "second", "third", "server");
    }

    @Test
    void policyAdmitsOneAccountAndSaysWhyItRefusesAnother() throws Exception {
        cluster.apply(shop.client(shop.namespace(), "batch", near));
        cluster.awaitReady(shop.namespace(), "batch");
        awaitWelcome(shop.namespace(), "batch");
        cluster.apply(shop.onlyFrom("server", "web"));
        Await.until(
                "batch is refused",
                () -> cluster.fetch(shop.namespace(), "batch", server()).code() != 0);
        awaitWelcome(shop.namespace(), "web");
        Await.until( // the first refusal may have been that of an open connection, by the change itself
                "a refusal is logged with its policy",
                () -> cluster.fetch(shop.namespace(), "batch", server()).code() != 0
                        && cluster.log(cluster.systemPod("ztunnel", far))
                                .lines()
                                .filter(line -> line.contains("/ns/" + shop.namespace() + "/sa/batch"))
                                .anyMatch(line -> line.contains("policy rejection")
                                        && line.contains(shop.namespace() + "/only-web")));
    }

    @Test
    void aPolicyThatCannotBeReadLetsInNobody() throws Exception {
        awaitWelcome(shop.namespace(), "web");
        cluster.apply(shop.unreadable("server"));
        Await.until(
                "its author is told",
                () -> cluster.condition("AuthorizationPolicy", shop.namespace(), "by-block", "ZtunnelAccepted")
                        .equals("False"));
        Await.until(
                "web is refused",
                () -> cluster.fetch(shop.namespace(), "web", server()).code() != 0);
        cluster.apply(shop.unreadable("server").replace("/99", "/32"));
        awaitWelcome(shop.namespace(), "web");
    }

    @Test
    void runningPodsAreEnrolledAndReleasedByTheirNamespacesLabel() throws Exception {
        cluster.apply(shop.enrolment("none"));
        awaitRedirection("");
        try (var wire = new Wire(near, word)) {
            awaitWelcome(shop.namespace(), "web");
            assertThat(wire.stop().clear()).isTrue();
        }
        cluster.apply(shop.enrolment("ambient"));
        awaitRedirection("enabled");
        try (var wire = new Wire(near, word)) {
            awaitWelcome(shop.namespace(), "web");
            assertThat(wire.stop().clear()).isFalse();
        }
    }

    /// A pod that is asked to end goes on with what is open, and its Service leads nobody there any more.
    @Test
    void aTerminatingPodEndsItsConnectionsItself() throws Exception {
        cluster.apply(shop.lingering("lingering", far));
        cluster.awaitReady(shop.namespace(), "lingering");
        var service = cluster.client()
                .services()
                .inNamespace(shop.namespace())
                .withName("lingering")
                .get()
                .getSpec()
                .getClusterIP();
        var greeting = "echo hello | timeout 5 nc " + service + " 80";
        Await.until("the Service is served", () -> fromWeb(greeting).output().contains("hello"));
        var pod = cluster.pod(shop.namespace(), "lingering");
        var lines = "for i in $(seq 24); do echo line-$i; sleep 0.5; done | nc "
                + pod.getStatus().getPodIP() + " 8080";
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            var heard = threads.submit(() -> fromWeb(lines).succeeded());
            Await.until("it is talked to", () -> cluster.log(pod).contains("line-1\n"));
            cluster.client().resource(pod).delete();
            Await.until(
                    "its Service is refused", () -> !fromWeb(greeting).output().contains("hello"));
            assertThat(heard.get()).contains("line-1\n", "line-24\n");
        }
    }

    private Commands.Result fromWeb(String script) throws Exception {
        return cluster.exec(shop.namespace(), "web", "sh", "-c", script);
    }

    /// Each pod that runs is captured: none slips through when many come at once, and all go.
    @Test
    void manyPodsComeAndGoAtOnce() throws Exception {
        var names =
                IntStream.range(0, MANY).mapToObj(number -> "many-" + number).toList();
        for (var name : names) {
            cluster.apply(shop.client(shop.namespace(), name, name.hashCode() % 2 == 0 ? near : far));
        }
        cluster.awaitReady(shop.namespace(), names.toArray(String[]::new));
        for (var name : names) {
            awaitRedirection(name, "enabled");
        }
        cluster.client().pods().inNamespace(shop.namespace()).delete();
        Await.until(
                "all pods have gone",
                () -> cluster.client()
                        .pods()
                        .inNamespace(shop.namespace())
                        .list()
                        .getItems()
                        .isEmpty());
        for (var node : List.of(near, far)) {
            Await.until(
                    "ztunnel of " + node + " knows none of them",
                    () -> !cluster.culvert("ztunnel-config", "workloads", "--node", node)
                            .succeeded()
                            .contains("many-"));
        }
    }

    /// The kinds of the Gateway API come while the controller runs; a waypoint is deployed, applies L7 policy, and
    /// whatever goes around it, or comes when it has gone, is refused.
    @Test
    void aWaypointIsDeployedAndCannotBeWalkedAround() throws Exception {
        cluster.apply(resource("gateway-crds.yaml"));
        cluster.apply(shop.waypoint());
        Await.until(
                "the Gateway is programmed",
                () -> cluster.condition("Gateway", shop.namespace(), "gate", "Programmed")
                        .equals("True"));
        cluster.apply(shop.throughWaypoint("server"));
        cluster.apply(shop.onlyPath("server", "/"));
        Await.until(
                "the waypoint refuses another path",
                () -> fetchFromWeb(server() + "secret").contains("403"));
        awaitWelcome(shop.namespace(), "web");
        Await.until(
                "its author is told",
                () -> cluster.condition("AuthorizationPolicy", shop.namespace(), "only-path", "WaypointAccepted")
                        .equals("True"));
        Await.until(
                "a member cannot go around it",
                () -> cluster.fetch(shop.namespace(), "web", serverPod()).code() != 0);
        for (var url : List.of(server(), serverPod())) {
            assertThat(cluster.fetch(shop.outside(), "stranger", url).code())
                    .as(url)
                    .isNotZero();
        }

        cluster.client()
                .genericKubernetesResources("gateway.networking.k8s.io/v1", "Gateway")
                .inNamespace(shop.namespace())
                .withName("gate")
                .delete();
        Await.until(
                "nobody is served without it",
                () -> cluster.fetch(shop.namespace(), "web", server()).code() != 0);
    }

    private String fetchFromWeb(String url) throws Exception {
        return cluster.fetch(shop.namespace(), "web", url).output();
    }

    /// A host without an address gets one, which names and connections have then.
    @Test
    void aHostOfAServiceEntryIsReached() throws Exception {
        cluster.apply(shop.entry("pier.example", "server"));
        Await.until(
                "it has an address",
                () -> !cluster.allocated(shop.namespace(), "entry").isEmpty());
        var address = cluster.allocated(shop.namespace(), "entry").getFirst();
        assertThat(address).startsWith("240.240.");
        Await.until(
                "it is reached",
                () -> cluster.fetch(shop.namespace(), "web", "http://" + address + "/")
                        .output()
                        .contains(word));
    }

    private void awaitRedirection(String state) throws InterruptedException {
        awaitRedirection("web", state);
        awaitRedirection("server", state);
    }

    private void awaitRedirection(String pod, String state) throws InterruptedException {
        Await.until(
                "redirection of " + pod + " is '" + state + "'",
                () -> cluster.redirection(shop.namespace(), pod).equals(state));
    }

    @Test
    void killedAgentAndProxyHealWhileNothingIsSaidInClear() throws Exception {
        awaitWelcome(shop.namespace(), "web");
        try (var wire = new Wire(near, word)) {
            for (var victim : List.of(Victim.AGENT, Victim.ZTUNNEL)) {
                Faults.kill(cluster, victim, near);
                cluster.fetch(shop.namespace(), "web", server()); // closed or served, never in clear
                awaitWelcome(shop.namespace(), "web");
            }
            var agent = cluster.systemPod("istio-cni-node", near).getMetadata().getName();
            cluster.client()
                    .pods()
                    .inNamespace(KubeCluster.SYSTEM)
                    .withName(agent)
                    .delete();
            Await.until(
                    "another agent runs",
                    () -> !cluster.systemPod("istio-cni-node", near)
                            .getMetadata()
                            .getName()
                            .equals(agent));
            assertThat(cluster.onNode(near, "grep -l culvert-cni /etc/cni/net.d/*"))
                    .isNotBlank();
            awaitWelcome(shop.namespace(), "web");
            assertThat(wire.stop().clear()).isFalse();
        }
        for (var app : new String[] {"ztunnel", "istio-cni-node"}) {
            cluster.awaitReady(
                    KubeCluster.SYSTEM,
                    cluster.systemPod(app, near).getMetadata().getName());
        }
        awaitRedirection("web", "enabled");
    }

    /// Pods come while agents, ztunnels and kubelets end at moments that nobody chose.
    @Test
    void randomKillsOpenNothingAndHeal() throws Exception {
        refuseStrangers();
        var faults = new Faults(cluster, List.of(near, far));
        var names = IntStream.range(0, TALKERS)
                .mapToObj(number -> "talker-" + number)
                .toList();
        try (var wire = new Wire(near, word)) {
            for (var name : names) {
                cluster.apply(shop.talker(name, faults.pick(List.of(near, far)), server() + "?" + word));
                faults.next();
            }
            var isLeft = true;
            while (isLeft) {
                isLeft = faults.next();
            }
            cluster.awaitReady(shop.namespace(), names.toArray(String[]::new));
            for (var name : names) {
                awaitRedirection(name, "enabled");
                awaitWelcome(shop.namespace(), name);
            }
            assertThat(wire.stop().clear()).isFalse();
        }
        assertThat(cluster.fetch(shop.outside(), "stranger", server()).code()).isNotZero();
        assertProbed();
    }

    private void refuseStrangers() throws Exception {
        awaitWelcome(shop.namespace(), "web");
        cluster.apply(shop.strict());
        Await.until(
                "the stranger is refused",
                () -> cluster.fetch(shop.outside(), "stranger", server()).code() != 0);
    }

    /// The agent and ztunnel are gone for a while, and the network's provider has written its file anew: pods that
    /// live, and one that starts first of all, say nothing in clear.
    @Test
    void aNodeThatComesBackSaysNothingInClear() throws Exception {
        refuseStrangers();
        cluster.apply(shop.talker("talker", near, server() + "?" + word));
        awaitWelcome(shop.namespace(), "talker");
        try (var wire = new Wire(near, word)) {
            cluster.onNode(near, "kill -STOP $(pgrep -x kubelet)");
            try {
                Faults.kill(cluster, Victim.AGENT, near);
                Faults.kill(cluster, Victim.ZTUNNEL, near);
                cluster.onNode(near, "cat > " + PROVIDER + " <<'END'\n" + provided + "\nEND");
                cluster.apply(shop.talker("late", near, server() + "?" + word));
                cluster.apply(shop.nodeCritical("critical", near));
                TimeUnit.SECONDS.sleep(5); // for which the talker goes on
            } finally {
                cluster.onNode(near, "kill -CONT $(pgrep -x kubelet)");
            }
            cluster.awaitReady(Shop.CRITICAL, "critical");
            cluster.awaitReady(shop.namespace(), "late", "talker");
            for (var name : List.of("talker", "late")) {
                awaitRedirection(name, "enabled");
                awaitWelcome(shop.namespace(), name);
            }
            assertThat(wire.stop().clear()).isFalse();
        } finally {
            cluster.client()
                    .pods()
                    .inNamespace(Shop.CRITICAL)
                    .withName("critical")
                    .delete();
        }
        Await.until(
                "the plugin is in the provider's file again",
                () -> cluster.onNode(near, "cat " + PROVIDER).contains("culvert-cni"));
    }
}
