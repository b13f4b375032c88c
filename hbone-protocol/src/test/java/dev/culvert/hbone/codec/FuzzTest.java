package dev.culvert.hbone.codec;

import dev.culvert.mesh.model.fuzz.Sweep;
import org.junit.jupiter.api.Test;

/// A little fuzzing of HTTP/2.
class FuzzTest {
    @Test
    void frames() throws Exception {
        Sweep.over("FramesFuzz", FramesFuzz.samples(), FramesFuzz::fuzzerTestOneInput);
    }

    @Test
    void headerBlocks() throws Exception {
        Sweep.over("HpackFuzz", HpackFuzz.samples(), HpackFuzz::fuzzerTestOneInput);
    }
}
