package dev.culvert.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Nothing that an enrolled pod says on a new connection crosses the wire in clear, whatever is killed.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class NoPlaintextTest {
    private static final int SOME = 40;

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

    @Test
    @Order(1)
    void theCaptureFindsWhatCrossesInClearBeforeEnrolment() throws Exception {
        mesh.capture();
        try (var canary = new Canary(web, server)) {
            canary.awaitMore("without the mesh", SOME);
            canary.stop();
            for (var node : TestMesh.NODES) {
                assertThat(mesh.wasOnTheWire(node, canary.word())).isTrue();
            }
        }
        mesh.enrol();
        mesh.awaitTunnel(web, server);
    }

    @ParameterizedTest
    @Order(2)
    @ValueSource(strings = {"node-1/agent", "node-2/agent", "node-1/ztunnel", "node-2/ztunnel"})
    void killedProgramComesBackAndNothingWasInClear(String program) throws Exception {
        mesh.capture();
        try (var canary = new Canary(web, server)) {
            canary.awaitMore("before the kill", SOME);
            mesh.killAndAwait(program);
            canary.awaitMore("after the restart of " + program, SOME);
            canary.stop(); // the capture must have time to drain
            mesh.assertNeverOnTheWire(canary.word());
        }
    }

    @Test
    @Order(3)
    void nothingIsInClearAndNothingFailsWhenTheControllerIsAway() throws Exception {
        mesh.capture();
        try (var canary = new Canary(web, server)) {
            canary.awaitMore("before the kill", SOME);
            var failed = canary.failed();
            mesh.killForGood(TestMesh.CONTROLLER);
            canary.awaitMore("without the controller", 4 * SOME);
            assertThat(canary.failed()).isEqualTo(failed);
            mesh.killAndAwait("node-2/ztunnel");
            canary.awaitMore("after a restart without the controller", SOME);
            canary.stop(); // the capture must have time to drain
            mesh.assertNeverOnTheWire(canary.word());
        }
    }
}
