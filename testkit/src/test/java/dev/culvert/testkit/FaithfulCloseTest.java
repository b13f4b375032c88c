package dev.culvert.testkit;

import static dev.culvert.testkit.MeshAssertions.assertThat;

import dev.culvert.testkit.Connection.End;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// What applications see through the tunnel is what they would see without it: FIN, RST and half-close, each
/// way.
@MeshTest(families = {Family.V4, Family.V6})
class FaithfulCloseTest {
    private static final int PORT = 8080;

    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();

    @AfterEach
    void stop() {
        threads.close();
    }

    /// The two applications' ends of one connection.
    private record Pair(Connection client, Connection server) {
        static Pair of(Mesh mesh) {
            var server = mesh.workload("server").on("node-b").captured();
            var listening = server.listen(PORT);
            var client = mesh.workload("client").on("node-a").captured().connect(server, PORT);
            return new Pair(client, listening.accept());
        }
    }

    private CompletableFuture<Void> meanwhile(Runnable work) {
        return CompletableFuture.runAsync(work, threads);
    }

    @Test
    void serverSeesTheClientPodsOwnAddress(Mesh mesh) {
        var pair = Pair.of(mesh);
        assertThat(pair.server.remote().getAddress())
                .isEqualTo(mesh.workload("client").address());
    }

    @Test
    void bytesGoBothWays(Mesh mesh) {
        var pair = Pair.of(mesh);
        pair.client.send("hello");
        assertThat(pair.server.read(5)).isEqualTo("hello");
        pair.server.send("world");
        assertThat(pair.client.read(5)).isEqualTo("world");
    }

    @Test
    void serverMaySpeakFirst(Mesh mesh) {
        var pair = Pair.of(mesh);
        pair.server.send("220 ready");
        assertThat(pair.client.read(9)).isEqualTo("220 ready");
    }

    @Test
    void finOfTheClientIsAHalfClose(Mesh mesh) {
        var pair = Pair.of(mesh);
        pair.client.send("request");
        pair.client.halfClose();
        assertThat(pair.server.readToEnd()).isEqualTo("request");
        pair.server.send("a late answer");
        pair.server.halfClose();
        assertThat(pair.client.readToEnd()).isEqualTo("a late answer");
    }

    @Test
    void finOfTheServerIsAHalfClose(Mesh mesh) {
        var pair = Pair.of(mesh);
        pair.server.halfClose();
        assertThat(pair.client.readToEnd()).isEmpty();
        pair.client.send("still talking");
        pair.client.halfClose();
        assertThat(pair.server.readToEnd()).isEqualTo("still talking");
    }

    @Test
    void resetOfTheClientReachesTheServer(Mesh mesh) {
        var pair = Pair.of(mesh);
        pair.client.send("x");
        assertThat(pair.server.read(1)).isEqualTo("x");
        pair.client.reset();
        assertThat(pair.server.awaitEnd()).isEqualTo(End.RESET);
    }

    @Test
    void resetOfTheServerReachesTheClient(Mesh mesh) {
        var pair = Pair.of(mesh);
        pair.client.send("x");
        assertThat(pair.server.read(1)).isEqualTo("x");
        pair.server.reset();
        assertThat(pair.client.awaitEnd()).isEqualTo(End.RESET);
    }

    @Test
    void resetAfterAHalfCloseReachesTheOtherSide(Mesh mesh) {
        var pair = Pair.of(mesh);
        pair.client.halfClose();
        assertThat(pair.server.awaitEnd()).isEqualTo(End.FIN);
        pair.server.reset();
        assertThat(pair.client.awaitEnd()).isEqualTo(End.RESET);
    }

    @Test
    void refusedPortEndsTheClientsConnection(Mesh mesh) {
        var server = mesh.workload("server").on("node-b").captured().echo(PORT);
        mesh.expectError("Connection refused");
        mesh.expectError("http status: 503");
        var connection = mesh.workload("client").on("node-a").captured().connect(server, 1);
        assertThat(connection.awaitEnd()).isIn(End.FIN, End.RESET);
    }

    @Test
    void hundredMegabytesBothWaysAtOnce(Mesh mesh) throws Exception {
        var pair = Pair.of(mesh);
        var up = new Payload(1, 100 << 20);
        var down = new Payload(2, 100 << 20);
        CompletableFuture.allOf(
                        meanwhile(() -> up.sendTo(pair.client)),
                        meanwhile(() -> down.sendTo(pair.server)),
                        meanwhile(() -> up.expectFrom(pair.server)),
                        meanwhile(() -> down.expectFrom(pair.client)))
                .get(100, TimeUnit.SECONDS);
    }

    @Test
    void dataBeforeAFinIsDeliveredToASlowReader(Mesh mesh) throws Exception {
        var pair = Pair.of(mesh);
        var data = new Payload(3, 20 << 20);
        var up = meanwhile(() -> {
            data.sendTo(pair.client);
            pair.client.halfClose();
        });
        data.expectFrom(pair.server);
        assertThat(pair.server.readToEnd()).isEmpty();
        up.get(60, TimeUnit.SECONDS);
    }

    @Test
    void muchMayStillComeAfterTheClientsFin(Mesh mesh) throws Exception {
        var pair = Pair.of(mesh);
        pair.client.halfClose();
        assertThat(pair.server.readToEnd()).isEmpty();
        moreThanBuffersHold(pair.server, pair.client);
    }

    @Test
    void muchMayStillComeAfterTheServersFin(Mesh mesh) throws Exception {
        var pair = Pair.of(mesh);
        pair.server.halfClose();
        assertThat(pair.client.readToEnd()).isEmpty();
        moreThanBuffersHold(pair.client, pair.server);
    }

    /// The reader begins when the writer has been stopped by full buffers.
    private void moreThanBuffersHold(Connection from, Connection to) throws Exception {
        var data = new Payload(5, 40 << 20);
        var written = new AtomicLong();
        var writing = meanwhile(() -> {
            data.sendTo(from, written);
            from.halfClose();
        });
        for (var before = -1L; before != written.get() || before == 0; Thread.sleep(500)) {
            before = written.get();
        }
        assertThat(writing).isNotDone();
        data.expectFrom(to);
        assertThat(to.readToEnd()).isEmpty();
        writing.get(60, TimeUnit.SECONDS);
    }

    @Test
    void singleByteWritesArriveInOrder(Mesh mesh) throws Exception {
        var pair = Pair.of(mesh);
        var text = new StringBuilder();
        new Random(4).ints(20_000, 'a', 'z').forEach(letter -> text.append((char) letter));
        var up = meanwhile(() -> text.chars().forEach(letter -> pair.client.send(Character.toString(letter))));
        assertThat(pair.server.read(text.length())).isEqualTo(text.toString());
        up.get(20, TimeUnit.SECONDS);
    }
}
