package dev.culvert.e2e.kube.cluster;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Nested;

/// The acceptance corpus on two nodes. Its fixture stands once, each test applies files to it and takes them back,
/// and then the harbour must be as open as before.
class CorpusTest extends InstalledMesh {
    final Harbour harbour = new Harbour(cluster);

    CorpusTest() throws Exception {}

    @BeforeAll
    void openHarbour() throws Exception {
        cluster.apply(resource("gateway-crds.yaml"));
        harbour.open(cluster.nodes());
    }

    @AfterAll
    void closeHarbour() {
        harbour.close();
    }

    @AfterEach
    void withdraw() throws Exception {
        harbour.withdraw();
        for (var url : new String[] {HarbourFiles.BERTH, HarbourFiles.CUSTOMS}) {
            Await.until(
                    url + " is open again",
                    () -> harbour.call("portal", 9, "POST", url + "/open").pods() == 3);
        }
    }

    @Nested
    class NodeProxies extends NodeProxyFiles {
        NodeProxies() {
            super(CorpusTest.this, CorpusTest.this.harbour);
        }
    }

    @Nested
    class Traffic extends TrafficFiles {
        Traffic() {
            super(CorpusTest.this, CorpusTest.this.harbour);
        }
    }

    @Nested
    class Policies extends PolicyFiles {
        Policies() {
            super(CorpusTest.this, CorpusTest.this.harbour);
        }
    }
}
