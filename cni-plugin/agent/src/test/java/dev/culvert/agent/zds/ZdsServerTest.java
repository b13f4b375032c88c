package dev.culvert.agent.zds;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.culvert.linux.netns.NetworkNamespace;
import dev.culvert.protos.zds.WorkloadInfo;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ZdsServerTest {
    /// uid "u1" and info {name "web", namespace "shop", service account "web"}, after reference field numbers.
    private static final String ADD_U1 = "0a16" + "0a027531" + "1210" + "0a03776562" + "120473686f70" + "1a03776562";
    private static final ZdsLimits FAST = new ZdsLimits(Duration.ofMillis(500), Duration.ofMillis(50), 5, 100);

    @TempDir
    Path directory;

    private final List<ServedPod> snapshot = new CopyOnWriteArrayList<>();
    private final CountDownLatch connected = new CountDownLatch(1);
    private NetworkNamespace netns;
    private ServedPod web;
    private Path path;
    private ZdsServer server;

    @BeforeEach
    void listen() throws Exception {
        netns = NetworkNamespace.current();
        var info = WorkloadInfo.newBuilder().setName("web").setNamespace("shop").setServiceAccount("web");
        web = new ServedPod("u1", info.build(), Optional.of(netns));
        path = directory.resolve("ztunnel.sock");
        server = ZdsServer.listen(path, () -> List.copyOf(snapshot), connected::countDown, FAST);
    }

    @AfterEach
    void close() throws Exception {
        server.close();
        netns.close();
    }

    @Test
    void snapshotHasAddsWithNamespacesAndKeepsWithout() throws Exception {
        snapshot.add(web);
        snapshot.add(new ServedPod("u2", web.info(), Optional.empty()));
        try (var ztunnel = ScriptedZtunnel.connect(path)) {
            ztunnel.send("0801");
            assertThat(ztunnel.receiveAdd()).isEqualTo(new ScriptedZtunnel.Added(ADD_U1, netns.id()));
            ztunnel.ack();
            assertThat(ztunnel.receive()).isEqualTo("2a04" + "0a027532");
            ztunnel.ack();
            assertThat(ztunnel.receive()).isEqualTo("1a00");
            assertThat(connected.getCount()).isEqualTo(1);
            ztunnel.ack();
            assertThat(connected.await(60, TimeUnit.SECONDS)).isTrue();
        }
    }

    @Test
    void refusalInTheSnapshotDoesNotEndIt() throws Exception {
        snapshot.add(web);
        try (var ztunnel = ScriptedZtunnel.connect(path)) {
            ztunnel.send("0801");
            ztunnel.receiveAdd();
            ztunnel.nack("failed to start proxy");
            assertThat(ztunnel.receive()).isEqualTo("1a00");
            ztunnel.ack();
            assertThat(connected.await(60, TimeUnit.SECONDS)).isTrue();
        }
    }

    @Test
    void addGoesToTheNewestAndDelToAll() throws Exception {
        try (var older = ScriptedZtunnel.connectEmpty(path);
                var newer = ScriptedZtunnel.connectEmpty(path)) {
            var added = async(() -> server.add(web));
            assertThat(newer.receiveAdd().hex()).isEqualTo(ADD_U1);
            newer.ack();
            added.get(60, TimeUnit.SECONDS);

            var deleted = async(() -> server.delete("u1"));
            assertThat(older.receive()).isEqualTo("1204" + "12027531");
            older.ack();
            assertThat(newer.receive()).isEqualTo("1204" + "12027531");
            newer.nack("never heard of it");
            deleted.get(60, TimeUnit.SECONDS);
            assertThat(server.connections()).isEqualTo(2);
        }
    }

    @Test
    void addIsAcknowledgedOnlyByTheAck() throws Exception {
        try (var ztunnel = ScriptedZtunnel.connectEmpty(path)) {
            var added = async(() -> server.add(web));
            ztunnel.receiveAdd();
            assertThat(added).isNotDone();
            ztunnel.ack();
            added.get(60, TimeUnit.SECONDS);
        }
    }

    @Test
    void withoutZtunnelAddFailsAndDelDoesNot() throws Exception {
        assertThatThrownBy(() -> server.add(web)).hasMessage("no ztunnel connection");
        server.delete("u1");
    }

    @Test
    void refusalOfAnAddIsTheCallers() throws Exception {
        try (var ztunnel = ScriptedZtunnel.connectEmpty(path)) {
            var added = async(() -> server.add(web));
            ztunnel.receiveAdd();
            ztunnel.nack("failed to start proxy : no");
            assertThatThrownBy(() -> added.get(60, TimeUnit.SECONDS))
                    .hasRootCauseMessage("got ack error: failed to start proxy : no");
        }
    }

    @Test
    void whoDoesNotAnswerInTimeIsGivenUp() throws Exception {
        try (var ztunnel = ScriptedZtunnel.connectEmpty(path)) {
            var added = async(() -> server.add(web));
            ztunnel.receiveAdd();
            assertThatThrownBy(() -> added.get(60, TimeUnit.SECONDS)).hasMessageContaining("timed out");
            assertThat(ztunnel.receive()).isEqualTo("end");
        }
        awaitConnections(0);
    }

    @Test
    void endOfAnIdlePeerIsNoticed() throws Exception {
        ScriptedZtunnel.connectEmpty(path).close();
        awaitConnections(0);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "0802", "ff", "0a00", "08011a00"})
    void wrongHelloIsGivenUp(String hello) throws Exception {
        try (var ztunnel = ScriptedZtunnel.connect(path)) {
            if (!hello.isEmpty()) {
                ztunnel.send(hello);
            }
            var answer = ztunnel.receive();
            // an unknown field is no reason, and an unknown version is
            assertThat(answer).isEqualTo(hello.equals("08011a00") ? "1a00" : "end");
        }
        awaitConnections(0);
    }

    @ParameterizedTest
    @ValueSource(strings = {"ff", "", "1200", "0aff"})
    void wrongAckIsGivenUpAndTheCallerTold(String ack) throws Exception {
        try (var ztunnel = ScriptedZtunnel.connectEmpty(path)) {
            var added = async(() -> server.add(web));
            ztunnel.receiveAdd();
            ztunnel.send(ack.isEmpty() ? "00".repeat(1025) : ack);
            assertThatThrownBy(() -> added.get(60, TimeUnit.SECONDS)).hasRootCauseInstanceOf(ZdsException.class);
        }
        awaitConnections(0);
    }

    @Test
    void speakingUnaskedIsGivenUp() throws Exception {
        try (var ztunnel = ScriptedZtunnel.connectEmpty(path)) {
            ztunnel.ack();
            assertThat(ztunnel.receive()).isEqualTo("end");
        }
    }

    @Test
    void moreThanFiveConnectionsInASecondWait() throws Exception {
        var start = System.nanoTime();
        for (var i = 0; i < 7; i++) {
            ScriptedZtunnel.connectEmpty(path).close();
        }
        assertThat(Duration.ofNanos(System.nanoTime() - start)).isGreaterThan(Duration.ofMillis(900));
    }

    private void awaitConnections(int expected) throws InterruptedException {
        var deadline = System.nanoTime() + Duration.ofSeconds(60).toNanos();
        while (server.connections() != expected && System.nanoTime() < deadline) {
            TimeUnit.MILLISECONDS.sleep(10);
        }
        assertThat(server.connections()).isEqualTo(expected);
    }

    private interface Action {
        void run() throws IOException;
    }

    private static CompletableFuture<Void> async(Action action) {
        return CompletableFuture.runAsync(() -> {
            try {
                action.run();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
    }
}
