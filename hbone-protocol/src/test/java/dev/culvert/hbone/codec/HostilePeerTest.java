package dev.culvert.hbone.codec;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.Unpooled;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.ObjIntConsumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// What a server of ours does when the peer breaks RFC 9113, and its nearest lawful neighbour.
class HostilePeerTest {
    private static final int WINDOW = 256 * 1024;

    /// @param expected code of GOAWAY; null if the connection must survive
    record Row(String name, @Nullable ErrorCode expected, Consumer<Peer> script) {
        @Override
        public String toString() {
            return name;
        }
    }

    private static int[] zeros(int count) {
        return new int[count];
    }

    private static void open(Peer peer, int id) {
        peer.send(peer.connect(id, "198.18.1.2:80"));
    }

    private static void repeat(int times, Runnable step) {
        for (var i = 0; i < times; i++) {
            step.run();
        }
    }

    static Stream<Row> rows() {
        return Stream.of(
                new Row("PING of 8 bytes", null, p -> p.frame(FrameTypes.PING, 0, 0, zeros(8))),
                new Row(
                        "PING of 7 bytes (§6.7)",
                        ErrorCode.FRAME_SIZE_ERROR,
                        p -> p.frame(FrameTypes.PING, 0, 0, zeros(7))),
                new Row(
                        "PING on a stream (§6.7)",
                        ErrorCode.PROTOCOL_ERROR,
                        p -> p.frame(FrameTypes.PING, 0, 1, zeros(8))),
                new Row("SETTINGS of 6 bytes", null, p -> p.frame(FrameTypes.SETTINGS, 0, 0, 0, 99, 0, 0, 0, 1)),
                new Row(
                        "SETTINGS of 5 bytes (§6.5)",
                        ErrorCode.FRAME_SIZE_ERROR,
                        p -> p.frame(FrameTypes.SETTINGS, 0, 0, zeros(5))),
                new Row(
                        "SETTINGS on a stream (§6.5)",
                        ErrorCode.PROTOCOL_ERROR,
                        p -> p.frame(FrameTypes.SETTINGS, 0, 1)),
                new Row(
                        "SETTINGS ACK with payload (§6.5)",
                        ErrorCode.FRAME_SIZE_ERROR,
                        p -> p.frame(FrameTypes.SETTINGS, 1, 0, zeros(6))),
                new Row(
                        "MAX_FRAME_SIZE too small (§6.5.2)",
                        ErrorCode.PROTOCOL_ERROR,
                        p -> p.frame(FrameTypes.SETTINGS, 0, 0, 0, 5, 0, 0, 0, 1)),
                new Row(
                        "INITIAL_WINDOW_SIZE over 2^31-1 (§6.5.2)",
                        ErrorCode.FLOW_CONTROL_ERROR,
                        p -> p.frame(FrameTypes.SETTINGS, 0, 0, 0, 4, 0x80, 0, 0, 0)),
                new Row(
                        "PUSH_PROMISE (§8.4)",
                        ErrorCode.PROTOCOL_ERROR,
                        p -> p.frame(FrameTypes.PUSH_PROMISE, 4, 1, zeros(4))),
                new Row("unknown frame type (§4.1)", null, p -> p.frame(200, 0, 0, zeros(3))),
                new Row("DATA on an open stream", null, p -> {
                    open(p, 1);
                    p.data(1, 0, "x");
                }),
                new Row("DATA on stream 0 (§6.1)", ErrorCode.PROTOCOL_ERROR, p -> p.data(0, 0, "x")),
                new Row("DATA on an idle stream (§5.1)", ErrorCode.PROTOCOL_ERROR, p -> p.data(1, 0, "x")),
                new Row("padding as long as DATA (§6.1)", ErrorCode.PROTOCOL_ERROR, p -> {
                    open(p, 1);
                    p.frame(FrameTypes.DATA, FrameTypes.PADDED, 1, 2, 0);
                }),
                new Row("padded DATA", null, p -> {
                    open(p, 1);
                    p.frame(FrameTypes.DATA, FrameTypes.PADDED, 1, 1, 'x', 0);
                }),
                new Row("HEADERS on an even stream (§5.1.1)", ErrorCode.PROTOCOL_ERROR, p -> open(p, 2)),
                new Row("HEADERS with a lower id than before (§5.1.1)", ErrorCode.PROTOCOL_ERROR, p -> {
                    open(p, 5);
                    open(p, 3);
                }),
                new Row(
                        "HEADERS that cannot be decoded (§4.3)",
                        ErrorCode.COMPRESSION_ERROR,
                        p -> p.frame(FrameTypes.HEADERS, 4, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)),
                new Row(
                        "CONTINUATION without HEADERS (§6.10)",
                        ErrorCode.PROTOCOL_ERROR,
                        p -> p.frame(FrameTypes.CONTINUATION, 4, 1)),
                new Row("a PING within a header block (§6.10)", ErrorCode.PROTOCOL_ERROR, p -> {
                    p.frame(FrameTypes.HEADERS, 0, 1);
                    p.frame(FrameTypes.PING, 0, 0, zeros(8));
                }),
                new Row("RST_STREAM of an open stream", null, p -> {
                    open(p, 1);
                    p.frame(FrameTypes.RST_STREAM, 0, 1, zeros(4));
                }),
                new Row(
                        "RST_STREAM of an idle stream (§6.4)",
                        ErrorCode.PROTOCOL_ERROR,
                        p -> p.frame(FrameTypes.RST_STREAM, 0, 1, zeros(4))),
                new Row("RST_STREAM of 3 bytes (§6.4)", ErrorCode.FRAME_SIZE_ERROR, p -> {
                    open(p, 1);
                    p.frame(FrameTypes.RST_STREAM, 0, 1, zeros(3));
                }),
                new Row(
                        "WINDOW_UPDATE of the connection",
                        null,
                        p -> p.frame(FrameTypes.WINDOW_UPDATE, 0, 0, 0, 0, 0, 9)),
                new Row(
                        "WINDOW_UPDATE of 0 (§6.9)",
                        ErrorCode.PROTOCOL_ERROR,
                        p -> p.frame(FrameTypes.WINDOW_UPDATE, 0, 0, zeros(4))),
                new Row(
                        "WINDOW_UPDATE over 2^31-1 (§6.9.1)",
                        ErrorCode.FLOW_CONTROL_ERROR,
                        p -> p.frame(FrameTypes.WINDOW_UPDATE, 0, 0, 0x7f, 0xff, 0xff, 0xff)),
                new Row(
                        "WINDOW_UPDATE of 3 bytes (§6.9)",
                        ErrorCode.FRAME_SIZE_ERROR,
                        p -> p.frame(FrameTypes.WINDOW_UPDATE, 0, 0, zeros(3))),
                new Row("GOAWAY", null, p -> p.frame(FrameTypes.GOAWAY, 0, 0, zeros(8))),
                new Row(
                        "GOAWAY of 7 bytes (§6.8)",
                        ErrorCode.PROTOCOL_ERROR,
                        p -> p.frame(FrameTypes.GOAWAY, 0, 0, zeros(7))),
                new Row("a hundred PINGs", null, p -> repeat(100, () -> p.frame(FrameTypes.PING, 0, 0, zeros(8)))),
                new Row("a megabyte bought 2 KiB at a time", null, HostilePeerTest::sendManySmallUpdates),
                new Row("a stream over SETTINGS_MAX_CONCURRENT_STREAMS", null, p -> {
                    for (var id = 1; id <= 401; id += 2) {
                        open(p, id);
                    }
                }));
    }

