package dev.culvert.istiod.ca;

import java.io.IOException;
import java.io.StringReader;
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
import java.time.Instant;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.openssl.PEMKeyPair;
import org.bouncycastle.openssl.PEMParser;
import org.bouncycastle.openssl.jcajce.JcaPEMKeyConverter;

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
        var own = certificates("ca-cert.pem", certificate).getFirst();
        var signs = new SigningChain(
                key(key),
                own,
                chain.isBlank() ? List.of() : certificates("cert-chain.pem", chain),
                certificates("root-cert.pem", roots));
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
                var anchors =
                        roots.stream().map(root -> new TrustAnchor(root, null)).collect(Collectors.toSet());
                var parameters = new PKIXParameters(anchors);
                parameters.setRevocationEnabled(false);
                parameters.setDate(Date.from(now));
                var whole = CertificateFactory.getInstance("X.509").generateCertPath(path);
                CertPathValidator.getInstance("PKIX").validate(whole, parameters);
            }
        } catch (GeneralSecurityException broken) {
            throw new GeneralSecurityException(
                    "ca-cert.pem with cert-chain.pem does not lead to root-cert.pem: " + broken.getMessage(), broken);
        }
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

    /// Whether a peer that trusts this chain's roots trusts a certificate of the other, or the other way round.
    boolean sharesARootWith(SigningChain other) {
        var mine = Set.copyOf(roots);
        return other.roots.stream().anyMatch(mine::contains);
    }

    private static List<X509Certificate> certificates(String name, String pem) throws GeneralSecurityException {
        var found = new ArrayList<X509Certificate>();
        try (var parser = new PEMParser(new StringReader(pem))) {
            for (var next = parser.readObject(); next != null; next = parser.readObject()) {
                if (!(next instanceof X509CertificateHolder holder) || found.size() == MAX_CERTIFICATES) {
                    throw new GeneralSecurityException(
                            name + " holds something other than up to " + MAX_CERTIFICATES + " certificates");
                }
                found.add(new JcaX509CertificateConverter().getCertificate(holder));
            }
        } catch (IOException broken) {
            throw new GeneralSecurityException(name + " cannot be read as PEM", broken);
        }
        if (found.isEmpty()) {
            throw new GeneralSecurityException(name + " holds no certificate");
        }
        return found;
    }

    private static PrivateKey key(String pem) throws GeneralSecurityException {
        var converter = new JcaPEMKeyConverter();
        try (var parser = new PEMParser(new StringReader(pem))) {
            for (var next = parser.readObject(); next != null; next = parser.readObject()) {
                if (next instanceof PEMKeyPair pair) {
                    return converter.getPrivateKey(pair.getPrivateKeyInfo());
                }
                if (next instanceof PrivateKeyInfo info) {
                    return converter.getPrivateKey(info);
                }
            }
        } catch (IOException broken) {
            throw new GeneralSecurityException("ca-key.pem cannot be read as PEM", broken);
        }
        throw new GeneralSecurityException("ca-key.pem holds no private key that is not encrypted");
    }

    /// Without the key.
    @Override
    public String toString() {
        return Objects.toString(certificate.getSubjectX500Principal()) + " until "
                + certificate.getNotAfter().toInstant() + " under " + roots.size() + " root(s)";
    }
}
