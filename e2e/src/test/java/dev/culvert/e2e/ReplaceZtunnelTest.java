package dev.culvert.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;

/// A node's ztunnel is replaced under a flood of new connections: none is refused and none is cut. The next one may be
/// another build.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ReplaceZtunnelTest {
    private static final int CLIENTS = 8;

    @TempDir(cleanup = CleanupMode.ON_SUCCESS)
    static Path directory;

    private TestMesh mesh;
    private TestPod web;
    private TestPod server;
    private Server echo;

    @BeforeAll
    void start() throws Exception {
        mesh = TestMesh.start(directory, Map.of("namespace.yaml", Yaml.ENROLLED, "strict.yaml", Yaml.STRICT));
        web = mesh.pod("shop/web");
        server = mesh.pod("shop/server");
        echo = server.echo();
        mesh.enrol();
        mesh.awaitTunnel(web, server);
    }

    @AfterAll
    void close() throws Exception {
        echo.close();
        mesh.close();
    }

    /// New connections one after another from several threads, v4 and v6, until it is closed.
    private final class Flood implements AutoCloseable {
        private final AtomicBoolean over = new AtomicBoolean();
        private final AtomicLong spoken = new AtomicLong();
        private final Queue<String> failures = new ConcurrentLinkedQueue<>();
        private final ExecutorService threads = Executors.newFixedThreadPool(CLIENTS);

        Flood() {
            for (var i = 0; i < CLIENTS; i++) {
                var address = i % 2 == 0 ? server.v4() : server.v6();
                threads.submit(() -> {
                    while (!over.get()) {
                        try {
                            web.say(address, "ping");
                            spoken.incrementAndGet();
                        } catch (IOException | RuntimeException | AssertionError e) {
                            failures.add(address + " after " + spoken + ": " + e);
                        }
                    }
                });
            }
        }

        void awaitMore(long connections) {
            var until = spoken.get() + connections;
            Await.until("the flood goes on", () -> spoken.get() >= until);
        }

        @Override
        public void close() {
            over.set(true);
            threads.close();
        }
    }

    @Test
    void nothingIsRefusedAndNothingIsCut() throws Exception {
        var flood = new Flood();
        try (flood) {
            for (var node : List.of("node-2", "node-1", "node-2")) {
                flood.awaitMore(200);
                mesh.replace(node, List.of());
                flood.awaitMore(200);
            }
        }
        assertThat(flood.failures).as("of %s connections", flood.spoken).isEmpty();
        mesh.awaitTunnel(web, server);
    }

    /// Both sides of the seam by command line: the next one runs with another environment.
    @Test
    void theNextOneMayBeAnother() throws Exception {
        var script = Files.createFile(
                directory.resolve("other"),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        var ours = Path.of(System.getProperty("culvert.root"), "ztunnel/target/dist/bin/ztunnel");
        Files.writeString(
                script,
                "#!/bin/sh\nexport XDS_ON_DEMAND=true ISTIO_META_DNS_CAPTURE=false LOG_FORMAT=json\nexec " + ours
                        + " \"$@\"\n");
        mesh.replace("node-1", List.of(script.toString(), "proxy", "ztunnel"));
        mesh.awaitTunnel(web, server);
        web.say(server.v6(), "hello");
        Await.until(
                "the other one has logged",
                () -> mesh.log("node-1/ztunnel").stream()
                        .anyMatch(line -> line.startsWith("{\"") && line.contains("outbound")));
        mesh.replace("node-1", List.of());
        mesh.awaitTunnel(web, server);
    }
}
