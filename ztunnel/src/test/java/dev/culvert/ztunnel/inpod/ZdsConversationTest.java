package dev.culvert.ztunnel.inpod;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.MessageLite;
import dev.culvert.hbone.codec.H2Limits;
import dev.culvert.linux.fd.OwnedFd;
import dev.culvert.linux.socket.SeqPacketListener;
import dev.culvert.linux.socket.SeqPacketSocket;
import dev.culvert.protos.zds.AddWorkload;
import dev.culvert.protos.zds.DelWorkload;
import dev.culvert.protos.zds.KeepWorkload;
import dev.culvert.protos.zds.SnapshotSent;
import dev.culvert.protos.zds.WorkloadInfo;
import dev.culvert.protos.zds.WorkloadRequest;
import dev.culvert.protos.zds.WorkloadResponse;
import dev.culvert.proxy.ca.CertificateStore;
import dev.culvert.proxy.mesh.Lookup;
import dev.culvert.proxy.mesh.MeshState;
import dev.culvert.proxy.telemetry.ConnectionMetrics;
import dev.culvert.ztunnel.relay.HostNames;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// The node agent is the test: what it says by ZDS, what it hears, and what is served then.
@Timeout(240)
class ZdsConversationTest {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final Path OWN = Path.of("/proc/self/ns/net");

    @TempDir
    Path directory;

    private final List<String> events = new CopyOnWriteArrayList<>();
    private volatile boolean portsAreTaken;
    private final EventLoopGroup loops = new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
    private final HostNames names = new HostNames(PATIENCE);
    private final CertificateStore certificates = new CertificateStore(
            identity -> {
                throw new IOException("nobody signs for " + identity);
            },
            null,
            Clock.systemUTC());
    private SeqPacketListener listener;
    private SeqPacketSocket agent;
    private ZdsClient client;
    private PodTable pods;

    /// A proxy of a pod that only says what it is told.
    private final class Recorded implements PodProxy {
        private final Pod pod;

        Recorded(Pod pod) {
            this.pod = pod;
        }

        @Override
        public void start() throws IOException {
            if (portsAreTaken) {
                throw new IOException("port 15008: Address already in use");
            }
            events.add("start " + pod.id().uid());
        }

        @Override
        public void drain() {}

        @Override
        public void dropRevoked() {}

        @Override
        public void stop() {
            events.add("stop " + pod.id().uid());
            pod.sockets().close();
        }

        @Override
        public Pod pod() {
            return pod;
        }
    }

    @BeforeEach
    void connect() throws Exception {
        var settings =
                new SocketSettings(1337, true, true, true, Duration.ofSeconds(10), SocketSettings.Keepalive.DEFAULT);
        var node = new Node(
                new MeshState(),
                certificates,
                new ConnectionMetrics(new SimpleMeterRegistry()),
                loops,
                List.of(),
                names,
                Lookup.NONE,
                new NodeSettings("", "", false, true, true, false, PATIENCE, PATIENCE, PATIENCE, H2Limits.DEFAULTS));
        pods = new PodTable((id, sockets) -> new Recorded(new Pod(id, sockets, node)), settings);
        var path = directory.resolve("z.sock");
        listener = SeqPacketListener.listen(path);
        client = new ZdsClient(path, pods, () -> {});
        client.start();
        accept();
    }

    @AfterEach
    void close() throws Exception {
        client.close();
        agent.close();
        listener.close();
        pods.stopAll();
        pods.connected();
        names.close();
        certificates.close();
        loops.shutdownGracefully(0, 1, TimeUnit.SECONDS).await();
    }

    /// The first message is a bare hello.
    private void accept() throws Exception {
        agent = listener.accept(PATIENCE).orElseThrow();
        assertThat(HexFormat.of().formatHex(receive())).isEqualTo("0801");
    }

    private byte[] receive() throws IOException {
        return agent.receive(1024, PATIENCE).orElseThrow().bytes();
    }

    private String tell(MessageLite request) throws IOException {
        agent.send(request.toByteArray(), PATIENCE);
        return heard();
    }

    private String heard() throws IOException {
        return WorkloadResponse.parseFrom(receive()).getAck().getError();
    }

    private String add(String uid, Path namespace) throws IOException {
        try (var fd = OwnedFd.open(namespace)) {
            var info = WorkloadInfo.newBuilder()
                    .setName("cart")
                    .setNamespace("shop")
                    .setServiceAccount("cart");
            agent.send(
                    WorkloadRequest.newBuilder()
                            .setAdd(AddWorkload.newBuilder().setUid(uid).setWorkloadInfo(info))
                            .build()
                            .toByteArray(),
                    fd,
                    PATIENCE);
        }
        return heard();
    }

    private static WorkloadRequest keep(String uid) {
        return WorkloadRequest.newBuilder()
                .setKeep(KeepWorkload.newBuilder().setUid(uid))
                .build();
    }

    private static WorkloadRequest del(String uid) {
        return WorkloadRequest.newBuilder()
                .setDel(DelWorkload.newBuilder().setUid(uid))
                .build();
    }

    private static WorkloadRequest snapshotSent() {
        return WorkloadRequest.newBuilder()
                .setSnapshotSent(SnapshotSent.newBuilder())
                .build();
    }

    private void awaitReady(boolean ready) throws InterruptedException {
        while (pods.isReady() != ready) {
            TimeUnit.MILLISECONDS.sleep(5);
        }
    }

