package dev.culvert.testkit;

import static dev.culvert.testkit.MeshAssertions.assertThat;

import dev.culvert.testkit.Connection.End;
import org.junit.jupiter.api.Test;

/// A revoked certificate ends the live tunnels of its owner, whichever end it has, and only those.
@MeshTest
class RevocationTest {
    private static final int PORT = 8080;

    @Test
    void aRevokedClientIsCutAndRefused(Mesh mesh) {
        var server = mesh.workload("server").on("node-b").captured().echo(PORT);
        var good = mesh.workload("good").on("node-a").captured();
        var bad = mesh.workload("bad").on("node-a").captured();
        var stays = good.connect(server, PORT);
        var goes = bad.connect(server, PORT);
        assertThat(stays.roundTrip("before")).isEqualTo("before");
        assertThat(goes.roundTrip("before")).isEqualTo("before");

        expectErrors(mesh);
        mesh.revoke(bad);
        assertThat(goes.awaitEnd()).isEqualTo(End.RESET);
        assertThat(stays.roundTrip("after")).isEqualTo("after");
        assertThat(bad.connect(server, PORT).awaitEnd()).isIn(End.FIN, End.RESET);
    }

    @Test
    void aRevokedServerIsLeft(Mesh mesh) {
        var bad = mesh.workload("bad").on("node-b").captured().echo(PORT);
        var good = mesh.workload("good").on("node-b").captured().echo(PORT);
        var client = mesh.workload("client").on("node-a").captured();
        var goes = client.connect(bad, PORT);
        var stays = client.connect(good, PORT);
        assertThat(goes.roundTrip("before")).isEqualTo("before");
        assertThat(stays.roundTrip("before")).isEqualTo("before");

        expectErrors(mesh);
        mesh.revoke(bad);
        assertThat(goes.awaitEnd()).isEqualTo(End.RESET);
        assertThat(stays.roundTrip("after")).isEqualTo("after");
        assertThat(client.connect(bad, PORT).awaitEnd()).isIn(End.FIN, End.RESET);
    }

    private static void expectErrors(Mesh mesh) {
        mesh.expectError("is revoked");
        mesh.allowError("TLS handshake failed");
        mesh.allowError("ALERT_CERTIFICATE_REVOKED");
        mesh.allowError("connection closed");
        mesh.allowError("receive: ");
    }
}
