package dev.culvert.e2e.kube.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.apps.Deployment;
import java.util.List;
import org.junit.jupiter.api.Test;

/// What pods of an installed mesh say to each other, and what policies make of it.
class TrafficTest extends InstalledMesh {
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
