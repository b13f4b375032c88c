package dev.culvert.testkit;

import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// One reader stops until its sender can write no more; its neighbours in the same tunnel do not notice,
/// little is held, and later it gets every byte.
@MeshTest(families = {Family.V4, Family.V6, Family.DUAL})
class StoppedReaderTest {
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();

    @AfterEach
    void stop() {
        threads.close();
    }

    @Test
    void stoppedUploadWaitsAndNeighboursGoOn(Mesh mesh) throws Exception {
        var rig = StoppedRig.of(mesh);
        var held = rig.open();
        stopAndResume(mesh, rig, StoppedFlow.begin(held.client(), held.application(), threads));
    }

    @Test
    void stoppedDownloadWaitsAndNeighboursGoOn(Mesh mesh) throws Exception {
        var rig = StoppedRig.of(mesh);
        var held = rig.open();
        stopAndResume(mesh, rig, StoppedFlow.begin(held.application(), held.client(), threads));
    }

    private void stopAndResume(Mesh mesh, StoppedRig rig, StoppedFlow flow) throws Exception {
        flow.awaitBlocked();
        rig.neighboursGoOn(threads);
        flow.assertStillBlocked(mesh.kind());
        flow.resume();
    }
}
