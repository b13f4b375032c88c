package dev.culvert.testkit;

import static dev.culvert.testkit.MeshAssertions.assertThat;

import dev.culvert.testkit.Connection.End;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/// What a partition between two nodes does to connections; time is simulated.
@MeshTest(
        backends = BackendKind.IN_PROCESS,
        families = {Family.V4, Family.V6, Family.DUAL})
class PartitionTest {
    private static final int PORT = 8080;

    @Test
    void newConnectionFailsInBoundedTimeAndSaysWhy(Mesh mesh) {
        var server = mesh.workload("server").on("node-b").captured().echo(PORT);
        var client = mesh.workload("client").on("node-a").captured();
        client.address();
        mesh.partition("node-a", "node-b");

        mesh.expectError("connection timed out, maybe a NetworkPolicy is blocking HBONE port 15008");
        var connection = client.connect(server, PORT);
        Await.until("the attempt is under way", () -> !client.live().isEmpty());
        mesh.advance(Duration.ofSeconds(9));
        assertThat(client.live()).hasSize(1);
        mesh.advance(Duration.ofSeconds(2));
        assertThat(connection.awaitEnd()).isIn(End.FIN, End.RESET);
        mesh.awaitLog("direction=\"outbound\"", "connection timed out, maybe a NetworkPolicy");

        mesh.heal("node-a", "node-b");
        assertThat(client.connect(server, PORT).roundTrip("again")).isEqualTo("again");
    }

    @Test
    void openConnectionSurvivesAShortPartition(Mesh mesh) {
        var server = mesh.workload("server").on("node-b").captured();
        var listening = server.listen(PORT);
        var client = mesh.workload("client").on("node-a").captured().connect(server, PORT);
        var application = listening.accept();
        client.send("before ");
        assertThat(application.read(7)).isEqualTo("before ");

        mesh.partition("node-a", "node-b");
        client.send("during");
        application.send("meanwhile");
        mesh.advance(Duration.ofSeconds(15)); // a PING is unanswered for less than its 20 s
        mesh.heal("node-a", "node-b");
        assertThat(application.read(6)).isEqualTo("during");
        assertThat(client.read(9)).isEqualTo("meanwhile");
    }

    @Test
    void openConnectionEndsInALongPartition(Mesh mesh) {
        var server = mesh.workload("server").on("node-b").captured();
        var listening = server.listen(PORT);
        var client = mesh.workload("client").on("node-a").captured().connect(server, PORT);
        var application = listening.accept();
        client.send("before");
        assertThat(application.read(6)).isEqualTo("before");

        mesh.expectError("no answer to PING");
        mesh.partition("node-a", "node-b");
        mesh.advance(Duration.ofSeconds(40)); // PING after 10 s, 20 s to answer
        assertThat(client.awaitEnd()).isEqualTo(End.RESET);
        assertThat(application.awaitEnd()).isEqualTo(End.RESET);
    }

    @Test
    void delayIsNoFailure(Mesh mesh) {
        var server = mesh.workload("server").on("node-b").captured().echo(PORT);
        var client = mesh.workload("client").on("node-a").captured();
        client.address();
        mesh.delay("node-a", "node-b", Duration.ofMillis(40));
        var begin = System.nanoTime();
        assertThat(client.connect(server, PORT).roundTrip("slow")).isEqualTo("slow");
        assertThat(Duration.ofNanos(System.nanoTime() - begin)).isGreaterThan(Duration.ofMillis(4 * 40));
    }

    /// Its RST is lost, so the peer learns of the end only when it speaks.
    @Test
    void halfOpenPeerIsFoundByWhoSpeaks(Mesh mesh) {
        var server = mesh.workload("server").on("node-b").echo(PORT);
        var client = mesh.workload("client").on("node-a").connect(server, PORT);
        assertThat(client.roundTrip("hello")).isEqualTo("hello");
        mesh.partition("node-a", "node-b");
        server.kill();
        mesh.heal("node-a", "node-b");
        client.send("is anybody there?");
        assertThat(client.awaitEnd()).isEqualTo(End.RESET);
    }
}
