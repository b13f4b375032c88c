package dev.culvert.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;

/// A test with a mesh of its own that begins without anybody enrolled, and looks at what shop/web on node-1 says to
/// the echo of shop/server on node-2.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class WebAndServer {
    TestMesh mesh;
    TestPod web;
    TestPod server;
    private Server echo;

    @BeforeAll
    void start(@TempDir(cleanup = CleanupMode.ON_SUCCESS) Path directory) throws Exception {
        mesh = TestMesh.start(directory, Map.of("namespace.yaml", Yaml.NOT_ENROLLED));
        web = mesh.pod("shop/web");
        server = mesh.pod("shop/server");
        echo = server.echo();
    }

    @AfterAll
    void close() throws Exception {
        echo.close();
        mesh.close();
    }

    /// New connections cross the wire in clear, and none fails.
    void assertNewIsPlain() throws IOException {
        mesh.capture();
        try (var canary = new Canary(web, server)) {
            canary.awaitMore("in clear", 10);
            assertThat(canary.failed()).isZero();
            canary.stop(); // the capture must have time to drain
            for (var node : TestMesh.NODES) {
                assertThat(mesh.wasOnTheWire(node, canary.word())).isTrue();
            }
        }
    }
}
