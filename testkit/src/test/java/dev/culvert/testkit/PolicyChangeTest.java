package dev.culvert.testkit;

import static dev.culvert.testkit.MeshAssertions.assertThat;

import dev.culvert.testkit.Connection.End;
import org.junit.jupiter.api.Test;

/// A policy that changes cuts the live connections that it no longer allows, and only those.
@MeshTest(families = {Family.V4, Family.V6, Family.DUAL})
class PolicyChangeTest {
    private static final int PORT = 8080;
    private static final String CHANGED = "connection closed due to policy change";

    @Test
    void whoIsDeniedIsCutAndWhoIsNotStays(Mesh mesh) {
        var server = mesh.workload("server").on("node-b").captured().echo(PORT);
        var good = mesh.workload("good").on("node-a").captured();
        var bad = mesh.workload("bad").on("node-a").captured();
        var stays = good.connect(server, PORT);
        var goes = bad.connect(server, PORT);
        assertThat(stays.roundTrip("before")).isEqualTo("before");
        assertThat(goes.roundTrip("before")).isEqualTo("before");

        mesh.expectError(CHANGED);
        var policy = mesh.policy("no-bad", server).deny(bad);
        assertThat(goes.awaitEnd()).isEqualTo(End.RESET);
        assertThat(stays.roundTrip("after")).isEqualTo("after");

        mesh.expectError("explicitly denied by: default/no-bad (rule 0)");
        mesh.expectError("http status: 401");
        assertThat(bad.connect(server, PORT).awaitEnd()).isIn(End.FIN, End.RESET);
        mesh.awaitLog("explicitly denied by: default/no-bad (rule 0)");

        policy.remove();
        assertThat(bad.connect(server, PORT).roundTrip("again")).isEqualTo("again");
        assertThat(stays.roundTrip("still")).isEqualTo("still");
    }

    @Test
    void whoIsNotOnTheListAnyMoreIsCut(Mesh mesh) {
        var server = mesh.workload("server").on("node-b").captured().echo(PORT);
        var good = mesh.workload("good").on("node-a").captured();
        var bad = mesh.workload("bad").on("node-a").captured();
        var policy = mesh.policy("some", server).allow(good, bad);
        var stays = good.connect(server, PORT);
        var goes = bad.connect(server, PORT);
        assertThat(stays.roundTrip("before")).isEqualTo("before");
        assertThat(goes.roundTrip("before")).isEqualTo("before");

        mesh.expectError(CHANGED);
        policy.allow(good);
        assertThat(goes.awaitEnd()).isEqualTo(End.RESET);
        assertThat(stays.roundTrip("after")).isEqualTo("after");
    }

    @Test
    void strictCutsWhatIsInClear(Mesh mesh) {
        var server = mesh.workload("server").on("node-b").captured().echo(PORT);
        var inside = mesh.workload("inside").on("node-a").captured();
        var outside = mesh.workload("outside").on("node-a");
        var stays = inside.connect(server, PORT);
        var goes = outside.connect(server, PORT);
        assertThat(stays.roundTrip("before")).isEqualTo("before");
        assertThat(goes.roundTrip("before")).isEqualTo("before");

        mesh.expectError(CHANGED);
        mesh.policy("strict", server).strict();
        assertThat(goes.awaitEnd()).isEqualTo(End.RESET);
        assertThat(stays.roundTrip("after")).isEqualTo("after");

        mesh.expectError("connection closed due to policy rejection");
        assertThat(outside.connect(server, PORT).awaitEnd()).isIn(End.FIN, End.RESET);
    }
}
