package dev.culvert.cli.local;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;

class FetchTest {
    @Test
    void bodiesOfEveryFramingAreRead() throws Exception {
        assertThat(answerOf("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokREST")
                        .path("body")
                        .asText())
                .isEqualTo("ok");
        assertThat(answerOf("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n")
                        .path("body")
                        .asText())
                .isEqualTo("abcd");
        assertThat(answerOf("HTTP/1.0 503 No\r\n\r\nto the end").path("body").asText())
                .isEqualTo("to the end");
    }

    @Test
    void closedConnectionIsAFailureAndNoException() throws Exception {
        assertThat(answerOf("").path("failure").asText()).contains("closed without an answer");
    }

    private static ObjectNode answerOf(String bytes) throws Exception {
        try (var server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            var thread = Thread.ofPlatform().start(() -> {
                try (var socket = server.accept()) {
                    while (socket.getInputStream().read() != '\n') {}
                    socket.getOutputStream().write(bytes.getBytes(StandardCharsets.US_ASCII));
                    socket.shutdownOutput();
                    socket.getInputStream().readAllBytes();
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
            var url = "http://127.0.0.1:" + server.getLocalPort() + "/x?y";
            var answer = new Fetch("GET", url, Map.of())
                    .from(Path.of("/proc/self/ns/net"), new ObjectMapper().createObjectNode());
            thread.join();
            return answer;
        }
    }
}
