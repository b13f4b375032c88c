package dev.culvert.testkit;

import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// A reader that stops for longer than any keepalive or timeout of ours is only slow, not dead: simulated
/// time in one JVM, real time in namespaces.
@MeshTest
class LongStopTest {
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();

    @AfterEach
    void stop() {
        threads.close();
    }

    @Test
    void halfAMinuteInBothDirectionsLosesNothing(Mesh mesh) throws Exception {
        var rig = StoppedRig.of(mesh);
        var up = rig.open();
        var down = rig.open();
        var upload = StoppedFlow.begin(up.client(), up.application(), threads).awaitBlocked();
        var download =
                StoppedFlow.begin(down.application(), down.client(), threads).awaitBlocked();

        mesh.advance(Duration.ofSeconds(32));
        rig.neighboursGoOn(threads);
        upload.assertStillBlocked(mesh.kind());
        download.assertStillBlocked(mesh.kind());
        upload.resume();
        download.resume();
    }
}
