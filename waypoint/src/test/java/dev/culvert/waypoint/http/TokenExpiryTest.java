package dev.culvert.waypoint.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.JWSObject;
import com.nimbusds.jose.Payload;
import com.nimbusds.jose.crypto.MACSigner;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.OctetSequenceKey;
import com.nimbusds.jose.jwk.gen.OctetSequenceKeyGenerator;
import dev.culvert.protos.waypoint.JwtRule;
import dev.culvert.protos.waypoint.Protocol;
import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// What a token has opened ends with it, and nothing else does.
class TokenExpiryTest {
    private static final long SKEW = 60;
    private static final String SWITCH =
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";

    private Harbour harbour;
    private RawServer server;
    private OctetSequenceKey key;

    @BeforeEach
    void start() throws Exception {
        key = new OctetSequenceKeyGenerator(256)
                .keyID("k")
                .algorithm(JWSAlgorithm.HS256)
                .generate();
        harbour = new Harbour();
        server = new RawServer(TokenExpiryTest::answer);
        harbour.endpoints(server.port());
        harbour.configure(Harbour.config(Protocol.HTTP1, "")
                .addJwtRules(JwtRule.newBuilder().setIssuer("office").setJwks(new JWKSet(key).toString(false))));
    }

    @AfterEach
    void stop() throws IOException {
        server.close();
        harbour.close();
    }

    /// `/chat` becomes a WebSocket that echoes, `/news` begins an answer that never ends, `/wait` says nothing.
    private static void answer(Socket socket) throws IOException {
        var head = new StringBuilder();
        while (!head.toString().endsWith("\r\n\r\n")) {
            var next = socket.getInputStream().read();
            if (next < 0) {
                return;
            }
            head.append((char) next);
        }
        var text = head.toString().contains("/chat")
                ? SWITCH
                : head.toString().contains("/news")
                        ? "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nnews\r\n"
                        : "";
        socket.getOutputStream().write(text.getBytes(StandardCharsets.US_ASCII));
        socket.getInputStream().transferTo(socket.getOutputStream());
    }

    /// @param left until it is refused, skew included
    private String token(long left) throws JOSEException {
        var expires = Instant.now().getEpochSecond() + left - SKEW;
        var token = new JWSObject(
                new JWSHeader.Builder(JWSAlgorithm.HS256).keyID("k").build(),
                new Payload("{\"iss\":\"office\",\"sub\":\"marlow\",\"exp\":" + expires + "}"));
        token.sign(new MACSigner(key));
        return token.serialize();
    }

    private Bytes ask(String path, String headers) throws Exception {
        return harbour.raw().listen().say("GET " + path + " HTTP/1.1\r\nHost: a\r\n" + headers + "\r\n");
    }

    @Test
    void aWebSocketEndsWithItsToken() throws Exception {
        var upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\n";
        try (var lasting = ask("/chat", upgrade + "Authorization: Bearer " + token(600) + "\r\n");
                var without = ask("/chat", upgrade);
                var ending = ask("/chat", upgrade + "Authorization: Bearer " + token(12) + "\r\n")) {
            ending.await(heard -> heard.endsWith("\r\n\r\n")); // nothing is said before (RFC 6455 section 4.1)
            ending.say("ahoy");
            ending.await(heard -> heard.endsWith("ahoy"));
            ending.awaitEnd();
            assertThat(ending.isBroken()).isTrue();
            lasting.say("still here");
            lasting.await(heard -> heard.endsWith("still here"));
            without.say("me too");
            without.await(heard -> heard.endsWith("me too"));
        }
    }

    @Test
    void anAnswerThatGoesOnIsCutWhenTheTokenExpires() throws Exception {
        try (var ending = ask("/news", "Authorization: Bearer " + token(8) + "\r\n")) {
            ending.await(heard -> heard.contains("news"));
            assertThat(ending.awaitEnd()).doesNotContain("0\r\n\r\n");
        }
    }

    @Test
    void whoStillWaitsForAnAnswerIsToldThatTheTokenHasExpired() throws Exception {
        var answer = harbour.call(
                false, new Harbour.Request("GET", "/wait", Map.of("authorization", "Bearer " + token(2)), ""));
        assertThat(answer.status).isEqualTo(401);
        assertThat(answer.text()).isEqualTo("Jwt is expired");
    }
}