    private void expectClosed() throws Exception {
        assertThat(agent.receive(1024, PATIENCE)).isEmpty();
        agent.close();
    }

    @Test
    void messagesAreTheBytesOfTheReference() throws Exception {
        assertThat(HexFormat.of().formatHex(snapshotSent().toByteArray())).isEqualTo("1a00");
        assertThat(HexFormat.of().formatHex(del("u").toByteArray())).isEqualTo("1203120175");
        assertThat(HexFormat.of().formatHex(keep("u").toByteArray())).isEqualTo("2a030a0175");
        agent.send(HexFormat.of().parseHex("1a00"), PATIENCE);
        assertThat(HexFormat.of().formatHex(receive())).isEqualTo("0a00");
    }

    @Test
    void podsOfTheSnapshotAreServedAndOnesThatAreNotNamedEnd() throws Exception {
        assertThat(pods.isReady()).isFalse();
        assertThat(add("a", OWN)).isEmpty();
        assertThat(add("b", OWN)).isEmpty();
        assertThat(add("a", OWN)).isEmpty();
        assertThat(tell(snapshotSent())).isEmpty();
        assertThat(events).containsExactly("start a", "start b");
        awaitReady(true);

        agent.close(); // the agent restarts: it has forgotten a's namespace, and b has gone meanwhile
        accept();
        assertThat(events).hasSize(2);
        assertThat(pods.isReady()).isFalse();
        assertThat(tell(keep("a"))).isEmpty();
        assertThat(tell(keep("never-heard-of"))).isEmpty();
        assertThat(tell(snapshotSent())).isEmpty();
        assertThat(events).containsExactly("start a", "start b", "stop b");
        assertThat(tell(del("a"))).isEmpty();
        assertThat(tell(del("a"))).isEmpty();
        assertThat(events).endsWith("stop a");
    }

    @Test
    void anotherNamespaceUnderTheSameUidIsANewPod() throws Exception {
        run("ip", "netns", "add", "sandbox2");
        try {
            assertThat(add("a", OWN)).isEmpty();
            assertThat(add("a", Path.of("/run/netns/sandbox2"))).isEmpty();
            assertThat(events).containsExactly("start a", "stop a", "start a");
        } finally {
            run("ip", "netns", "del", "sandbox2");
        }
    }

    private static void run(String... command) throws Exception {
        assertThat(new ProcessBuilder(command).inheritIO().start().waitFor()).isZero();
    }

    @Test
    void aDelInTheSnapshotIsDoneAtItsEnd() throws Exception {
        assertThat(add("a", OWN)).isEmpty();
        assertThat(tell(del("a"))).isEmpty();
        assertThat(events).containsExactly("start a");
        assertThat(tell(snapshotSent())).isEmpty();
        assertThat(events).containsExactly("start a", "stop a");
    }

    /// Also while the agent goes on talking.
    @Test
    void aPodThatCannotBeServedYetIsTriedAgain() throws Exception {
        assertThat(tell(snapshotSent())).isEmpty();
        awaitReady(true);
        portsAreTaken = true;
        assertThat(add("a", OWN)).isEqualTo("failure to start proxy : port 15008: Address already in use");
        awaitReady(false);
        assertThat(pods.waiting()).hasSize(1);
        portsAreTaken = false;
        while (!pods.isReady()) {
            assertThat(tell(del("somebody else"))).isEmpty();
        }
        assertThat(events).containsExactly("start a");
    }

    @Test
    void whatBreaksTheProtocolIsRefusedAndTheConversationBeginsAnew() throws Exception {
        assertThat(add("a", OWN)).isEmpty();
        var withoutFd = WorkloadRequest.newBuilder()
                .setAdd(AddWorkload.newBuilder().setUid("b").setWorkloadInfo(WorkloadInfo.newBuilder()))
                .build();
        assertThat(tell(withoutFd)).contains("without the descriptor");
        expectClosed();
        accept();
        try (var fd = OwnedFd.open(OWN)) {
            agent.send(keep("a").toByteArray(), fd, PATIENCE);
            assertThat(heard()).contains("descriptor");
        }
        expectClosed();
        accept();
        try (var fd = OwnedFd.open(OWN)) {
            var withoutInfo =
                    WorkloadRequest.newBuilder().setAdd(AddWorkload.newBuilder().setUid("b"));
            agent.send(withoutInfo.build().toByteArray(), fd, PATIENCE);
            assertThat(heard()).contains("workload_info");
        }
        expectClosed();
        accept();
        agent.send(new byte[] {(byte) 0xff}, PATIENCE);
        assertThat(heard()).contains("undecodable");
        expectClosed();
        accept();
        assertThat(tell(snapshotSent())).isEmpty();
        assertThat(tell(snapshotSent())).contains("twice");
        expectClosed();
        accept();
        assertThat(tell(snapshotSent())).isEmpty();
        assertThat(tell(keep("a"))).contains("after the snapshot");
        assertThat(events).startsWith("start a");
    }

    /// It never says anything unasked.
    @Test
    void silenceIsKept() throws Exception {
        assertThat(tell(snapshotSent())).isEmpty();
        assertThatThrownBy(() -> agent.receive(1024, Duration.ofSeconds(6))).isInstanceOf(SocketTimeoutException.class);
    }
}
