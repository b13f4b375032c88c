package dev.culvert.hbone.tls;

import dev.culvert.mesh.model.fuzz.Sweep;
import org.junit.jupiter.api.Test;

/// A little fuzzing of what peers show.
class FuzzTest {
    @Test
    void certificates() throws Exception {
        Sweep.over("CertificatesFuzz", CertificatesFuzz.samples(), CertificatesFuzz::fuzzerTestOneInput);
    }
}
