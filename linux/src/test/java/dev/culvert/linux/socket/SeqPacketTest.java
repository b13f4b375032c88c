package dev.culvert.linux.socket;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.culvert.linux.Errno;
import dev.culvert.linux.LinuxException;
import dev.culvert.linux.call.Libc;
import dev.culvert.linux.fd.OwnedFd;
import dev.culvert.linux.netns.Namespaces;
import dev.culvert.linux.netns.NetworkNamespace;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.net.SocketTimeoutException;
import java.nio.channels.ClosedChannelException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SeqPacketTest {
    private static final Duration SOON = Duration.ofSeconds(60);
    private static final Duration NOW = Duration.ofMillis(20);

    @TempDir
    Path directory;

    private SeqPacketListener listener;
    private SeqPacketSocket client;
    private SeqPacketSocket server;

    @BeforeEach
    void connect() throws Exception {
        var path = directory.resolve("s.sock");
        Files.createFile(path); // a stale file does not matter
        listener = SeqPacketListener.listen(path);
        client = SeqPacketSocket.connect(path);
        server = listener.accept();
    }

    @AfterEach
    void close() throws Exception {
        client.close();
        server.close();
        listener.close();
    }

    @Test
    void messagesKeepTheirBounds() throws Exception {
        client.send(new byte[] {8, 1}, SOON);
        client.send(new byte[] {3}, SOON);
        assertThat(server.receive(1024, SOON).orElseThrow().bytes()).containsExactly(8, 1);
        assertThat(server.receive(1024, SOON).orElseThrow().bytes()).containsExactly(3);
        assertThatThrownBy(() -> server.receive(1024, NOW)).isInstanceOf(SocketTimeoutException.class);
    }

    @Test
    void socketFileIsItsOwnersOnlyAndGoneAfterClose() throws Exception {
        var path = directory.resolve("s.sock");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(path)))
                .isEqualTo("rw-------");
        assertThat(server.peer().pid()).isEqualTo((int) ProcessHandle.current().pid());
        assertThat(server.peer().uid()).isZero();
        listener.close();
        assertThat(path).doesNotExist();
    }

    @Test
    void descriptorOfANamespaceArrivesWithItsMessageClosedOnExec() throws Exception {
        try (var namespace = NetworkNamespace.open(Namespaces.add("passed"))) {
            server.send(new byte[] {1}, namespace.fd(), SOON);
        }
        var message = client.receive(1024, SOON).orElseThrow();
        try (var received = NetworkNamespace.adopt(message.fd().orElseThrow());
                var again = NetworkNamespace.open(Path.of("/run/netns/passed"))) {
            assertThat(received.id()).isEqualTo(again.id());
            var info = Files.readString(
                    Path.of("/proc/self/fdinfo", Integer.toString(received.fd().number())));
            assertThat(info).containsPattern("flags:\\s+02"); // O_CLOEXEC
        }
    }

    @Test
    void tooLongAMessageIsAnError() throws Exception {
        client.send(new byte[1025], SOON);
        assertThatThrownBy(() -> server.receive(1024, SOON))
                .isInstanceOfSatisfying(
                        LinuxException.class, e -> assertThat(e.errno()).isEqualTo(Errno.EMSGSIZE));
    }

    @Test
    void severalDescriptorsAreClosedAndRefused() throws Exception {
        var before = openDescriptors();
        try (var one = OwnedFd.open(Path.of("/etc/passwd"));
                var two = one.duplicate()) {
            sendBoth(one, two);
        }
        assertThatThrownBy(() -> server.receive(1024, SOON)).hasMessageContaining("more than one descriptor");
        assertThat(openDescriptors()).isEqualTo(before);
    }

    private static long openDescriptors() throws Exception {
        try (var files = Files.list(Path.of("/proc/self/fd"))) {
            return files.count();
        }
    }

    private void sendBoth(OwnedFd one, OwnedFd two) throws Exception {
        try (var arena = Arena.ofConfined()) {
            var data = arena.allocate(1);
            var vector = arena.allocate(16, 8);
            vector.set(ValueLayout.ADDRESS, 0, data);
            vector.set(ValueLayout.JAVA_LONG, 8, 1);
            var control = arena.allocate(24, 8);
            control.set(ValueLayout.JAVA_LONG, 0, 24);
            control.set(ValueLayout.JAVA_INT, 8, Libc.SOL_SOCKET);
            control.set(ValueLayout.JAVA_INT, 12, 1);
            control.set(ValueLayout.JAVA_INT, 16, one.number());
            control.set(ValueLayout.JAVA_INT, 20, two.number());
            var header = arena.allocate(56, 8);
            header.set(ValueLayout.ADDRESS, 16, vector);
            header.set(ValueLayout.JAVA_LONG, 24, 1);
            header.set(ValueLayout.ADDRESS, 32, control);
            header.set(ValueLayout.JAVA_LONG, 40, 24);
            Libc.SENDMSG.invoke("two descriptors", client.descriptor().number(), header, 0);
        }
    }

    @Test
    void endOfThePeerIsSeen() throws Exception {
        client.close();
        assertThat(server.receive(1024, SOON)).isEmpty();
        assertThatThrownBy(() -> server.send(new byte[] {1}, SOON)).hasMessageContaining("EPIPE");
    }

    @Test
    void closeWakesReceiveAndAccept() throws Exception {
        var receive = CompletableFuture.supplyAsync(() -> caught(() -> server.receive(1024, Duration.ofHours(1))));
        var accept = CompletableFuture.supplyAsync(() -> caught(() -> listener.accept()));
        server.close();
        listener.close();
        receive.get(60, TimeUnit.SECONDS); // ends as if the peer had gone, or as closed
        assertThat(accept.get(60, TimeUnit.SECONDS)).isInstanceOf(ClosedChannelException.class);
    }

    private interface Action {
        Object run() throws Exception;
    }

    private static Object caught(Action action) {
        try {
            return action.run();
        } catch (Exception e) {
            return e;
        }
    }

    @Test
    void sendToAStuckPeerTimesOut() {
        assertThatThrownBy(() -> {
                    for (var i = 0; i < 100_000; i++) {
                        client.send(new byte[1024], NOW);
                    }
                })
                .isInstanceOf(SocketTimeoutException.class)
                .isNotInstanceOf(ExecutionException.class);
    }

    @Test
    void failuresNameCallPathAndError() {
        assertThatThrownBy(() -> SeqPacketSocket.connect(directory.resolve("absent")))
                .hasMessage("connect(" + directory.resolve("absent") + "): ENOENT");
        assertThatThrownBy(() -> SeqPacketSocket.connect(Path.of("/" + "x".repeat(108))))
                .hasMessageContaining("at most 107 bytes");
    }
}