    /// Of each, the limit that it reaches.
    static Stream<Arguments> floods() {
        return Stream.of(
                flood(PeerLimit.CONTINUATIONS, ErrorCode.PROTOCOL_ERROR, "endless CONTINUATION", p -> {
                    p.frame(FrameTypes.HEADERS, 0, 1);
                    repeat(100, () -> p.frame(FrameTypes.CONTINUATION, 0, 1));
                }),
                flood(PeerLimit.HEADER_BYTES, ErrorCode.ENHANCE_YOUR_CALM, "a header block of 100 kB", p -> {
                    p.frame(FrameTypes.HEADERS, 0, 1, zeros(16000));
                    repeat(8, () -> p.frame(FrameTypes.CONTINUATION, 0, 1, zeros(16000)));
                }),
                flood(PeerLimit.HEADER_BYTES, ErrorCode.PROTOCOL_ERROR, "HPACK bomb", HostilePeerTest::hpackBomb),
                flood(
                        PeerLimit.FRAME_SIZE,
                        ErrorCode.FRAME_SIZE_ERROR,
                        "a frame over MAX_FRAME_SIZE (§4.2)",
                        p -> p.send(Unpooled.wrappedBuffer(new byte[] {0x7f, 0, 0, 99, 0, 0, 0, 0, 0}))),
                useless("PINGs", p -> p.frame(FrameTypes.PING, 0, 0, zeros(8))),
                useless("SETTINGS", p -> p.frame(FrameTypes.SETTINGS, 0, 0)),
                useless("PRIORITY", p -> p.frame(FrameTypes.PRIORITY, 0, 1, zeros(5))),
                useless("unknown frames", p -> p.frame(200, 0, 0, zeros(3))),
                useless("a credit of one byte", p -> p.frame(FrameTypes.WINDOW_UPDATE, 0, 0, 0, 0, 0, 1)),
                flood(PeerLimit.FRAMES_WITHOUT_USE, ErrorCode.ENHANCE_YOUR_CALM, "empty DATA", p -> {
                    open(p, 1);
                    repeat(5_000, () -> p.data(1, 0, ""));
                }),
                flood(PeerLimit.FRAMES_WITHOUT_USE, ErrorCode.ENHANCE_YOUR_CALM, "a window a byte at a time", p -> {
                    p.frame(FrameTypes.SETTINGS, 0, 0, 0, 4, 0, 0, 0, 0);
                    open(p, 1);
                    p.accepted.getFirst().write(Unpooled.wrappedBuffer(new byte[100_000]));
                    repeat(5_000, () -> p.frame(FrameTypes.WINDOW_UPDATE, 0, 1, 0, 0, 0, 1));
                }),
                streams("rapid reset (CVE-2023-44487)", (p, id) -> p.frame(FrameTypes.RST_STREAM, 0, id, 0, 0, 0, 8)),
                streams(
                        "resets that we are made to send (CVE-2025-8671)",
                        (p, id) -> p.frame(FrameTypes.WINDOW_UPDATE, 0, id, 0, 0, 0, 0)),
                streams("streams that are refused", (_, _) -> {}));
    }

