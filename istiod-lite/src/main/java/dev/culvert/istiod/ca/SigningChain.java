package dev.culvert.istiod.ca;

import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.Signature;
import java.security.cert.CertPathValidator;
import java.security.cert.CertificateFactory;
import java.security.cert.PKIXParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Date;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.security.auth.x500.X500Principal;

/// What signs certificates, and why others believe it.
///
/// @param certificate of `key`
/// @param path from `certificate` (included, unless it is a root itself) to below the roots: what a leaf is shown with
/// @param roots what others trust; several while a root is replaced
public record SigningChain(
        PrivateKey key, X509Certificate certificate, List<X509Certificate> path, List<X509Certificate> roots) {
    private static final int MAX_CERTIFICATES = 20;

    public SigningChain {
        path = List.copyOf(path);
        roots = List.copyOf(roots);
    }

    static SigningChain selfSigned(PrivateKey key, X509Certificate root) {
        return new SigningChain(key, root, List.of(), List.of(root));
    }

    /// What Istio keeps in the Secret `istio-ca-secret` and in the four files of `cacerts`.
    ///
    /// @param certificate PEM, `ca-cert.pem`
    /// @param key PEM, `ca-key.pem`
    /// @param chain PEM, `cert-chain.pem`; empty if the certificate is a root
    /// @param roots PEM, `root-cert.pem`
    /// @param now to which the certificates must be valid
    /// @throws GeneralSecurityException naming the part that is wrong, without its content
    public static SigningChain parse(String certificate, String key, String chain, String roots, Instant now)
            throws GeneralSecurityException {
        var own = PemText.certificates("ca-cert.pem", certificate, MAX_CERTIFICATES)
                .getFirst();
        var signs = new SigningChain(
                PemText.key("ca-key.pem", key),
                own,
                chain.isBlank() ? List.of() : PemText.certificates("cert-chain.pem", chain, MAX_CERTIFICATES),
                PemText.certificates("root-cert.pem", roots, MAX_CERTIFICATES));
        return signs.checked(now);
    }

    private SigningChain checked(Instant now) throws GeneralSecurityException {
        if (certificate.getBasicConstraints() < 0) {
            throw new GeneralSecurityException(
                    "ca-cert.pem is not the certificate of an authority (CA:TRUE is missing)");
        }
        if (!isKeyOf(certificate.getPublicKey())) {
            throw new GeneralSecurityException("ca-key.pem is not the key of ca-cert.pem");
        }
        var between = new ArrayList<X509Certificate>();
        if (!roots.contains(certificate)) {
            between.add(certificate);
        }
        path.stream()
                .filter(link -> !link.equals(certificate) && !roots.contains(link))
                .forEach(between::add);
        var checked = new SigningChain(key, certificate, between, roots);
        checked.requirePath(now);
        return checked;
    }

    private void requirePath(Instant now) throws GeneralSecurityException {
        try {
            certificate.checkValidity(Date.from(now));
            if (!path.isEmpty()) {
                requireLead(path, roots, now);
            }
        } catch (GeneralSecurityException broken) {
            throw new GeneralSecurityException(
                    "ca-cert.pem with cert-chain.pem does not lead to root-cert.pem: " + broken.getMessage(), broken);
        }
    }

    /// @throws GeneralSecurityException if these certificates do not lead to one of the roots
    static void requireLead(List<X509Certificate> path, List<X509Certificate> roots, Instant now)
            throws GeneralSecurityException {
        var anchors = roots.stream().map(root -> new TrustAnchor(root, null)).collect(Collectors.toSet());
        var parameters = new PKIXParameters(anchors);
        parameters.setRevocationEnabled(false);
        parameters.setDate(Date.from(now));
        var whole = CertificateFactory.getInstance("X.509").generateCertPath(path);
        CertPathValidator.getInstance("PKIX").validate(whole, parameters);
    }

    private boolean isKeyOf(PublicKey other) throws GeneralSecurityException {
        if (!key.getAlgorithm().equals(other.getAlgorithm())) {
            return false;
        }
        var probe = new byte[32];
        new SecureRandom().nextBytes(probe);
        var sign = Signature.getInstance(algorithm());
        sign.initSign(key);
        sign.update(probe);
        var verify = Signature.getInstance(algorithm());
        verify.initVerify(other);
        verify.update(probe);
        return verify.verify(sign.sign());
    }

    /// The signature algorithm of the key.
    String algorithm() throws GeneralSecurityException {
        return switch (key.getAlgorithm()) {
            case "EC" -> "SHA256withECDSA";
            case "RSA" -> "SHA256withRSA";
            default -> throw new GeneralSecurityException("a key of type " + key.getAlgorithm() + " cannot sign here");
        };
    }

    /// Whether a peer that trusts this chain's roots trusts a certificate of the other, or the other way round. Two
    /// roots of one name and key are one: each verifies what the other signed.
    boolean sharesARootWith(SigningChain other) {
        return shareARoot(roots, other.roots);
    }

    /// Whether one of the first is one of the second.
    static boolean shareARoot(List<X509Certificate> some, List<X509Certificate> others) {
        var these = some.stream().map(Root::of).collect(Collectors.toSet());
        return others.stream().map(Root::of).anyMatch(these::contains);
    }

    private record Root(X500Principal name, PublicKey key) {
        static Root of(X509Certificate certificate) {
            return new Root(certificate.getSubjectX500Principal(), certificate.getPublicKey());
        }
    }

    /// When the first of its certificates ends.
    public Instant until() {
        return Stream.concat(Stream.of(certificate), Stream.concat(path.stream(), roots.stream()))
                .map(one -> one.getNotAfter().toInstant())
                .min(Comparator.naturalOrder())
                .orElseThrow();
    }

    /// Whether it is a root of our own making that is in the last fifth of its life.
    boolean isDue(Instant now) {
        var from = certificate.getNotBefore().toInstant();
        var until = certificate.getNotAfter().toInstant();
        var lastFifth = until.minus(Duration.between(from, until).dividedBy(5));
        return path.isEmpty() && roots.equals(List.of(certificate)) && !now.isBefore(lastFifth);
    }

    /// Without the key.
    @Override
    public String toString() {
        return Objects.toString(certificate.getSubjectX500Principal()) + " until "
                + certificate.getNotAfter().toInstant() + " under " + roots.size() + " root(s)";
    }
}
