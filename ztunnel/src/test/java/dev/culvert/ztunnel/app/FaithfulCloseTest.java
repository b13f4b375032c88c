package dev.culvert.ztunnel.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// What applications see through the tunnel is what they would see without it: FIN, RST and half-close, each way,
/// IPv4 and IPv6.
@Timeout(60)
class FaithfulCloseTest {
    private static TwoPods pods;
    private static final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();

    @BeforeAll
    static void start() throws Exception {
        pods = new TwoPods();
    }

    @AfterAll
    static void stop() throws Exception {
        pods.close();
        threads.close();
    }

    @AfterEach
    void nothingStaysAlive() throws InterruptedException {
        pods.awaitIdle();
    }

    static Stream<InetAddress> families() {
        return Stream.of(TwoPods.SERVER_V4, TwoPods.SERVER_V6);
    }

    /// The two applications' ends of one connection.
    private record Pair(SocketChannel client, SocketChannel server) implements AutoCloseable {
        @Override
        public void close() throws IOException {
            client.close();
            server.close();
        }
    }

    private static Pair connect(InetAddress server) throws IOException {
        try (var listener = pods.listen(server)) {
            var client = pods.connect((InetSocketAddress) listener.getLocalAddress());
            return new Pair(client, listener.accept());
        }
    }

    private static void write(SocketChannel to, String text) throws IOException {
        var bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
        while (bytes.hasRemaining()) {
            to.write(bytes);
        }
    }

    private static String read(SocketChannel from, int bytes) throws IOException {
        var buffer = ByteBuffer.allocate(bytes);
        var open = true;
        while (buffer.hasRemaining() && open) {
            open = from.read(buffer) >= 0;
        }
        return new String(buffer.array(), 0, buffer.position(), StandardCharsets.UTF_8);
    }

    private static int readOne(SocketChannel from) throws IOException {
        return from.read(ByteBuffer.allocate(1));
    }

    private static void reset(SocketChannel channel) throws IOException {
        channel.setOption(StandardSocketOptions.SO_LINGER, 0);
        channel.close();
    }

    @ParameterizedTest
    @MethodSource("families")
    void serverSeesTheClientPodsOwnAddress(InetAddress ip) throws Exception {
        try (var pair = connect(ip)) {
            var peer = ((InetSocketAddress) pair.server.getRemoteAddress()).getAddress();
            assertThat(peer).isEqualTo(ip.equals(TwoPods.SERVER_V4) ? TwoPods.CLIENT_V4 : TwoPods.CLIENT_V6);
        }
    }

    @ParameterizedTest
    @MethodSource("families")
    void bytesGoBothWays(InetAddress ip) throws Exception {
        try (var pair = connect(ip)) {
            write(pair.client, "hello");
            assertThat(read(pair.server, 5)).isEqualTo("hello");
            write(pair.server, "world");
            assertThat(read(pair.client, 5)).isEqualTo("world");
        }
    }

    @ParameterizedTest
    @MethodSource("families")
    void serverMaySpeakFirst(InetAddress ip) throws Exception {
        try (var pair = connect(ip)) {
            write(pair.server, "220 ready");
            assertThat(read(pair.client, 9)).isEqualTo("220 ready");
        }
    }

    @ParameterizedTest
    @MethodSource("families")
    void finOfTheClientIsAHalfClose(InetAddress ip) throws Exception {
        try (var pair = connect(ip)) {
            write(pair.client, "request");
            pair.client.shutdownOutput();
            assertThat(read(pair.server, 100)).isEqualTo("request");
            write(pair.server, "a late answer");
            assertThat(read(pair.client, 13)).isEqualTo("a late answer");
            pair.server.shutdownOutput();
            assertThat(readOne(pair.client)).isEqualTo(-1);
        }
    }

    @ParameterizedTest
    @MethodSource("families")
    void finOfTheServerIsAHalfClose(InetAddress ip) throws Exception {
        try (var pair = connect(ip)) {
            pair.server.shutdownOutput();
            assertThat(readOne(pair.client)).isEqualTo(-1);
            write(pair.client, "still talking");
            assertThat(read(pair.server, 13)).isEqualTo("still talking");
            pair.client.shutdownOutput();
            assertThat(readOne(pair.server)).isEqualTo(-1);
        }
    }

    @ParameterizedTest
    @MethodSource("families")
    void resetOfTheClientReachesTheServer(InetAddress ip) throws Exception {
        try (var pair = connect(ip)) {
            write(pair.client, "x");
            assertThat(read(pair.server, 1)).isEqualTo("x");
            reset(pair.client);
            assertThatThrownBy(() -> readOne(pair.server))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("reset");
        }
    }