    private static Arguments flood(PeerLimit limit, ErrorCode code, String name, Consumer<Peer> script) {
        return Arguments.of(limit, new Row(name, code, script));
    }

    private static Arguments useless(String name, Consumer<Peer> one) {
        return flood(
                PeerLimit.FRAMES_WITHOUT_USE,
                ErrorCode.ENHANCE_YOUR_CALM,
                name,
                p -> repeat(5_000, () -> one.accept(p)));
    }

    private static Arguments streams(String name, ObjIntConsumer<Peer> each) {
        return flood(PeerLimit.FRAMES_WITHOUT_USE, ErrorCode.ENHANCE_YOUR_CALM, name, p -> {
            for (var id = 1; id < 50_000 && p.broken == null; id += 2) {
                open(p, id);
                each.accept(p, id);
            }
        });
    }

    /// 4,000 bytes in the table, named 30 times by one byte each.
    private static void hpackBomb(Peer peer) {
        var block = new ByteArrayOutputStream();
        block.writeBytes(
                new byte[] {0x40, 1, 'x', 0x7f, (byte) (((4000 - 127) & 0x7f) | 0x80), (byte) ((4000 - 127) >> 7)});
        block.writeBytes(new byte[4000]);
        for (var i = 0; i < 30; i++) {
            block.write(0x80 | 62);
        }
        var octets = block.toByteArray();
        var payload = new int[octets.length];
        for (var i = 0; i < octets.length; i++) {
            payload[i] = octets[i] & 0xff;
        }
        peer.frame(FrameTypes.HEADERS, FrameTypes.END_HEADERS, 1, payload);
    }

