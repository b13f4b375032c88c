package dev.culvert.istiod.ingress;

import dev.culvert.istiod.ca.PemText;
import dev.culvert.kube.object.TlsSecret;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.cert.X509Certificate;
import java.security.interfaces.ECPrivateKey;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.RSAPrivateKey;
import java.security.interfaces.RSAPublicKey;
import java.util.List;

/// A certificate with what leads to its root, and its key: what a Secret holds, checked.
public record ServerKey(List<X509Certificate> chain, PrivateKey key) {
    private static final int MAX_CERTIFICATES = 10;
    private static final byte[] PROBE = "whether key and certificate are a pair".getBytes(StandardCharsets.US_ASCII);

    public ServerKey {
        chain = List.copyOf(chain);
    }

    /// @throws GeneralSecurityException with what to mend, and nothing of what the Secret holds
    static ServerKey of(TlsSecret secret) throws GeneralSecurityException {
        if (secret.certificate().isEmpty() || secret.privateKey().isEmpty()) {
            throw new GeneralSecurityException("it has no certificate and key: write tls.crt and tls.key");
        }
        var chain = PemText.certificates("tls.crt", secret.certificate(), MAX_CERTIFICATES);
        var key = PemText.key("tls.key", secret.privateKey());
        if (!isPair(chain.getFirst().getPublicKey(), key)) {
            throw new GeneralSecurityException("tls.key is not the key of the first certificate in tls.crt");
        }
        return new ServerKey(chain, key);
    }

    /// This runs at each change of the mesh: of RSA the numbers are compared, since a signature takes a millisecond.
    private static boolean isPair(PublicKey open, PrivateKey key) throws GeneralSecurityException {
        return switch (key) {
            case RSAPrivateKey rsa ->
                open instanceof RSAPublicKey other && rsa.getModulus().equals(other.getModulus());
            case ECPrivateKey ec -> open instanceof ECPublicKey other && signs(ec, other);
            default ->
                throw new GeneralSecurityException("tls.key is of type " + key.getAlgorithm() + ": write RSA or ECDSA");
        };
    }

    private static boolean signs(ECPrivateKey key, ECPublicKey open) throws GeneralSecurityException {
        var sign = Signature.getInstance("SHA256withECDSA");
        sign.initSign(key);
        sign.update(PROBE);
        var verify = Signature.getInstance("SHA256withECDSA");
        verify.initVerify(open);
        verify.update(PROBE);
        return verify.verify(sign.sign());
    }

    /// Without the key.
    @Override
    public String toString() {
        return chain.getFirst().getSubjectX500Principal() + " [***]";
    }
}
