package dev.culvert.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;

/// A mesh that is closed in the middle of its work leaves nothing, and another one starts in its place.
class ClosingTest {
    @TempDir(cleanup = CleanupMode.ON_SUCCESS)
    Path directory;

    @Test
    void nothingIsLeftAndTheNextMeshWorks() throws Exception {
        for (var round = 0; round < 2; round++) {
            var mesh = TestMesh.start(directory, Map.of("namespace.yaml", Yaml.ENROLLED));
            var web = mesh.pod("shop/web");
            var server = mesh.pod("shop/server");
            mesh.enrol();
            try (var echo = server.echo()) {
                mesh.awaitTunnel(web, server);
                try (var open = web.connect(server.v4())) {
                    open.roundTrip();
                    assertThat(Leftovers.find(mesh.state())).isNotEmpty();
                    mesh.close(); // checks that nothing is left
                    assertThat(open.isCut()).isTrue();
                }
                assertThat(echo.accepted()).isPositive();
            }
        }
    }
}
