package dev.culvert.proxy.ca;

import dev.culvert.hbone.tls.WorkloadCertificate;
import dev.culvert.mesh.model.identity.SpiffeId;
import java.io.IOException;

/// Who signs. Calls block.
public interface CertificateSource {
    /// @throws IOException with the reason; the caller tries again later
    WorkloadCertificate fetch(SpiffeId identity) throws IOException;
}
