package dev.culvert.istiod.ca;

import java.io.IOException;
import java.io.StringReader;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.openssl.PEMKeyPair;
import org.bouncycastle.openssl.PEMParser;
import org.bouncycastle.openssl.jcajce.JcaPEMKeyConverter;

/// Reads what people keep in Secrets as PEM. What is wrong is said by the entry's name, with nothing of what is in it.
public final class PemText {
    private PemText() {}

    /// @param name of the entry, for errors
    /// @param most certificates that it may hold
    /// @return at least one
    public static List<X509Certificate> certificates(String name, String pem, int most)
            throws GeneralSecurityException {
        var found = new ArrayList<X509Certificate>();
        try (var parser = new PEMParser(new StringReader(pem))) {
            for (var next = parser.readObject(); next != null; next = parser.readObject()) {
                if (!(next instanceof X509CertificateHolder holder) || found.size() == most) {
                    throw new GeneralSecurityException(
                            name + " holds something other than up to " + most + " certificates");
                }
                found.add(new JcaX509CertificateConverter().getCertificate(holder));
            }
        } catch (IOException | IllegalArgumentException broken) {
            throw new GeneralSecurityException(name + " cannot be read as PEM", broken);
        }
        if (found.isEmpty()) {
            throw new GeneralSecurityException(name + " holds no certificate");
        }
        return found;
    }

    /// The first private key; others, and what is no key, are passed over.
    /// @param name of the entry, for errors
    public static PrivateKey key(String name, String pem) throws GeneralSecurityException {
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
            throw new GeneralSecurityException(name + " cannot be read as PEM", broken);
        }
        throw new GeneralSecurityException(name + " holds no private key that is not encrypted");
    }
}
