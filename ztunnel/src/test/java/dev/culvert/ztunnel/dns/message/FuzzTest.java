package dev.culvert.ztunnel.dns.message;

import dev.culvert.mesh.model.fuzz.Sweep;
import org.junit.jupiter.api.Test;

/// A little fuzzing of DNS messages.
class FuzzTest {
    @Test
    void messages() throws Exception {
        Sweep.over("DnsFuzz", DnsFuzz.samples(), DnsFuzz::fuzzerTestOneInput);
    }
}
