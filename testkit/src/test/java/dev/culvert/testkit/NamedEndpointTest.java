package dev.culvert.testkit;

import static dev.culvert.testkit.MeshAssertions.assertThat;

import dev.culvert.testkit.Connection.End;
import org.junit.jupiter.api.Test;

/// Endpoints that the mesh knows by a DNS name only (a ServiceEntry's).
@MeshTest(families = Family.V4)
class NamedEndpointTest {
    @Test
    void theNameIsLookedUpAndDialled(Mesh mesh) {
        var endpoint = mesh.workload("endpoint").on("node-b").knownAs("localhost");
        var external = mesh.service("external").vip().port(443, 8443).backedBy(endpoint);
        var client = mesh.workload("client").on("node-a").captured().serve(8443, Handler.greeting("here"));

        assertThat(client.connect(external, 443).read(4)).isEqualTo("here");
        assertThat(mesh.counted("node-a", "istio_on_demand_dns")).isEqualTo(1);
    }

    @Test
    void aNameThatNobodyKnowsIsSaid(Mesh mesh) {
        var endpoint = mesh.workload("endpoint").on("node-b").knownAs("nobody.invalid");
        var external = mesh.service("external").vip().port(443, 8443).backedBy(endpoint);
        var client = mesh.workload("client").on("node-a").captured();

        mesh.expectError("cannot resolve nobody.invalid: no such name");
        assertThat(client.connect(external, 443).awaitEnd()).isIn(End.FIN, End.RESET);
    }
}
