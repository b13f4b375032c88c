package dev.culvert.e2e.kube.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Pod;
import java.util.List;
import org.junit.jupiter.api.Test;

/// The files of the corpus that the agent and the node proxies enforce. Each test names its files.
abstract class NodeProxyFiles extends HarbourFiles {
    NodeProxyFiles(InstalledMesh mesh, Harbour harbour) {
        super(mesh, harbour);
    }

    private String rulesOf(Pod pod) throws Exception {
        return cluster.onNode(
                pod.getSpec().getNodeName(), """
                for n in /var/run/netns/*; do
                  if nsenter --net=$n ip -4 -o address | grep -q ' %s/'; then nsenter --net=$n nft list ruleset; fi
                done
                """.formatted(pod.getStatus().getPodIP()));
    }

    /// `fixture`
    @Test
    void thePodsOfTheFixtureAreInTheMesh() throws Exception {
        var workloads = new StringBuilder();
        for (var node : cluster.nodes()) {
            workloads.append(cluster.culvert("ztunnel-config", "workloads", "--node", node)
                    .succeeded());
        }
        for (var app : List.of("berth", "customs", "portal")) {
            for (var pod : harbour.pods(app)) {
                var name = pod.getMetadata().getName();
                Await.until(name + " is captured", () -> isCaptured(Harbour.QUAY, name));
                assertThat(workloads.toString().lines().filter(line -> line.contains(name)))
                        .anyMatch(line -> line.contains("HBONE"));
            }
        }
        var word = "cargo-of-silk";
        for (var node : cluster.nodes()) {
            try (var wire = new Wire(node, word)) {
                assertThat(harbour.call("portal", 20, "GET", BERTH + "/?" + word)
                                .pods())
                        .isEqualTo(3);
                var seen = wire.stop();
                assertThat(seen.frames()).isPositive();
                assertThat(seen.clear()).as("seen in clear on " + node).isFalse();
            }
        }
    }

    private boolean isCaptured(String namespace, String pod) {
        return cluster.redirection(namespace, pod).equals("enabled");
    }

    /// `000-03b`
    @Test
    void whatANodeProxyCannotSeeLetsInNobodyAndItsAuthorIsTold() throws Exception {
        var berth = harbour.pods("berth").getFirst();
        awaitServed(harbour.pods("portal").getFirst(), berth);
        assertWarned("000-03b", "targetRefs");
        harbour.apply(Harbour.file("000-03b"));
        Await.until("its author is told", () -> toldOfReaders().startsWith("UnsupportedValue: "));
        assertThat(toldOfReaders()).contains("targetRefs");
        for (var pod : harbour.pods("berth")) {
            awaitRefused(harbour.pods("portal").getFirst(), pod);
            awaitRefused(stranger(near), pod);
        }
        assertThat(harbour.call("portal", 3, "GET", BERTH + "/tariffs/1").of("200 "))
                .isZero();
        harbour.apply(Harbour.file("000-03b").replace("  rules:", "  action: DENY\n  rules:"));
        Await.until("as a DENY it does more than it says", () -> toldOfReaders().contains("more than it says"));
        assertThat(isServed(harbour.pods("portal").getFirst(), berth)).isFalse();
    }

    private String toldOfReaders() {
        return cluster.told("AuthorizationPolicy", Harbour.QUAY, "tariff-readers-by-selector", "ZtunnelAccepted");
    }

    /// `001-03`
    @Test
    void podsThatRunAreCapturedAndReleasedByTheLabelOfTheirNamespace() throws Exception {
        harbour.apply(Harbour.namespace("drydock", ""));
        cluster.apply(Harbour.pod("drydock", "early", ""));
        cluster.awaitReady("drydock", "early");
        var before = cluster.pod("drydock", "early");
        var talk = "sh -c '(echo one; while [ ! -e /tmp/go ]; do sleep 0.2; done; echo two; sleep 2) | nc "
                + stranger(far).getStatus().getPodIP() + " 7000' > /tmp/heard 2>&1 < /dev/null &";
        cluster.exec("drydock", "early", "sh", "-c", talk).succeeded();
        Await.until("it talks", () -> heard().contains("one"));

        harbour.apply(Harbour.file("001-03"));
        cluster.awaitReady("drydock", "opted-out");
        Await.until("it is captured", () -> isCaptured("drydock", "early"));
        assertThat(cluster.redirection("drydock", "opted-out")).isEmpty();
        cluster.exec("drydock", "early", "touch", "/tmp/go").succeeded();
        Await.until("what was open goes on", () -> heard().contains("two"));
        var after = cluster.pod("drydock", "early");
        assertThat(after.getMetadata().getUid()).isEqualTo(before.getMetadata().getUid());
        assertThat(after.getStatus().getContainerStatuses().getFirst().getState())
                .isEqualTo(before.getStatus().getContainerStatuses().getFirst().getState());
        awaitServed(harbour.pods("portal").getFirst(), after);
        awaitServed(harbour.pods("portal").getFirst(), cluster.pod("drydock", "opted-out"));

        cluster.apply(Harbour.namespace("drydock", ""));
        Await.until(
                "it is released", () -> cluster.redirection("drydock", "early").isEmpty());
        awaitServed(harbour.pods("portal").getFirst(), after);
        assertThat(cluster.pod("drydock", "early").getMetadata().getUid())
                .isEqualTo(before.getMetadata().getUid());
    }

