package dev.culvert.istiod.ingress;

import dev.culvert.kube.object.TlsSecret;
import java.io.IOException;
import java.io.StringReader;
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
import java.util.ArrayList;
import java.util.List;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.openssl.PEMKeyPair;
import org.bouncycastle.openssl.PEMParser;
import org.bouncycastle.openssl.jcajce.JcaPEMKeyConverter;

/// A certificate with what leads to its root, and its key: what a Secret of type `kubernetes.io/tls` holds, checked.
public record ServerKey(List<X509Certificate> chain, PrivateKey key) {
    private static final int MAX_CERTIFICATES = 10;
    private static final byte[] PROBE = "whether key and certificate are a pair".getBytes(StandardCharsets.US_ASCII);

    public ServerKey {
        chain = List.copyOf(chain);
    }

    /// @throws GeneralSecurityException with what to mend, and nothing of what the Secret holds
    static ServerKey of(TlsSecret secret) throws GeneralSecurityException {
        var chain = chain(secret.certificate());
        var key = key(secret.privateKey());
        if (!isPair(chain.getFirst().getPublicKey(), key)) {
            throw new GeneralSecurityException("tls.key is not the key of the first certificate in tls.crt");
        }
        return new ServerKey(chain, key);
    }

    private static List<X509Certificate> chain(String pem) throws GeneralSecurityException {
        var found = new ArrayList<X509Certificate>();
        try (var parser = new PEMParser(new StringReader(pem))) {
            for (var next = parser.readObject(); next != null; next = parser.readObject()) {
                if (!(next instanceof X509CertificateHolder holder) || found.size() == MAX_CERTIFICATES) {
                    throw new GeneralSecurityException(
                            "tls.crt holds something other than up to " + MAX_CERTIFICATES + " certificates");
                }
                found.add(new JcaX509CertificateConverter().getCertificate(holder));
            }
        } catch (IOException | IllegalArgumentException broken) {
            throw new GeneralSecurityException("tls.crt cannot be read as PEM", broken);
        }
        if (found.isEmpty()) {
            throw new GeneralSecurityException("tls.crt holds no certificate");
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
        } catch (IOException | IllegalArgumentException broken) {
            throw new GeneralSecurityException("tls.key cannot be read as PEM", broken);
        }
        throw new GeneralSecurityException("tls.key holds no private key that is not encrypted");
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
