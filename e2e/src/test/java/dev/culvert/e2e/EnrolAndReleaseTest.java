package dev.culvert.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.culvert.e2e.TestPod.Family;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Pods enter and leave the mesh while they talk.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class EnrolAndReleaseTest {
    @TempDir(cleanup = CleanupMode.ON_SUCCESS)
    static Path directory;

    private TestMesh mesh;
    private TestPod web;
    private TestPod server;
    private Server echo;

    @BeforeAll
    void start() throws Exception {
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

    @ParameterizedTest
    @EnumSource(Family.class)
    void nothingOpenIsCutAndWhatIsNewAfterReleaseIsPlain(Family family) throws Exception {
        var to = server.address(family);
        try (var plain = web.connect(to)) {
            plain.roundTrip();
            mesh.enrol();
            mesh.awaitTunnel(web, server);
            try (var tunnelled = web.connect(to)) {
                tunnelled.roundTrip();
                plain.roundTrip();
                mesh.release();
                tunnelled.roundTrip();
                plain.roundTrip();
                assertNewIsPlain();
                try (var after = web.connect(to)) {
                    mesh.enrol();
                    mesh.awaitTunnel(web, server);
                    after.roundTrip();
                    tunnelled.roundTrip();
                    plain.roundTrip();
                    mesh.release();
                    after.roundTrip();
                    tunnelled.roundTrip();
                    plain.roundTrip();
                }
            }
        }
        assertNewIsPlain();
    }

    private void assertNewIsPlain() throws Exception {
        mesh.capture();
        try (var canary = new Canary(web, server)) {
            canary.awaitMore("after release", 10);
            assertThat(canary.failed()).isZero();
            canary.stop();
            for (var node : TestMesh.NODES) {
                assertThat(mesh.wasOnTheWire(node, canary.word())).isTrue();
            }
        }
    }
}
