package dev.culvert.e2e.kube.cluster;

import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/// Each test has a shop of its own: a server on the one node, `web` and a stranger to the mesh on the other.
abstract class MeshWithShop extends InstalledMesh {
    final String word = "canary-" + UUID.randomUUID();
    Shop shop = new Shop("", "");

    MeshWithShop() throws Exception {}

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

    String server() {
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

    String serverPod() {
        return "http://" + cluster.pod(shop.namespace(), "server").getStatus().getPodIP() + ":8080/";
    }

    void awaitWelcome(String namespace, String client) throws InterruptedException {
        Await.until(
                client + " is served",
                () -> cluster.fetch(namespace, client, server()).succeeded().contains(word));
    }

    /// A new pod becomes ready only by a probe that passes.
    void assertProbed() throws Exception {
        cluster.apply(shop.server("second", far, word));
        cluster.awaitReady(shop.namespace(), "second");
    }

    Commands.Result fromWeb(String script) throws Exception {
        return cluster.exec(shop.namespace(), "web", "sh", "-c", script);
    }

    void awaitRedirection(String state) throws InterruptedException {
        awaitRedirection("web", state);
        awaitRedirection("server", state);
    }

    void awaitRedirection(String pod, String state) throws InterruptedException {
        Await.until(
                "redirection of " + pod + " is '" + state + "'",
                () -> cluster.redirection(shop.namespace(), pod).equals(state));
    }

    void refuseStrangers() throws Exception {
        awaitWelcome(shop.namespace(), "web");
        cluster.apply(shop.strict());
        Await.until(
                "the stranger is refused",
                () -> cluster.fetch(shop.outside(), "stranger", server()).code() != 0);
    }
}
