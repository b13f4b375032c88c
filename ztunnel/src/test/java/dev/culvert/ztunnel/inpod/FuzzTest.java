package dev.culvert.ztunnel.inpod;

import dev.culvert.mesh.model.fuzz.Sweep;
import org.junit.jupiter.api.Test;

/// A little fuzzing of the node agent's messages.
class FuzzTest {
    @Test
    void zds() throws Exception {
        Sweep.over("ZdsFuzz", ZdsFuzz.samples(), ZdsFuzz::fuzzerTestOneInput);
    }
}
