package dev.culvert.agent.event;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.culvert.json.Json;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserPrincipal;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class EventServerTest {
    private static final EventLimits LIMITS = new EventLimits(
            2,
            8 << 10,
            1 << 20,
            Duration.ofMillis(300),
            Duration.ofMillis(100),
            Duration.ofSeconds(2),
            Duration.ofSeconds(2));

    @TempDir
    Path directory;

    private final CountDownLatch release = new CountDownLatch(1);
    private Path socket;
    private EventServer server;

    @BeforeEach
    void listen() throws Exception {
        socket = directory.resolve("run").resolve("pluginevent.sock");
        server = EventServer.listen(socket, this::handle, LIMITS, Set.of(user("0")));
    }

    @AfterEach
    void close() throws Exception {
        release.countDown();
        server.close();
    }

    private void handle(String path, Json.Obj message) throws EventException, InterruptedException {
        switch (path) {
            case "/wait" -> release.await();
            case "/no" -> throw new EventException(500, "because");
            case "/bug" -> throw new IllegalStateException("oops");
            default -> assertThat(message.members()).containsKey("a");
        }
    }

    private SocketChannel send(String text) throws IOException {
        var channel = SocketChannel.open(UnixDomainSocketAddress.of(socket));
        var bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
        return channel;
    }

    private static String read(SocketChannel channel) throws IOException {
        var all = new ByteArrayOutputStream();
        try (channel) {
            var buffer = ByteBuffer.allocate(4096);
            while (channel.read(buffer) >= 0) {
                all.write(buffer.array(), 0, buffer.position());
                buffer.clear();
            }
        }
        return all.toString(StandardCharsets.UTF_8);
    }

    private static String post(String path, String body) {
        return "POST %s HTTP/1.1\r\nHost: unix\r\nContent-Length: %d\r\n\r\n%s".formatted(path, body.length(), body);
    }

    @Test
    void requestIsAnswered() throws Exception {
        assertThat(read(send(post("/yes", "{\"a\":1}"))))
                .startsWith("HTTP/1.1 200 OK\r\n")
                .contains("\r\nContent-Length: 0\r\n")
                .endsWith("\r\n\r\n");
        assertThat(read(send(post("/no", "{}")))).startsWith("HTTP/1.1 500 ").endsWith("\r\n\r\nbecause\n");
        assertThat(read(send(post("/bug", "{}")))).startsWith("HTTP/1.1 500 ").contains("bug");
        assertThat(server.answered()).containsEntry(200, 1L).containsEntry(500, 2L);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "GET /yes HTTP/1.1|Content-Length: 2||{};405",
                "POST /yes HTTP/1.1||;400",
                "POST /yes HTTP/1.1|Content-Length: -1||{};400",
                "POST /yes HTTP/1.1|Content-Length: x||{};400",
                "POST /yes HTTP/1.1|Content-Length: 2|content-length: 2||{};400",
                "POST /yes HTTP/1.1|Transfer-Encoding: chunked||0;400",
                "POST /yes HTTP/1.1|Content-Length: 1048577||{;413",
                "POST /yes HTTP/1.1|Content-Length: 99999999999999||{;413",
                "POST /yes HTTP/1.1|Content-Length: 2||[];400",
                "POST /yes HTTP/1.1|Content-Length: 3||{a};400",
                "POST  /yes HTTP/1.1|Content-Length: 2||{};400",
                "POST /yes SPDY/3|Content-Length: 2||{};400",
                "rubbish||;400"
            })
    void whatIsNoRequestIsRefused(String text, int status) throws Exception {
        assertThat(read(send(text.replace("|", "\r\n")))).startsWith("HTTP/1.1 " + status + " ");
    }

    @Test
    void headThatDoesNotEndIsRefused() throws Exception {
        var channel = send("POST /yes HTTP/1.1\r\nX: " + "x".repeat(20_000));
        assertThat(read(channel)).startsWith("HTTP/1.1 431 ");
    }

    @Test
    void whoIsSlowIsHungUpOn() throws Exception {
        assertThat(read(send("POST /yes HTTP/1.1\r\n"))).isEmpty();
        assertThat(read(send("POST /yes HTTP/1.1\r\nContent-Length: 9\r\n\r\n{")))
                .isEmpty();
    }

    @Test
    void oneTooManyIsToldToComeAgain() throws Exception {
        var waiting = new ArrayList<SocketChannel>();
        for (var i = 0; i < LIMITS.requests(); i++) {
            waiting.add(send(post("/wait", "{}")));
        }
        String answer;
        do { // until both have been accepted
            answer = read(SocketChannel.open(UnixDomainSocketAddress.of(socket)));
        } while (answer.isEmpty());
        assertThat(answer).startsWith("HTTP/1.1 503 ");
        release.countDown();
        for (var channel : waiting) {
            assertThat(read(channel)).startsWith("HTTP/1.1 200 ");
        }
    }

    @Test
    void onlyTheOwnerMayUseTheSocket() throws Exception {
        assertThat(Files.getPosixFilePermissions(socket)).isEqualTo(PosixFilePermissions.fromString("rw-------"));
        assertThat(Files.getPosixFilePermissions(socket.getParent()))
                .isEqualTo(PosixFilePermissions.fromString("rwx--x--x"));
        try (var files = Files.list(socket.getParent())) {
            assertThat(files).containsExactly(socket);
        }
    }

    @Test
    void whoIsNotAllowedIsRefused() throws Exception {
        var other = directory.resolve("other.sock");
        try (var server = EventServer.listen(other, this::handle, LIMITS, Set.of(user("65533")))) {
            socket = other;
            assertThat(read(send(post("/yes", "{\"a\":1}"))))
                    .startsWith("HTTP/1.1 403 ")
                    .contains("may not speak for the container runtime");
            assertThat(server.answered()).containsOnlyKeys(403);
        }
    }

    private static UserPrincipal user(String uid) throws IOException {
        return FileSystems.getDefault().getUserPrincipalLookupService().lookupPrincipalByName(uid);
    }

    @Test
    void nextAgentTakesThePlaceAndTheFormerOneLeavesItThere() throws Exception {
        try (var next = EventServer.listen(socket, this::handle, LIMITS, Set.of(user("0")))) {
            server.close();
            assertThat(read(send(post("/yes", "{\"a\":1}")))).startsWith("HTTP/1.1 200 ");
            assertThat(next.answered()).containsEntry(200, 1L);
        }
        assertThat(socket).doesNotExist();
        assertThatThrownBy(() -> send("")).isInstanceOf(IOException.class);
    }
}