    @ParameterizedTest
    @MethodSource("families")
    void resetOfTheServerReachesTheClient(InetAddress ip) throws Exception {
        try (var pair = connect(ip)) {
            write(pair.client, "x");
            assertThat(read(pair.server, 1)).isEqualTo("x");
            reset(pair.server);
            assertThatThrownBy(() -> readOne(pair.client))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("reset");
        }
    }

    @ParameterizedTest
    @MethodSource("families")
    void resetAfterAHalfCloseReachesTheOtherSide(InetAddress ip) throws Exception {
        try (var pair = connect(ip)) {
            pair.client.shutdownOutput();
            assertThat(readOne(pair.server)).isEqualTo(-1);
            reset(pair.server);
            assertThatThrownBy(() -> readOne(pair.client))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("reset");
        }
    }

    @ParameterizedTest
    @MethodSource("families")
    void refusedPortEndsTheClientsConnection(InetAddress ip) throws Exception {
        try (var client = pods.connect(new InetSocketAddress(ip, 1))) {
            assertThat(endOf(client)).isTrue();
        }
    }

    /// Whether a read sees the end, be it FIN or RST.
    private static boolean endOf(SocketChannel channel) {
        try {
            return readOne(channel) < 0;
        } catch (IOException reset) {
            return true;
        }
    }

    @ParameterizedTest
    @MethodSource("families")
    void hundredMegabytesBothWaysAtOnce(InetAddress ip) throws Exception {
        try (var pair = connect(ip)) {
            var bytes = 100 << 20;
            var up = threads.submit(sending(pair.client, bytes, 1));
            var down = threads.submit(sending(pair.server, bytes, 2));
            var atServer = threads.submit(receiving(pair.server, bytes, 1));
            var atClient = threads.submit(receiving(pair.client, bytes, 2));
            assertThat(up.get(50, TimeUnit.SECONDS)).isEqualTo(bytes);
            assertThat(down.get(50, TimeUnit.SECONDS)).isEqualTo(bytes);
            assertThat(atServer.get(50, TimeUnit.SECONDS)).isEqualTo(bytes);
            assertThat(atClient.get(50, TimeUnit.SECONDS)).isEqualTo(bytes);
        }
    }

    @ParameterizedTest
    @MethodSource("families")
    void dataBeforeAFinIsDeliveredToASlowReader(InetAddress ip) throws Exception {
        try (var pair = connect(ip)) {
            var bytes = 20 << 20;
            var up = threads.submit(() -> {
                sending(pair.client, bytes, 3).call();
                pair.client.shutdownOutput();
                return null;
            });
            assertThat(receiving(pair.server, bytes, 3).call()).isEqualTo(bytes);
            assertThat(readOne(pair.server)).isEqualTo(-1);
            up.get(10, TimeUnit.SECONDS);
        }
    }

    @ParameterizedTest
    @MethodSource("families")
    void singleByteWritesArriveInOrder(InetAddress ip) throws Exception {
        try (var pair = connect(ip)) {
            pair.client.setOption(StandardSocketOptions.TCP_NODELAY, true);
            var reader = threads.submit(receiving(pair.server, 20_000, 4));
            var random = new Random(4);
            for (var i = 0; i < 20_000; i++) {
                pair.client.write(ByteBuffer.wrap(new byte[] {(byte) random.nextInt()}));
            }
            assertThat(reader.get(20, TimeUnit.SECONDS)).isEqualTo(20_000);
        }
    }

    /// Writes pseudo-random bytes of a seed.
    private static Callable<Integer> sending(SocketChannel to, int bytes, int seed) {
        return () -> {
            var random = new Random(seed);
            var block = new byte[1 << 16];
            for (var left = bytes; left > 0; left -= block.length) {
                fill(block, random, Math.min(left, block.length));
                var buffer = ByteBuffer.wrap(block, 0, Math.min(left, block.length));
                while (buffer.hasRemaining()) {
                    to.write(buffer);
                }
            }
            return bytes;
        };
    }

    /// Reads that many bytes and compares them with the seed's; returns how many were right.
    private static Callable<Integer> receiving(SocketChannel from, int bytes, int seed) {
        return () -> {
            var random = new Random(seed);
            var expected = new byte[1 << 16];
            var block = ByteBuffer.allocate(1 << 16);
            for (var got = 0; got < bytes; got += block.limit()) {
                block.clear().limit(Math.min(block.capacity(), bytes - got));
                while (block.hasRemaining()) {
                    if (from.read(block) < 0) {
                        return got + block.position();
                    }
                }
                fill(expected, random, block.limit());
                assertThat(ByteBuffer.wrap(expected, 0, block.limit())).isEqualTo(block.flip());
            }
            return bytes;
        };
    }

    private static void fill(byte[] block, Random random, int bytes) {
        for (var i = 0; i < bytes; i++) {
            block[i] = (byte) random.nextInt();
        }
    }
}
