package dev.culvert.hbone.tls;

import dev.culvert.mesh.model.identity.SpiffeId;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.List;

/// A workload's key, its chain from leaf to last intermediate, and the roots that its peers must lead to.
public record WorkloadCertificate(
        SpiffeId identity, PrivateKey key, List<X509Certificate> chain, List<X509Certificate> roots) {
    public WorkloadCertificate {
        chain = List.copyOf(chain);
        roots = List.copyOf(roots);
        if (chain.isEmpty() || roots.isEmpty()) {
            throw new IllegalArgumentException(
                    "a certificate of " + identity + " without " + (chain.isEmpty() ? "leaf" : "root"));
        }
    }

    public X509Certificate leaf() {
        return chain.getFirst();
    }

    public Instant notBefore() {
        return leaf().getNotBefore().toInstant();
    }

    public Instant notAfter() {
        return leaf().getNotAfter().toInstant();
    }

    public boolean isValidAt(Instant now) {
        return !now.isBefore(notBefore()) && now.isBefore(notAfter());
    }

    @Override
    public String toString() {
        return "WorkloadCertificate[" + identity + ", serial "
                + leaf().getSerialNumber().toString(16) + ", key ***]";
    }
}
