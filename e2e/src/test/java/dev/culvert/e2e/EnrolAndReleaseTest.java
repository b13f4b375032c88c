package dev.culvert.e2e;

import dev.culvert.e2e.TestPod.Family;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Pods enter and leave the mesh while they talk.
class EnrolAndReleaseTest extends WebAndServer {
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
}
