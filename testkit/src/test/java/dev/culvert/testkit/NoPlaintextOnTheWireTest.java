package dev.culvert.testkit;

import static dev.culvert.testkit.MeshAssertions.assertThat;

import org.junit.jupiter.api.Test;

/// What captured pods say does not cross between nodes in clear.
@MeshTest(families = {Family.V4, Family.V6, Family.DUAL})
class NoPlaintextOnTheWireTest {
    private static final int PORT = 8080;
    private static final String CANARY = "canary-4711-in-a-coal-mine";

    @Test
    void whatCapturedPodsSayIsNeverInClear(Mesh mesh) {
        var wire = mesh.wire("node-a", "node-b");
        var server = mesh.workload("server").on("node-b").captured().echo(PORT);
        var shop = mesh.service("shop").vip().port(80, PORT).backedBy(server);
        var client = mesh.workload("client").on("node-a").captured();
        assertThat(client.connect(shop, 80).roundTrip(CANARY)).isEqualTo(CANARY);
        assertThat(client.connect(server, PORT).roundTrip(CANARY)).isEqualTo(CANARY);
        wire.never(CANARY);
    }

    @Test
    void whatAnUncapturedPodSaysIsSeen(Mesh mesh) {
        var wire = mesh.wire("node-a", "node-b");
        var server = mesh.workload("server").on("node-b").captured().echo(PORT);
        var client = mesh.workload("client").on("node-a");
        assertThat(client.connect(server, PORT).roundTrip(CANARY)).isEqualTo(CANARY);
        wire.saw(CANARY);
    }

    @Test
    void whatStaysOnANodeDoesNotCross(Mesh mesh) {
        var wire = mesh.wire("node-a", "node-b");
        var near = mesh.workload("near").on("node-a").captured().echo(PORT);
        var far = mesh.workload("far").on("node-b").captured().echo(PORT);
        var client = mesh.workload("client").on("node-a").captured();
        assertThat(client.connect(near, PORT).roundTrip(CANARY)).isEqualTo(CANARY);
        assertThat(client.connect(far, PORT).roundTrip("hello")).isEqualTo("hello");
        wire.never(CANARY);
    }
}
