package dev.culvert.e2e.kube.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;

/// A mesh that is installed from nothing before the tests of a class and removed after them without a trace.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class InstalledMesh {
    private static final String LEFTOVERS =
            "ls -A /opt/cni/bin | grep -i culvert; grep -l culvert /etc/cni/net.d/*; find /var/run/istio-cni /var/run/ztunnel -mindepth 1;"
                    + " nft list tables | grep -i -e istio -e culvert; true";

    static final String PROVIDER = "/etc/cni/net.d/$(ls /etc/cni/net.d | grep -v ^00- | head -n 1)";

    final KubeCluster cluster = new KubeCluster();
    String provided = "";
    String near = "";
    String far = "";

    InstalledMesh() throws Exception {}

    @BeforeAll
    void install() throws Exception {
        var nodes = cluster.nodes();
        assertThat(nodes).hasSizeGreaterThanOrEqualTo(2);
        near = nodes.get(0);
        far = nodes.get(1);
        cluster.loadImages();
        cluster.apply(resource("istio-crds.yaml"));
        Await.until(
                "nothing is left of an earlier mesh",
                () -> cluster.client().namespaces().withName(KubeCluster.SYSTEM).get() == null);
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

    static String resource(String name) throws Exception {
        try (var in = InstalledMesh.class.getResourceAsStream("/" + name)) {
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

    static String version() throws Exception {
        var pom = Files.readString(Path.of(System.getProperty("culvert.root"), "pom.xml"));
        var from = pom.indexOf("<version>") + "<version>".length();
        return pom.substring(from, pom.indexOf("</version>", from));
    }
}
