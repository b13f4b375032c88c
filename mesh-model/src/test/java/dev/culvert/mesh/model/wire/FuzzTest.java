package dev.culvert.mesh.model.wire;

import dev.culvert.mesh.model.fuzz.Sweep;
import org.junit.jupiter.api.Test;

/// A little fuzzing of what the control plane sends.
class FuzzTest {
    @Test
    void addresses() throws Exception {
        Sweep.over("AddressFuzz", AddressFuzz.samples(), AddressFuzz::fuzzerTestOneInput);
    }

    @Test
    void policies() throws Exception {
        Sweep.over("PolicyFuzz", PolicyFuzz.samples(), PolicyFuzz::fuzzerTestOneInput);
    }
}
