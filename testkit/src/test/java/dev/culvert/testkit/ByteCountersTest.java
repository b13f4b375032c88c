package dev.culvert.testkit;

import static dev.culvert.testkit.MeshAssertions.assertThat;

import org.junit.jupiter.api.Test;

/// Byte counters move while a connection is open, not at its end.
@MeshTest(families = Family.V4)
class ByteCountersTest {
    @Test
    void theyAreUpToDateWheneverSomebodyLooks(Mesh mesh) {
        var server = mesh.workload("server").on("node-b").captured().serve(8080, Handler.greeting("220 ready"));
        var open = mesh.workload("client").on("node-a").captured().connect(server, 8080);
        assertThat(open.read(9)).isEqualTo("220 ready");
        assertThat(open.roundTrip("hello")).isEqualTo("hello");

        for (var node : new String[] {"node-a", "node-b"}) {
            assertThat(mesh.counted(node, "istio_tcp_received_bytes")).as(node).isEqualTo(5);
            assertThat(mesh.counted(node, "istio_tcp_sent_bytes")).as(node).isEqualTo(14);
        }
        assertThat(open.roundTrip("again")).isEqualTo("again");
        assertThat(mesh.counted("node-a", "istio_tcp_received_bytes")).isEqualTo(10);
        open.close();
        Await.until("counted at the end", () -> mesh.counted("node-b", "istio_tcp_connections_closed") == 1);
        assertThat(mesh.counted("node-b", "istio_tcp_received_bytes")).isEqualTo(10);
    }
}