    private static void sendManySmallUpdates(Peer peer) {
        open(peer, 1);
        var stream = peer.accepted.getFirst();
        stream.write(Unpooled.wrappedBuffer(new byte[1 << 20]));
        for (var sent = 0; sent < 1 << 20; sent += 2048) {
            peer.frame(FrameTypes.WINDOW_UPDATE, 0, 1, 0, 0, 8, 0);
            peer.frame(FrameTypes.WINDOW_UPDATE, 0, 0, 0, 0, 8, 0);
        }
        assertThat(stream.waitingBytes()).isZero();
    }

    @ParameterizedTest
    @MethodSource("floods")
    void floodEndsTheConnectionAndIsCounted(PeerLimit limit, Row row) {
        try (var peer = Peer.ofServer()) {
            row.script.accept(peer);
            assertThat(peer.broken).isEqualTo(row.expected);
            assertThat(peer.loop.count(limit)).isEqualTo(1);
        }
    }

    /// Not the connection's end, but counted.
    @Test
    void streamsOverTheLimitAreRefusedAndCounted() {
        try (var peer = Peer.ofServer()) {
            for (var id = 1; id <= 2 * 203; id += 2) {
                open(peer, id);
            }
            assertThat(peer.accepted).hasSize(200);
            assertThat(peer.loop.count(PeerLimit.STREAMS)).isEqualTo(3);
        }
    }

    @ParameterizedTest
    @MethodSource("rows")
    void peerIsAnsweredAsTheRfcSays(Row row) {
        try (var peer = Peer.ofServer()) {
            row.script.accept(peer);
            assertThat(peer.broken).isEqualTo(row.expected);
            assertThat(peer.channel.isOpen()).isEqualTo(row.expected == null);
            if (row.expected != null) {
                var goAway = peer.frames(FrameTypes.GOAWAY).getLast();
                assertThat(ErrorCode.of(goAway.u32(4))).isEqualTo(row.expected);
            }
        }
    }

    @Test
    void notHttp2IsCutOff() {
        try (var peer = Peer.ofServer(true)) {
            peer.send(Unpooled.copiedBuffer("GET / HTTP/1.1\r\n\r\n", StandardCharsets.US_ASCII));
            assertThat(peer.broken).isEqualTo(ErrorCode.PROTOCOL_ERROR);
        }
    }

    @Test
    void firstFrameMustBeSettings() {
        try (var peer = Peer.ofServer(true)) {
            var bytes = Unpooled.buffer();
            PrefaceReader.write(bytes);
            peer.send(bytes);
            peer.frame(FrameTypes.PING, 0, 0, zeros(8));
            assertThat(peer.broken).isEqualTo(ErrorCode.PROTOCOL_ERROR);
        }
    }

    @Test
    void streamThatSendsOverItsCreditIsReset() {
        try (var peer = Peer.ofServer(false)) {
            peer.preface();
            open(peer, 1);
            var block = new int[16384];
            Arrays.fill(block, 'x');
            repeat(WINDOW / 16384, () -> peer.frame(FrameTypes.DATA, 0, 1, block));
            assertThat(peer.seen.getFirst().failure).isNull();
            peer.data(1, 0, "x");
            assertThat(peer.seen.getFirst().failure)
                    .extracting(StreamFailure::code)
                    .isEqualTo(ErrorCode.FLOW_CONTROL_ERROR);
            assertThat(peer.loop.count(PeerLimit.CREDIT)).isEqualTo(1);
            assertThat(peer.broken).isNull();
        }
    }

