package dev.culvert.waypoint.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.TextFormat;
import dev.culvert.protos.waypoint.Policy;
import dev.culvert.protos.waypoint.Protocol;
import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Bytes through a whole waypoint: protocols without HTTP, and what begins as HTTP and switches.
class WithoutHttpTest {
    private Harbour harbour;

    @BeforeEach
    void start() throws Exception {
        harbour = new Harbour();
    }

    @AfterEach
    void stop() {
        harbour.close();
    }

    @ParameterizedTest
    @CsvSource({"TCP", "DETECT"})
    void aServerThatSpeaksFirstIsHeardAtOnce(Protocol protocol) throws Exception {
        try (var server = new RawServer(socket -> {
            socket.getOutputStream().write("220 ready\r\n".getBytes(StandardCharsets.US_ASCII));
            socket.getInputStream().transferTo(socket.getOutputStream());
        })) {
            harbour.endpoints(server.port());
            harbour.configure(Harbour.config(protocol, ""));
            try (var raw = harbour.raw().listen()) {
                raw.await("220 ready\r\n"::equals);
                raw.say("HELO\r\n");
                raw.await("220 ready\r\nHELO\r\n"::equals);
                raw.finish();
                assertThat(raw.awaitEnd()).isEqualTo("220 ready\r\nHELO\r\n");
                assertThat(raw.isBroken()).isFalse();
            }
        }
    }

    @Test
    void aClientThatSpeaksNoHttpReachesItsServerWhole() throws Exception {
        try (var server = new RawServer(socket -> socket.getInputStream().transferTo(socket.getOutputStream()))) {
            harbour.endpoints(server.port());
            harbour.configure(Harbour.config(Protocol.DETECT, ""));
            var text = "SET a 1\r\n"
                    + IntStream.range(0, 50_000).mapToObj("%010d"::formatted).collect(Collectors.joining());
            try (var raw = harbour.raw().listen()) {
                raw.say(text).finish();
                var heard = raw.awaitEnd();
                assertThat(heard.length()).isEqualTo(text.length());
                assertThat(heard.equals(text)).isTrue();
                assertThat(raw.isBroken()).isFalse();
            }
        }
    }

    /// @param early what is said before the answer, which must not be lost though nobody should (RFC 6455 §4.1)
    @ParameterizedTest
    @ValueSource(strings = {"", "too soon, "})
    void aWebSocketPassesAndAPolicyThatDeniesItsRequestEndsIt(String early) throws Exception {
        try (var server = new RawServer(WithoutHttpTest::speakWebSocket)) {
            harbour.endpoints(server.port());
            harbour.configure(Harbour.config(Protocol.HTTP1, ""));
            try (var raw = harbour.raw().listen()) {
                raw.say("GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n" + early);
                var heard = raw.await(all -> all.endsWith("hello" + early));
                assertThat(heard).startsWith("HTTP/1.1 101 ");
                raw.say("ahoy");
                raw.await(all -> all.endsWith("hello" + early + "ahoy"));
                harbour.configure(Harbour.config(Protocol.HTTP1, "")
                        .addPolicies(TextFormat.parse(
                                "name: 'p' action: DENY rules {to {attributes {kind: PATH values {exact: '/chat'}}}}",
                                Policy.class)));
                raw.awaitEnd();
                assertThat(raw.isBroken()).isTrue();
            }
        }
    }

    /// Switches, greets and echoes.
    private static void speakWebSocket(Socket socket) throws IOException {
        var head = new StringBuilder();
        while (!head.toString().endsWith("\r\n\r\n")) {
            head.append((char) socket.getInputStream().read());
        }
        var asked = head.toString().toLowerCase(Locale.ROOT);
        var switches = asked.contains("upgrade: websocket") && asked.contains("connection: upgrade");
        var answer = switches
                ? "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nhello"
                : "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";
        socket.getOutputStream().write(answer.getBytes(StandardCharsets.US_ASCII));
        socket.getInputStream().transferTo(socket.getOutputStream());
    }

    @Test
    void withoutHttpAPolicyOfMethodsLetsNobodyIn() throws Exception {
        var contacted = new AtomicInteger();
        try (var server = new RawServer(_ -> contacted.incrementAndGet())) {
            harbour.endpoints(server.port());
            for (var protocol : new Protocol[] {Protocol.TCP, Protocol.DETECT}) {
                harbour.configure(Harbour.config(protocol, "")
                        .addPolicies(TextFormat.parse(
                                "name: 'p' rules {to {attributes {kind: METHOD values {exact: 'GET'}}}}",
                                Policy.class)));
                try (var raw = harbour.raw().listen()) {
                    raw.say("SET a 1\r\n");
                    assertThat(raw.awaitEnd()).isEmpty();
                }
            }
            assertThat(contacted).hasValue(0);
        }
    }
}
