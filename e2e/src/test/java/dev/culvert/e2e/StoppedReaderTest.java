package dev.culvert.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.culvert.e2e.TestPod.Family;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.zip.CRC32;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// One reader stops until its sender can write no more; its neighbours in the same tunnel do not notice, and
/// later it gets every byte.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class StoppedReaderTest {
    private static final int FLOOD_PORT = 8081;
    private static final int FLOOD_BYTES = 96 << 20;
    private static final int NEIGHBOURS = 8;
    private static final int TRIPS = 200;
    private static final long SEED = 4711;

    @TempDir(cleanup = CleanupMode.ON_SUCCESS)
    static Path directory;

    private TestMesh mesh;
    private TestPod web;
    private TestPod server;
    private Server echo;
    private Server flood;
    private final AtomicLong written = new AtomicLong();

    @BeforeAll
    void start() throws Exception {
        mesh = TestMesh.start(directory, Map.of("namespace.yaml", Yaml.ENROLLED));
        web = mesh.pod("shop/web");
        server = mesh.pod("shop/server");
        echo = server.echo();
        flood = server.serve(FLOOD_PORT, this::flood);
        mesh.enrol();
        mesh.awaitTunnel(web, server);
    }

    @AfterAll
    void close() throws Exception {
        flood.close();
        echo.close();
        mesh.close();
    }

    private void flood(SocketChannel connection) throws IOException {
        var random = new Random(SEED);
        var block = new byte[1 << 16];
        for (var sent = 0; sent < FLOOD_BYTES; sent += block.length) {
            random.nextBytes(block);
            var bytes = ByteBuffer.wrap(block);
            while (bytes.hasRemaining()) {
                written.addAndGet(connection.write(bytes));
            }
        }
    }

    private static long checksum() {
        var random = new Random(SEED);
        var block = new byte[1 << 16];
        var sum = new CRC32();
        for (var sent = 0; sent < FLOOD_BYTES; sent += block.length) {
            random.nextBytes(block);
            sum.update(block);
        }
        return sum.getValue();
    }

    @ParameterizedTest
    @EnumSource(Family.class)
    void neighboursGoOnAndNoByteIsLost(Family family) throws Exception {
        written.set(0);
        var to = server.address(family);
        try (var stopped = web.connect(new InetSocketAddress(to, FLOOD_PORT))) {
            awaitBlocked();
            neighbours(family);
            web.say(to, "a new one");
            assertThat(written.get()).as("still blocked").isLessThan(FLOOD_BYTES);
            var sum = new CRC32();
            var total = 0L;
            var buffer = new byte[1 << 16];
            for (var read = stopped.in().read(buffer);
                    read >= 0;
                    read = stopped.in().read(buffer)) {
                sum.update(buffer, 0, read);
                total += read;
            }
            assertThat(total).isEqualTo(FLOOD_BYTES);
            assertThat(sum.getValue()).isEqualTo(checksum());
        }
    }

    /// Nothing was written for a second, and not everything was.
    private void awaitBlocked() {
        var last = new long[] {-1, 0};
        Await.until("the sender is blocked", () -> {
            var now = written.get();
            assertThat(now).isLessThan(FLOOD_BYTES);
            if (now != last[0]) {
                last[0] = now;
                last[1] = System.nanoTime();
            }
            return now > 0 && System.nanoTime() - last[1] > TimeUnit.SECONDS.toNanos(1);
        });
    }

    private void neighbours(Family family) throws Exception {
        var all = new ArrayList<Future<Integer>>();
        try (var threads = Executors.newFixedThreadPool(NEIGHBOURS)) {
            for (var i = 0; i < NEIGHBOURS; i++) {
                Callable<Integer> neighbour = () -> talk(family);
                all.add(threads.submit(neighbour));
            }
            for (var one : all) {
                assertThat(one.get(60, TimeUnit.SECONDS)).isEqualTo(TRIPS);
            }
        }
    }

    private int talk(Family family) throws IOException {
        try (var conversation = web.connect(server.address(family))) {
            for (var trip = 0; trip < TRIPS; trip++) {
                conversation.roundTrip();
            }
            return TRIPS;
        }
    }
}