    @Test
    void creditComesBackOnDeliveryOnly() {
        try (var peer = Peer.ofServer(false)) {
            peer.preface();
            open(peer, 1);
            peer.frames();
            peer.frame(FrameTypes.DATA, 0, 1, new int[WINDOW / 2]);
            assertThat(peer.frames(FrameTypes.WINDOW_UPDATE)).noneMatch(frame -> frame.streamId() == 1);
            peer.accepted.getFirst().delivered(WINDOW / 2);
            var update = peer.frames(FrameTypes.WINDOW_UPDATE);
            assertThat(update).anyMatch(frame -> frame.streamId() == 1 && frame.u32(0) == WINDOW / 2);
        }
    }

    @Test
    void streamsTakeTurns() {
        try (var peer = Peer.ofServer()) {
            open(peer, 1);
            open(peer, 3);
            peer.frame(FrameTypes.WINDOW_UPDATE, 0, 0, 0, 0x10, 0, 0);
            peer.frames();
            var bulk = peer.accepted.get(0);
            peer.channel.config().setWriteBufferWaterMark(new WriteBufferWaterMark(1 << 20, 1 << 21));
            bulk.write(Unpooled.wrappedBuffer(new byte[60_000]));
            peer.accepted.get(1).write(Unpooled.wrappedBuffer(new byte[] {1}));
            var order = peer.frames(FrameTypes.DATA).stream()
                    .map(Peer.Frame::streamId)
                    .toList();
            assertThat(order.indexOf(3)).isEqualTo(1);
        }
    }

    @Test
    void nothingIsSentOverThePeersCredit() {
        try (var peer = Peer.ofServer()) {
            open(peer, 1);
            peer.frames();
            peer.accepted.getFirst().write(Unpooled.wrappedBuffer(new byte[100_000]));
            var sent = peer.frames(FrameTypes.DATA).stream()
                    .mapToInt(frame -> frame.payload().size())
                    .sum();
            assertThat(sent).isEqualTo(65535);
            peer.frame(FrameTypes.WINDOW_UPDATE, 0, 0, 0, 1, 0, 0);
            assertThat(peer.frames(FrameTypes.DATA)).isEmpty();
            peer.frame(FrameTypes.WINDOW_UPDATE, 0, 1, 0, 1, 0, 0);
            var more = peer.frames(FrameTypes.DATA).stream()
                    .mapToInt(frame -> frame.payload().size())
                    .sum();
            assertThat(more).isEqualTo(100_000 - 65535);
        }
    }

    /// One bad request is not its neighbours' fault (RFC 9113 §8.1.1).
    @Test
    void malformedHeadersEndTheirStreamOnly() {
        try (var peer = Peer.ofServer()) {
            open(peer, 1);
            var headers = new StringBuilder();
            for (var field : List.of(":method", "CONNECT", ":authority", " 198.18.1.2:80")) {
                headers.append(field.startsWith(":") ? "\0" : "")
                        .appendCodePoint(field.length())
                        .append(field);
            }
            var endHeaders = FrameTypes.END_HEADERS;
            peer.frame(FrameTypes.HEADERS, endHeaders, 3, headers.chars().toArray());
            assertThat(peer.frames(FrameTypes.RST_STREAM))
                    .singleElement()
                    .matches(frame -> frame.streamId() == 3 && ErrorCode.of(frame.u32(0)) == ErrorCode.PROTOCOL_ERROR);
            open(peer, 5);
            assertThat(peer.accepted).hasSize(2);
            peer.data(1, 0, "still here");
            assertThat(peer.seen.getFirst().data).hasToString("still here");
        }
    }

    private static void assertReset(Peer peer, int streamId, ErrorCode code) {
        assertThat(peer.frames(FrameTypes.RST_STREAM))
                .singleElement()
                .matches(frame -> frame.streamId() == streamId && ErrorCode.of(frame.u32(0)) == code);
    }

