package dev.culvert.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
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

/// The controller is gone: what was decided stays decided, through restarts of ztunnel.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class ControllerAwayTest {
    @TempDir(cleanup = CleanupMode.ON_SUCCESS)
    static Path directory;

    private TestMesh mesh;
    private TestPod web;
    private TestPod batch;
    private TestPod stranger;
    private TestPod server;
    private Server echo;

    @BeforeAll
    void start() throws Exception {
        var files = Map.of("namespace.yaml", Yaml.ENROLLED, "strict.yaml", Yaml.STRICT, "only-web.yaml", Yaml.ONLY_WEB);
        mesh = TestMesh.start(directory, files);
        web = mesh.pod("shop/web");
        batch = mesh.pod("shop/batch");
        stranger = mesh.pod("outside/stranger");
        server = mesh.pod("shop/server");
        echo = server.echo();
        mesh.enrol();
        mesh.awaitTunnel(web, server);
        Await.until("policies are in force", () -> isRefused(batch) && isRefused(stranger));
        Await.until("the client's node knows them", () -> reason().contains("only-web"));
    }

    @AfterAll
    void close() throws Exception {
        echo.close();
        mesh.close();
    }

    private boolean isRefused(TestPod from) {
        try {
            from.say(server.v4(), "hello");
            return false;
        } catch (IOException e) {
            return true;
        }
    }

    @Test
    @Order(1)
    void openAndNewConnectionsAndVerdictsGoOn() throws Exception {
        try (var held = web.connect(server.v4())) {
            held.roundTrip();
            mesh.killForGood(TestMesh.CONTROLLER);
            held.roundTrip();
            assertVerdicts();
            held.roundTrip();
        }
    }

    @ParameterizedTest
    @Order(2)
    @ValueSource(strings = {"node-2/ztunnel", "node-1/ztunnel"})
    void restartedZtunnelServesAndRefusesFromItsLastGoodState(String ztunnel) throws Exception {
        mesh.killAndAwait(ztunnel);
        assertVerdicts();
    }

    private void assertVerdicts() throws Exception {
        mesh.awaitTunnel(web, server);
        web.say(server.v6(), "hello");
        var skip = mesh.log("node-2/ztunnel").size();
        assertThatThrownBy(() -> batch.say(server.v4(), "hello")).isInstanceOf(IOException.class);
        mesh.awaitAccess("node-2", skip, "sa/batch\"", "direction=\"inbound\"", "error=", "only-web");
        assertThatThrownBy(() -> stranger.say(server.v4(), "hello")).isInstanceOf(IOException.class);
        mesh.awaitAccess("node-2", skip, "src.workload=\"stranger\"", "error=");
        assertThat(reason()).contains("only-web");
    }

    /// Why batch is refused, by its own node.
    private String reason() throws IOException {
        return mesh.admin("node-1", "/culvert/explain?from=shop/batch&to=server:80")
                .path("policy")
                .path("text")
                .asText();
    }
}
