package dev.culvert.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.culvert.e2e.TestPod.Family;
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
import org.junit.jupiter.params.provider.EnumSource;

/// What policies refuse, cut and leave alone, and what is said about it.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class PolicyTest {
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
        mesh = TestMesh.start(directory, Map.of("namespace.yaml", Yaml.NOT_ENROLLED));
        web = mesh.pod("shop/web");
        batch = mesh.pod("shop/batch");
        stranger = mesh.pod("outside/stranger");
        server = mesh.pod("shop/server");
        echo = server.echo();
    }

    @AfterAll
    void close() throws Exception {
        echo.close();
        mesh.close();
    }

    private void awaitRefused(TestPod from, Family family) {
        Await.until(from.key() + " is refused on " + family, () -> {
            try {
                from.say(server.address(family), "hello");
                return false;
            } catch (IOException e) {
                return true;
            }
        });
    }

    private int logged(String node) throws IOException {
        return mesh.log(node + "/ztunnel").size();
    }

    @Test
    @Order(1)
    void connectionFromBeforeEnrolmentGoesOnIsListedAndIsCutByStrict() throws Exception {
        try (var early = web.connect(server.v4());
                var early6 = web.connect(server.v6());
                var other = batch.connect(server.v4())) {
            early.roundTrip();
            early6.roundTrip();
            other.roundTrip();
            mesh.enrol();
            mesh.awaitTunnel(web, server);
            early.roundTrip();
            early6.roundTrip();
            Await.until("all are listed as holes", () -> isHole(early) && isHole(early6) && isHole(other));
            assertThat(mesh.adminPost("node-1", "/culvert/holes/cut?pod=shop/batch"))
                    .hasSize(1);
            Await.until("what was asked to end has ended", other::isCut);
            early.roundTrip();
            early6.roundTrip();
            stranger.say(server.v4(), "permissive");

            mesh.write("strict.yaml", Yaml.STRICT);
            Await.until("STRICT cuts the plaintext connection", early::isCut);
            Await.until("STRICT cuts it on IPv6 too", early6::isCut);
            Await.until("they are listed no longer", () -> !isHole(early) && !isHole(early6));
        }
    }

    private boolean isHole(Conversation conversation) throws IOException {
        for (var hole : mesh.admin("node-1", "/culvert/holes")) {
            if (hole.path("local").asText().endsWith(":" + conversation.localPort())
                    && hole.path("direction").asText().equals("outbound")) {
                return true;
            }
        }
        return false;
    }

    @ParameterizedTest
    @Order(2)
    @EnumSource(Family.class)
    void strictRefusesAPlaintextCallerAndItsNodesLogSaysWhy(Family family) throws Exception {
        mesh.write("strict.yaml", Yaml.STRICT);
        awaitRefused(stranger, family);
        var skip = logged("node-2");
        awaitRefused(stranger, family);
        mesh.awaitAccess("node-2", skip, "src.workload=\"stranger\"", "error=", "strict");
        web.say(server.address(family), "the mesh's own go on");
    }

    @ParameterizedTest
    @Order(3)
    @EnumSource(Family.class)
    void allowOfOneServiceAccountCutsAndRefusesTheOtherOnly(Family family) throws Exception {
        mesh.delete("only-web.yaml");
        Await.until("batch is allowed", () -> {
            batch.say(server.address(family), "hello");
            return true;
        });
        try (var held = web.connect(server.address(family));
                var doomed = batch.connect(server.address(family))) {
            held.roundTrip();
            doomed.roundTrip();
            var skip = logged("node-2");
            mesh.write("only-web.yaml", Yaml.ONLY_WEB);
            Await.until("batch's open connection is cut", doomed::isCut);
            awaitRefused(batch, family);
            mesh.awaitAccess("node-2", skip, "ns/shop/sa/batch\"", "direction=\"inbound\"", "error=", "only-web");
            held.roundTrip();
            web.say(server.address(family), "hello");
        }
    }

    @Test
    @Order(4)
    void explainNamesThePolicyAndAllowsWhomItAllows() throws Exception {
        mesh.write("only-web.yaml", Yaml.ONLY_WEB);
        Await.until("the client's node knows it", () -> {
            var refused = explained("shop/batch").path("policy");
            return !refused.path("allowed").asBoolean(true)
                    && refused.path("text").asText().contains("only-web");
        });
        var allowed = explained("shop/web").path("policy");
        assertThat(allowed.path("allowed").asBoolean(false)).isTrue();
        assertThat(allowed.path("policy").asText()).contains("only-web");
    }

    private JsonNode explained(String from) throws IOException {
        return mesh.admin("node-1", "/culvert/explain?from=" + from + "&to=server:80");
    }
}