    /// RFC 9113 §5.1: what the peer sends after its own end is an error of that stream, once.
    @Test
    void dataAfterThePeersEndIsAnErrorOfItsStream() {
        try (var peer = Peer.ofServer()) {
            open(peer, 1);
            open(peer, 3);
            peer.data(1, FrameTypes.END_STREAM, "");
            peer.data(1, 0, "more"); // half closed
            assertReset(peer, 1, ErrorCode.STREAM_CLOSED);
            peer.data(1, 0, "more"); // known to be over
            assertThat(peer.frames(FrameTypes.RST_STREAM)).isEmpty();

            open(peer, 5);
            peer.frame(FrameTypes.RST_STREAM, 0, 5, zeros(4));
            peer.data(5, 0, "more");
            assertReset(peer, 5, ErrorCode.STREAM_CLOSED);

            open(peer, 7);
            peer.data(7, FrameTypes.END_STREAM, "");
            peer.accepted.getLast().end();
            peer.frames();
            peer.data(7, 0, "more");
            assertReset(peer, 7, ErrorCode.STREAM_CLOSED);

            assertThat(peer.broken).isNull();
            peer.data(3, 0, "still here");
            assertThat(peer.seen.get(1).data).hasToString("still here");
        }
    }

    /// The peer may not have heard of it yet.
    @Test
    void dataAfterOurOwnResetIsDropped() {
        try (var peer = Peer.ofServer()) {
            open(peer, 1);
            peer.accepted.getFirst().reset(ErrorCode.CANCEL);
            peer.frames();
            peer.data(1, 0, "on its way");
            assertThat(peer.frames(FrameTypes.RST_STREAM)).isEmpty();
            assertThat(peer.broken).isNull();
        }
    }

    /// RFC 9113 §8.3.1, §8.5: no method, or one that is not CONNECT without scheme and path.
    @Test
    void requestsWithoutTheirPseudoHeadersAreMalformed() {
        try (var peer = Peer.ofServer()) {
            peer.request(1, new DefaultHttp2Headers().authority("198.18.1.2:80"));
            assertReset(peer, 1, ErrorCode.PROTOCOL_ERROR);
            peer.request(3, new DefaultHttp2Headers().method("GET").path("/"));
            assertReset(peer, 3, ErrorCode.PROTOCOL_ERROR);
            peer.request(
                    5, new DefaultHttp2Headers().method("GET").scheme("http").path("/"));
            assertThat(peer.accepted).hasSize(1); // who takes requests says what becomes of it
        }
    }

    /// As a connection whose handshake was under way when the drain began.
    @Test
    void whatIsDrainedBeforeItBeginsSaysSoWhenItBegins() {
        try (var peer = Peer.ofDrainingServer()) {
            assertThat(peer.frames())
                    .extracting(Peer.Frame::type)
                    .startsWith(FrameTypes.SETTINGS)
                    .containsSequence(FrameTypes.GOAWAY, FrameTypes.PING);
            open(peer, 1);
            assertThat(peer.accepted).hasSize(1); // it may have been on its way
        }
    }

    /// First a GOAWAY that refuses nothing, and a PING; what comes before its answer is served (RFC 9113 §6.8).
    @Test
    void drainServesWhatIsOpenOrOnItsWayAndRefusesTheRest() {
        try (var peer = Peer.ofServer()) {
            open(peer, 1);
            peer.frames();
            peer.connection.drain();
            var said = peer.frames();
            assertThat(said).extracting(Peer.Frame::type).containsExactly(FrameTypes.GOAWAY, FrameTypes.PING);
            assertThat(said.getFirst().u32(0)).isEqualTo(Integer.MAX_VALUE);
            open(peer, 3);
            assertThat(peer.accepted).hasSize(2);

            var opaque = said.getLast().payload().stream()
                    .mapToInt(octet -> octet & 0xff)
                    .toArray();
            peer.frame(FrameTypes.PING, FrameTypes.ACK, 0, opaque);
            assertThat(peer.frames(FrameTypes.GOAWAY)).singleElement().matches(frame -> frame.u32(0) == 3);
            open(peer, 5);
            assertThat(peer.frames(FrameTypes.RST_STREAM))
                    .singleElement()
                    .matches(frame -> frame.streamId() == 5 && ErrorCode.of(frame.u32(0)) == ErrorCode.REFUSED_STREAM);
            peer.data(1, 0, "still here");
            assertThat(peer.seen.getFirst().data).hasToString("still here");
        }
    }
}
