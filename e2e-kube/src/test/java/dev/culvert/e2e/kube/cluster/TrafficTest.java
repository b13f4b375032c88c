package dev.culvert.e2e.kube.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.api.model.apps.DaemonSetBuilder;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import java.util.List;
import org.junit.jupiter.api.Test;

/// What pods of an installed mesh say to each other, and what policies make of it.
class TrafficTest extends IngressTest {
    TrafficTest() throws Exception {}

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
    void aPolicyThatCannotBeReadIsRefusedAndOnceItIsThereLetsInNobody() throws Exception {
        awaitWelcome(shop.namespace(), "web");
        Await.until(
                "the API server refuses it, with what is wrong",
                () -> cluster.refusal(shop.unreadable("server"))
                        .matches("(?s).*configuration is invalid: .*198\\.18\\.0\\.0/99.*"));
        assertThat(cluster.refusal(shop.unreadable("server").replace("/99", "/32")))
                .isEmpty();
        cluster.unasked(() -> cluster.apply(shop.unreadable("server")));
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

    /// What a mistake asks for is not done, and is told; what is asked for no longer goes.
    @Test
    void parametersChangeWhatRunsForAGateway() throws Exception {
        cluster.apply(resource("gateway-crds.yaml"));
        cluster.apply(shop.parameters("""
                deployment: "spec: {template: {metadata: {annotations: {tuned: 'yes'}}}}"
                horizontalPodAutoscaler: "spec: {minReplicas: 2, maxReplicas: 3}"
                podDisruptionBudget: "spec: {minAvailable: 1}"
                """));
        cluster.apply(shop.waypointWithParameters());
        Await.until("the Gateway is programmed", () -> gateway("Programmed").equals("True"));
        Await.until("two pods are ready", () -> deployment().getStatus().getReadyReplicas() == 2);
        assertThat(deployment().getSpec().getTemplate().getMetadata().getAnnotations())
                .containsEntry("tuned", "yes");
        assertThat(budgets()).isEqualTo(1);

        cluster.apply(shop.parameters("deployments: \"spec: {replicas: 1}\"\n"));
        Await.until("its author is told", () -> gateway("Accepted").equals("False"));
        assertThat(budgets()).as("it is left as it was").isEqualTo(1);

        cluster.apply(shop.parameters("deployment: \"spec: {replicas: 1}\"\n"));
        Await.until("it is accepted again", () -> gateway("Accepted").equals("True"));
        Await.until("the budget has gone", () -> budgets() == 0);
        Await.until("one pod is left", () -> deployment().getStatus().getReplicas() == 1);
    }

    /// Node proxies go on asking the default's controller: who runs a waypoint, and whom it asks, is the namespace's
    /// label. Then the namespace goes back to the default while requests run, and none fails.
    @Test
    void aSecondRevisionRunsTheWaypointsOfItsNamespacesAndHandsThemOver() throws Exception {
        cluster.apply(resource("gateway-crds.yaml"));
        cluster.culvert("install", "--revision", "blue").succeeded();
        cluster.culvert("tag", "set", "prod", "--revision", "blue").succeeded();
        assertThat(cluster.culvert("tag", "set", "prod", "--revision", "green").output())
                .contains("no controller of revision green")
                .contains("blue, default");
        cluster.apply(shop.ofRevision("prod"));
        assertThat(cluster.culvert("tag", "list").succeeded()).containsPattern("prod +blue +" + shop.namespace());
        assertThat(cluster.culvert("check").succeeded()).contains("istiod-lite blue 1/1 ready");

        cluster.apply(shop.waypoint());
        cluster.apply(shop.throughWaypoint("server"));
        cluster.apply(shop.onlyPath("server", "/"));
        Await.until("the Gateway is programmed", () -> gateway("Programmed").equals("True"));
        assertThat(asks()).isEqualTo("https://istiod-blue.istio-system.svc:15012");
        Await.until(
                "the waypoint refuses another path",
                () -> fetchFromWeb(server() + "secret").contains("403"));
        awaitWelcome(shop.namespace(), "web");

        try (var requests = new Requests(cluster, shop.namespace(), "web", server())) {
            requests.awaitMore();
            cluster.apply(shop.ofRevision("default"));
            Await.until("the default runs it", () -> asks().equals("https://istiod.istio-system.svc:15012"));
            Await.until(
                    "one new pod is left",
                    () -> deployment().getStatus().getUpdatedReplicas() == 1
                            && deployment().getStatus().getReplicas() == 1);
            requests.awaitMore();
            assertThat(requests.failed()).isEmpty();
        }
        assertThat(fetchFromWeb(server() + "secret")).contains("403");
        assertThat(cluster.culvert("uninstall", "--revision", "blue", "-y").output())
                .contains("still meant by tag prod. Nothing was removed");
        assertThat(cluster.culvert("tag", "remove", "prod").succeeded()).contains("removed");
        cluster.culvert("uninstall", "--revision", "blue", "-y").succeeded();
        assertThat(cluster.culvert("check").succeeded()).doesNotContain("blue").contains("istiod-lite 1/1 ready");
    }

    private String asks() {
        return deployment().getSpec().getTemplate().getSpec().getContainers().getFirst().getEnv().stream()
                .filter(variable -> variable.getName().equals("XDS_ADDRESS"))
                .map(variable -> variable.getValue())
                .findFirst()
                .orElse("");
    }

    @Test
    void allPartsAreUpgradedWhileRequestsRunAndNoneFails() throws Exception {
        awaitWelcome(shop.namespace(), "web");
        var jump = upgrade("--dry-run", "ztunnel", "0.9.0");
        assertThat(jump.code()).isEqualTo(1);
        assertThat(jump.output()).contains("ztunnel is at 0.9.0").contains("only one minor version at a time");
        assertThat(upgrade("--dry-run", "ztunnel", "0.2.0").succeeded()).contains("ztunnel 0.2.0 → 0.1.0");

        try (var requests = new Requests(cluster, shop.namespace(), "web", server())) {
            requests.awaitMore();
            var said = cluster.culvert(
                            "upgrade",
                            "--set",
                            "istiod.podAnnotations.round=two",
                            "--set",
                            "cni.podAnnotations.round=two",
                            "--set",
                            "ztunnel.podAnnotations.round=two")
                    .succeeded();
            System.out.println(said);
            assertThat(said.lines().filter(line -> line.startsWith("✔")))
                    .filteredOn(line -> line.endsWith("ready"))
                    .extracting(line -> line.split(" ", -1)[1])
                    .containsExactly("istiod-lite", "culvert-cni", "ztunnel");
            requests.awaitMore();
            assertThat(requests.failed()).isEmpty();
        }
        for (var app : List.of("istiod", "istio-cni-node", "ztunnel")) {
            assertThat(cluster.client()
                            .pods()
                            .inNamespace(KubeCluster.SYSTEM)
                            .withLabel("app", app)
                            .withoutLabel("istio.io/rev", "blue")
                            .list()
                            .getItems())
                    .isNotEmpty()
                    .allSatisfy(pod ->
                            assertThat(pod.getMetadata().getAnnotations()).containsEntry("round", "two"));
        }
    }

    /// Istio's parts are stood for by ours under their names, without our labels and with a trace of another maker.
    @Test
    void partsOfIstiosAreNamedAndTakenOverOneAtATimeWhileRequestsRun() throws Exception {
        awaitWelcome(shop.namespace(), "web");
        disown("apps/v1", "DaemonSet", "ztunnel");
        disown("v1", "ServiceAccount", "ztunnel");
        disown("apps/v1", "Deployment", "istiod");
        disown("v1", "Service", "istiod");
        disown("v1", "ServiceAccount", "istiod");
        disown("rbac.authorization.k8s.io/v1", "RoleBinding", "istiod");
        var address = cluster.ofSystem("v1", "Service", "istiod").get().<String>get("spec", "clusterIP");
        var refused = cluster.culvert("install");
        assertThat(refused.code()).isEqualTo(1);
        assertThat(refused.output())
                .contains("istiod (Deployment istio-system/istiod, image culvert/istiod-lite:")
                .contains("ztunnel (DaemonSet istio-system/ztunnel, image culvert/ztunnel:")
                .contains("Nothing was changed", "--take-over ztunnel")
                .doesNotContain("istio-cni-node");
        assertThat(cluster.culvert("install", "--take-over", "cni").output())
                .contains("the node agent is not taken over");
        assertThat(cluster.culvert("upgrade", "--part", "ztunnel").output()).contains("ztunnel is not installed");

        try (var requests = new Requests(cluster, shop.namespace(), "web", server())) {
            requests.awaitMore();
            cluster.culvert("install", "--take-over", "ztunnel").succeeded();
            assertThat(cluster.culvert("install").output())
                    .contains("istiod (Deployment", "Nothing was changed")
                    .doesNotContain("ztunnel (DaemonSet");
            refusesWhatTheControllerWouldNotGoOnToDo();
            assertThat(cluster.culvert("install", "--take-over", "istiod").succeeded())
                    .contains("GatewayClass of-istio of Istio's is removed", "tag spare is kept, without its webhooks");
            requests.awaitMore();
            assertThat(requests.failed()).isEmpty();
        }
        assertOurs("apps/v1", "DaemonSet", "ztunnel");
        assertOurs("apps/v1", "Deployment", "istiod");
        assertOurs("v1", "Service", "istiod");
        assertOurs("rbac.authorization.k8s.io/v1", "RoleBinding", "istiod");
        assertThat(cluster.ofSystem("v1", "Service", "istiod").get().<String>get("spec", "clusterIP"))
                .isEqualTo(address);
        assertThat(cluster.culvert("tag", "list").succeeded()).containsPattern("spare +default");
        assertThat(cluster.culvert("upgrade", "--dry-run").succeeded())
                .contains("istiod stays at", "cni stays at", "ztunnel stays at");
        assertThat(cluster.culvert("check").succeeded()).contains("Status check results are √");
        awaitWelcome(shop.namespace(), "web");
    }

    private void refusesWhatTheControllerWouldNotGoOnToDo() throws Exception {
        cluster.apply(resource("gateway-crds.yaml"));
        cluster.apply(shop.ofIstio());
        assertThat(cluster.culvert("install", "--take-over", "istiod").output())
                .contains(shop.namespace() + "/of-istio of class of-istio. Nothing was changed");
        cluster.client()
                .genericKubernetesResources("gateway.networking.k8s.io/v1", "Gateway")
                .inNamespace(shop.namespace())
                .withName("of-istio")
                .delete();
        assertThat(cluster.culvert("install", "--take-over", "istiod").output())
                .contains("these namespaces have sidecars", shop.outside() + ". Nothing was changed");
        cluster.client()
                .namespaces()
                .withName(shop.outside())
                .edit(found -> new NamespaceBuilder(found)
                        .editMetadata()
                        .removeFromLabels("istio-injection")
                        .endMetadata()
                        .build());
    }

    private void disown(String apiVersion, String kind, String name) {
        cluster.ofSystem(apiVersion, kind, name)
                .patch(
                        PatchContext.of(PatchType.JSON_MERGE),
                        "{\"metadata\": {\"labels\": {\"app.kubernetes.io/part-of\": null, \"helm.sh/chart\": \"of-istio\"}}}");
    }

    private void assertOurs(String apiVersion, String kind, String name) {
        assertThat(cluster.ofSystem(apiVersion, kind, name).get().getMetadata().getLabels())
                .as(kind)
                .containsEntry("app.kubernetes.io/part-of", "culvert")
                .doesNotContainKey("helm.sh/chart");
    }

    /// As if a DaemonSet of the mesh were of another version.
    private Commands.Result upgrade(String option, String name, String version) throws Exception {
        cluster.client()
                .apps()
                .daemonSets()
                .inNamespace(KubeCluster.SYSTEM)
                .withName(name)
                .edit(found -> new DaemonSetBuilder(found)
                        .editMetadata()
                        .addToLabels("app.kubernetes.io/version", version)
                        .endMetadata()
                        .build());
        return cluster.culvert("upgrade", option);
    }

    private String gateway(String condition) {
        return cluster.condition("Gateway", shop.namespace(), "gate", condition);
    }

    private Deployment deployment() {
        return cluster.client()
                .apps()
                .deployments()
                .inNamespace(shop.namespace())
                .withName("gate")
                .get();
    }

    private int budgets() {
        return cluster.client()
                .policy()
                .v1()
                .podDisruptionBudget()
                .inNamespace(shop.namespace())
                .list()
                .getItems()
                .size();
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
}
