package dev.culvert.e2e.kube.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import dev.culvert.e2e.kube.cluster.Faults.Victim;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/// Pods enter the mesh, are probed, and go, whatever ends meanwhile; nothing of theirs is said in clear but on purpose.
class CaptureTest extends MeshWithShop {
    private static final int MANY = Optional.ofNullable(System.getenv("CULVERT_KUBE_PODS"))
            .map(Integer::parseInt)
            .orElse(30);
    private static final int TALKERS = 10;

    private static final String TTL = "echo %s > /proc/sys/net/ipv4/ip_default_ttl";

    CaptureTest() throws Exception {}

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

    /// Deny-all and STRICT: nobody gets through, whichever way, but the kubelet's probes do: by HTTP, with
    /// a query and a redirect, by TCP and by gRPC.
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
        cluster.apply(shop.redirecting("fourth", far));
        cluster.apply(shop.probedByGrpc("fifth", near));
        cluster.awaitReady(shop.namespace(), "second", "third", "fourth", "fifth", "server");
    }

    /// The two ways in that users open on purpose: a port that the pod's author keeps out of the mesh, which its peers
    /// dial in clear too, and a port for a scraper without the mesh, by policies.
    @Test
    void whatIsOpenedOnPurposeIsOpenAndNothingElse() throws Exception {
        refuseStrangers();
        cluster.apply(shop.kiosk("kiosk", far, word));
        cluster.awaitReady(shop.namespace(), "kiosk");
        awaitRedirection("kiosk", "enabled");
        var kiosk =
                "http://" + cluster.pod(shop.namespace(), "kiosk").getStatus().getPodIP();
        Await.until(
                "a stranger reaches the excluded port", () -> isServed(shop.outside(), "stranger", kiosk + ":9100"));
        assertThat(isServed(shop.outside(), "stranger", kiosk + ":8080")).isFalse();
        assertThat(isServed(shop.outside(), "stranger", kiosk + ":9090")).isFalse();
        try (var wire = new Wire(near, word)) {
            Await.until("web reaches a captured port", () -> isServed(shop.namespace(), "web", kiosk + ":8080"));
            assertThat(wire.stop().clear()).isFalse();
        }
        try (var wire = new Wire(near, word)) {
            assertThat(isServed(shop.namespace(), "web", kiosk + ":9100")).isTrue();
            assertThat(wire.stop().clear()).as("web to the excluded port").isTrue();
        }
        assertThat(cluster.culvert("check").output()).contains("inbound port 9100");

        cluster.apply(shop.scraped(
                "kiosk",
                9090,
                cluster.pod(shop.outside(), "stranger").getStatus().getPodIP()));
        Await.until("the scraper is served", () -> isServed(shop.outside(), "stranger", kiosk + ":9090"));
        assertThat(isServed(shop.outside(), "stranger", kiosk + ":8080")).isFalse();
        Await.until("nobody else is", () -> !isServed(shop.namespace(), "web", kiosk + ":9090"));
    }

    private boolean isServed(String namespace, String client, String url) throws Exception {
        return cluster.fetch(namespace, client, url).output().contains(word);
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

    /// Its first container is in the mesh already, and nothing of the mesh keeps it from ending.
    @Test
    void aJobIsInTheMeshFromItsInitContainerOnAndEnds() throws Exception {
        refuseStrangers();
        cluster.apply(shop.job("job", near, server()));
        Await.until(
                "the job is done",
                () -> cluster.pod(shop.namespace(), "job")
                        .getStatus()
                        .getPhase()
                        .equals("Succeeded"));
        Await.until(
                "its node's agent has let it go",
                () -> cluster.log(cluster.systemPod("istio-cni-node", near))
                        .contains("pod " + shop.namespace() + "/job has gone"));
    }

    /// Each pod that runs is captured: none slips through when many come at once, and all go.
    @Test
    void manyPodsComeAndGoAtOnce() throws Exception {
        var names =
                IntStream.range(0, MANY).mapToObj(number -> "many-" + number).toList();
        for (var number = 0; number < MANY; number++) {
            cluster.apply(shop.client(shop.namespace(), names.get(number), number % 2 == 0 ? near : far));
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
