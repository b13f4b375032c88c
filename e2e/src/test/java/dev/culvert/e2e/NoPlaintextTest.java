package dev.culvert.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Nothing that an enrolled pod says on a new connection crosses the wire in clear, whatever is killed.
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class NoPlaintextTest extends WebAndServer {
    private static final int SOME = 40;

    @Test
    @Order(1)
    void theCaptureFindsWhatCrossesInClearBeforeEnrolment() throws Exception {
        assertNewIsPlain();
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

    /// What could not be read releases nobody: not a broken file, not one that is broken and without a copy, not one
    /// that is deleted.
    @Test
    @Order(3)
    void agentsThatStartOverABrokenNamespaceKeepItsPods() throws Exception {
        mesh.capture();
        try (var canary = new Canary(web, server)) {
            canary.awaitMore("before the mistake", SOME);
            var file = mesh.write("namespace.yaml", Yaml.ENROLLED + "\t- broken\n");
            restartAgents();
            assertStillTunnelled(canary, "over the broken file");
            for (var node : TestMesh.NODES) {
                assertThat(mesh.log(node + "/agent").toString())
                        .contains(file + ":6: YAML syntax", "Namespace shop stands as read earlier");
                mesh.damageCopies(node);
            }
            restartAgents();
            assertStillTunnelled(canary, "without a copy");
            mesh.delete("namespace.yaml");
            restartAgents();
            assertStillTunnelled(canary, "over the deleted file");
            canary.stop(); // the capture must have time to drain
            mesh.assertNeverOnTheWire(canary.word());
        }
        mesh.release();
        assertNewIsPlain();
        mesh.enrol();
        mesh.awaitTunnel(web, server);
    }

    private void restartAgents() throws IOException {
        for (var node : TestMesh.NODES) {
            mesh.restartAgent(node);
        }
    }

    private void assertStillTunnelled(Canary canary, String when) throws IOException {
        mesh.awaitRedirection("enabled");
        canary.awaitMore(when, SOME);
        mesh.awaitTunnel(web, server);
    }

    @Test
    @Order(4)
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
