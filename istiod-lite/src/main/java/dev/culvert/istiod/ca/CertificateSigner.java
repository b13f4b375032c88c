package dev.culvert.istiod.ca;

import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.List;

/// Signs the certificates of a mesh: with a key of our own, or by somebody else who has it. Thread-safe.
public sealed interface CertificateSigner permits CertificateAuthority, FolderSigner {
    /// Signs a key for these names and no others. May take as long as a human would wait.
    ///
    /// @param names whose the key is; what the request says of it counts only where somebody else reads it
    /// @param life that is wished for; less may be given
    /// @throws IOException if nobody answered: the same may be asked again
    /// @throws GeneralSecurityException if it was refused, or if what came is not what was asked for
    Issued sign(CertificateRequest request, CertificateNames names, Duration life)
            throws IOException, GeneralSecurityException;

    /// Whom others have to trust now; never empty.
    List<X509Certificate> trusted();

    /// When the first of the certificates that lead to ours, or that others have to trust, ends.
    Instant until();

    /// Those that are [#trusted], as PEM.
    default String roots() {
        try {
            return CertificateAuthority.pem(trusted());
        } catch (GeneralSecurityException impossible) {
            throw new IllegalStateException(impossible); // they were read from this form
        }
    }

    /// A certificate and what it is shown with.
    ///
    /// @param certificates the leaf first, then what leads to the roots
    /// @param roots as they were when it was signed
    record Issued(List<X509Certificate> certificates, List<X509Certificate> roots) {}
}
