package dev.culvert.testkit;

import static dev.culvert.testkit.MeshAssertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

/// A partition shorter than the keepalive's patience is only a delay; what is sent meanwhile arrives afterwards.
@MeshTest(families = {Family.V4, Family.V6})
class ShortPartitionTest {
    @Test
    void whatIsSentDuringThePartitionArrivesAfterIt(Mesh mesh) {
        var wire = mesh.wire("node-a", "node-b");
        var server = mesh.workload("server").on("node-b").captured();
        var listening = server.listen(8080);
        var client = mesh.workload("client").on("node-a").captured().connect(server, 8080);
        var application = listening.accept();
        client.send("before");
        assertThat(application.read(6)).isEqualTo("before");

        mesh.partition("node-a", "node-b");
        client.send("during");
        mesh.advance(Duration.ofSeconds(1));
        mesh.heal("node-a", "node-b");
        assertThat(application.read(6)).isEqualTo("during");
        application.send("after");
        assertThat(client.read(5)).isEqualTo("after");
        wire.never("during");
    }
}