    private String heard() throws Exception {
        return cluster.exec("drydock", "early", "cat", "/tmp/heard").output();
    }

    /// `001-03b`
    @Test
    void theLabelOfSidecarsCapturesNothing() throws Exception {
        harbour.apply(Harbour.file("001-03b"));
        cluster.apply(Harbour.pod("slipway", "bare", ""));
        cluster.apply(Harbour.pod("slipway", "sidecar", ", annotations: {sidecar.istio.io/status: '{}'}"));
        cluster.awaitReady("slipway", "bare", "sidecar");
        assertThat(cluster.redirection("slipway", "bare")).isEmpty();
        assertThat(cluster.culvert("analyze", "--live").output())
                .contains("Namespace slipway")
                .contains("istio.io/dataplane-mode");
        cluster.apply(Harbour.namespace("slipway", "istio-injection: enabled, istio.io/dataplane-mode: ambient"));
        Await.until("the pod without a sidecar is captured", () -> isCaptured("slipway", "bare"));
        assertThat(cluster.redirection("slipway", "sidecar")).isEmpty();
    }

    /// `001-04` and `002-01`
    @Test
    void whatASidecarOwnsIsLeftToItAndAnotherProxyIsNotASidecar() throws Exception {
        harbour.apply(Harbour.file("001-04"));
        harbour.apply(Harbour.file("002-01"));
        cluster.awaitReady(Harbour.QUAY, "winch");
        assertThat(cluster.redirection(Harbour.QUAY, "winch")).isEmpty();
        assertThat(cluster.exec(Harbour.QUAY, "winch", "cat", "/proc/net/tcp", "/proc/net/tcp6")
                        .output())
                .as("15008 in hexadecimals")
                .doesNotContain(":3AA0");
        awaitServed(harbour.pods("portal").getFirst(), cluster.pod(Harbour.QUAY, "winch"));

        Await.until("tug is captured", () -> isCaptured(Harbour.QUAY, "tug"));
        var tug = cluster.pod(Harbour.QUAY, "tug");
        awaitServed(harbour.pods("portal").getFirst(), tug);
        Await.until(
                "that the ports of its proxy are taken is in that one's log",
                () -> cluster.client()
                        .pods()
                        .inNamespace(Harbour.QUAY)
                        .withName("tug")
                        .inContainer("own-envoy")
                        .getLog()
                        .contains("Address already in use"));
        cluster.apply(Harbour.file("002-06").replace("istio-system", Harbour.QUAY));
        harbour.apply(Harbour.file("002-06").replace("istio-system", Harbour.QUAY));
        awaitRefused(stranger(near), tug);
        awaitServed(harbour.pods("portal").getFirst(), tug);
    }

    /// `001-15`
    @Test
    void aPodIsCapturedByItsOwnLabelAndNotARuleIsLeftAfterwards() throws Exception {
        harbour.apply(Harbour.file("001-15"));
        cluster.awaitReady(Harbour.QUAY, "buoy");
        Await.until("buoy is captured", () -> isCaptured(Harbour.QUAY, "buoy"));
        var buoy = cluster.pod(Harbour.QUAY, "buoy");
        assertThat(rulesOf(buoy)).contains("redirect to :15001", "redirect to :15006", "!= 15008", "0x00000539");
        cluster.exec(Harbour.QUAY, "buoy", "touch", "/tmp/same").succeeded();
        cluster.apply(Harbour.file("001-15").replace("dataplane-mode: ambient", "dataplane-mode: none"));
        Await.until(
                "buoy is released",
                () -> cluster.redirection(Harbour.QUAY, "buoy").isEmpty());
        Await.until("no rule is left", () -> rulesOf(buoy).isBlank());
        awaitServed(harbour.pods("portal").getFirst(), buoy);
        cluster.awaitReady(Harbour.QUAY, "buoy");
    }

