package dev.culvert.hbone.headers;

import dev.culvert.mesh.model.fuzz.Sweep;
import org.junit.jupiter.api.Test;

/// A little fuzzing of the headers of a CONNECT.
class FuzzTest {
    @Test
    void headers() throws Exception {
        Sweep.over("HeadersFuzz", HeadersFuzz.samples(), HeadersFuzz::fuzzerTestOneInput);
    }
}
