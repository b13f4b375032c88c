package dev.culvert.hbone.codec;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.Unpooled;
import io.netty.channel.WriteBufferWaterMark;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
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
                new Row("endless CONTINUATION", ErrorCode.PROTOCOL_ERROR, p -> {
                    p.frame(FrameTypes.HEADERS, 0, 1);
                    repeat(100, () -> p.frame(FrameTypes.CONTINUATION, 0, 1));
                }),
                new Row("a header block of 100 kB", ErrorCode.ENHANCE_YOUR_CALM, p -> {
                    p.frame(FrameTypes.HEADERS, 0, 1, zeros(16000));
                    repeat(8, () -> p.frame(FrameTypes.CONTINUATION, 0, 1, zeros(16000)));
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
                new Row(
                        "a frame over MAX_FRAME_SIZE (§4.2)",
                        ErrorCode.FRAME_SIZE_ERROR,
                        p -> p.send(Unpooled.wrappedBuffer(new byte[] {0x7f, 0, 0, 99, 0, 0, 0, 0, 0}))),
                new Row("a hundred PINGs", null, p -> repeat(100, () -> p.frame(FrameTypes.PING, 0, 0, zeros(8)))),
                new Row(
                        "PING flood",
                        ErrorCode.ENHANCE_YOUR_CALM,
                        p -> repeat(5_000, () -> p.frame(FrameTypes.PING, 0, 0, zeros(8)))),
                new Row(
                        "SETTINGS flood",
                        ErrorCode.ENHANCE_YOUR_CALM,
                        p -> repeat(5_000, () -> p.frame(FrameTypes.SETTINGS, 0, 0))),
                new Row("empty DATA flood", ErrorCode.ENHANCE_YOUR_CALM, p -> {
                    open(p, 1);
                    repeat(5_000, () -> p.data(1, 0, ""));
                }),
                new Row("rapid reset (CVE-2023-44487)", ErrorCode.ENHANCE_YOUR_CALM, HostilePeerTest::rapidReset));
    }

    private static void rapidReset(Peer peer) {
        for (var id = 1; id < 50_000 && peer.broken == null; id += 2) {
            open(peer, id);
            peer.frame(FrameTypes.RST_STREAM, 0, id, 0, 0, 0, 8);
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