    /// `002-06`
    @Test
    void strictInTheRootNamespaceHoldsForTheWholeMesh() throws Exception {
        var portal = harbour.pods("portal").getFirst();
        awaitServed(stranger(near), portal);
        harbour.apply(Harbour.file("002-06"));
        for (var app : List.of("portal", "berth", "customs")) {
            awaitRefused(stranger(near), harbour.pods(app).getFirst());
        }
        awaitServed(portal, harbour.pods("berth").getFirst());
        assertThat(isServed(stranger(near), stranger(far))).isTrue();
        assertThat(isServed(portal, stranger(far))).isTrue();
        Await.until(
                "a refusal is logged",
                () -> cluster.log(cluster.systemPod("ztunnel", portal.getSpec().getNodeName()))
                        .lines()
                        .anyMatch(line ->
                                line.contains(stranger(near).getStatus().getPodIP()) && line.contains("error=")));
        harbour.apply(Harbour.file("001-15"));
        cluster.awaitReady(Harbour.QUAY, "buoy"); // by a probe
    }

    /// `003-04`
    @Test
    void strictInANamespaceHoldsThereButForThePortThatIsExcepted() throws Exception {
        harbour.apply(Harbour.namespace("floating-dock", "istio.io/dataplane-mode: ambient"));
        cluster.apply(Harbour.pod("floating-dock", "open", ""));
        harbour.apply(Harbour.file("003-04"));
        for (var pod : harbour.pods("berth")) {
            awaitRefused(stranger(near), pod);
            assertThat(isGreeted(stranger(near), pod)).isTrue();
        }
        var portal = harbour.pods("portal").getFirst();
        awaitRefused(stranger(far), portal);
        assertThat(isGreeted(stranger(near), portal)).isFalse();
        assertThat(isGreeted(portal, harbour.pods("berth").getFirst())).isTrue();
        awaitServed(portal, harbour.pods("berth").getFirst());
        cluster.awaitReady("floating-dock", "open");
        Await.until("a pod of another namespace is captured", () -> isCaptured("floating-dock", "open"));
        assertThat(isServed(stranger(near), cluster.pod("floating-dock", "open")))
                .isTrue();
    }

    /// On the port that is no HTTP.
    private boolean isGreeted(Pod from, Pod to) throws Exception {
        return cluster.exec(
                        from.getMetadata().getNamespace(),
                        from.getMetadata().getName(),
                        "sh",
                        "-c",
                        "sleep 2 | timeout 5 nc " + to.getStatus().getPodIP() + " 7000")
                .output()
                .contains(to.getMetadata().getName());
    }

    /// `004-01`, where only members of the mesh are served
    @Test
    void initContainersAndJobsAreInTheMesh() throws Exception {
        harbour.apply(Harbour.file("003-04"));
        awaitRefused(stranger(near), harbour.pods("berth").getFirst());
        harbour.apply(Harbour.file("004-01"));
        cluster.awaitReady(Harbour.QUAY, "dredger");
        Await.until("dredger is captured", () -> isCaptured(Harbour.QUAY, "dredger"));
        Await.until(
                "the Job is done",
                () -> cluster.client()
                        .batch()
                        .v1()
                        .jobs()
                        .inNamespace(Harbour.QUAY)
                        .withName("stocktake")
                        .get()
                        .getStatus()
                        .getSucceeded()
                        .equals(1));
        awaitServed(harbour.pods("portal").getFirst(), cluster.pod(Harbour.QUAY, "dredger"));
        awaitRefused(stranger(near), cluster.pod(Harbour.QUAY, "dredger"));
    }

    /// `004-02` and `004-05`
    @Test
    void aNamespaceOfTheDemoIsEnrolledAndStrict() throws Exception {
        harbour.apply(Harbour.file("004-02"));
        harbour.apply(Harbour.file("004-05"));
        Await.until(
                "yacht is captured",
                () -> isCaptured("marina", yacht().getMetadata().getName()));
        awaitRefused(stranger(near), yacht());
        assertThat(isServed(stranger(near), harbour.pods("portal").getFirst())).isTrue();
    }

    private Pod yacht() {
        return cluster.client()
                .pods()
                .inNamespace("marina")
                .withLabel("app", "yacht")
                .list()
                .getItems()
                .getFirst();
    }

    /// `001-08`
    @Test
    void canonicalNamesAreInMetricsAndGrpcIsBalancedByCall() throws Exception {
        harbour.apply(Harbour.file("001-08"));
        Await.until(
                "both pods are called on one connection",
                () -> harbour.grpc("portal", 10, "signals.quay.svc.cluster.local:50061")
                                .pods()
                        == 2);
        for (var pod : harbour.pods("signals")) {
            Await.until(
                    "metrics of L4 name the revision",
                    () -> countsSignals(
                            cluster.systemPod("ztunnel", pod.getSpec().getNodeName())));
        }
        Await.until("metrics of L7 name the revision", () -> countsSignals(harbour.waypoint("quay-waypoint")));
    }

    private boolean countsSignals(Pod proxy) throws Exception {
        return metrics(proxy)
                .lines()
                .anyMatch(line -> line.contains("destination_canonical_service=\"signals\"")
                        && line.contains("destination_canonical_revision=\"r7\""));
    }
}
