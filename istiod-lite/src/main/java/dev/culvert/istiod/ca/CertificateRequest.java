package dev.culvert.istiod.ca;

import java.io.IOException;
import java.io.StringReader;
import java.io.StringWriter;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.PublicKey;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.RSAPublicKey;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.ExtensionsGenerator;
import org.bouncycastle.openssl.PEMParser;
import org.bouncycastle.openssl.jcajce.JcaPEMWriter;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.operator.jcajce.JcaContentVerifierProviderBuilder;
import org.bouncycastle.pkcs.PKCS10CertificationRequest;
import org.bouncycastle.pkcs.PKCSException;
import org.bouncycastle.pkcs.jcajce.JcaPKCS10CertificationRequest;
import org.bouncycastle.pkcs.jcajce.JcaPKCS10CertificationRequestBuilder;

/// A key that its holder has proved to have (PKCS #10, RFC 2986), and the names that he asks for.
///
/// @param pem the request itself
public record CertificateRequest(PublicKey key, CertificateNames asked, String pem) {
    private static final int MAX_CHARS = 16384;

    /// @throws GeneralSecurityException if it cannot be read, is too long, not signed with its own key, or the key is
    // too weak
    static CertificateRequest parse(String text) throws GeneralSecurityException {
        if (text.length() > MAX_CHARS) {
            throw new GeneralSecurityException("the request is too long");
        }
        try (var pem = new PEMParser(new StringReader(text))) {
            if (!(pem.readObject() instanceof PKCS10CertificationRequest parsed)) {
                throw new GeneralSecurityException("not a PEM certificate request");
            }
            var key = new JcaPKCS10CertificationRequest(parsed).getPublicKey();
            if (!parsed.isSignatureValid(new JcaContentVerifierProviderBuilder().build(key))) {
                throw new GeneralSecurityException("the request is not signed with its own key");
            }
            requireStrong(key);
            return new CertificateRequest(key, CertificateNames.in(parsed.getRequestedExtensions()), pem(parsed));
        } catch (IOException | OperatorCreationException | PKCSException | IllegalArgumentException bad) {
            throw new GeneralSecurityException("the request cannot be checked: " + bad.getMessage(), bad);
        }
    }

    /// A request for a key of our own.
    static CertificateRequest of(KeyPair pair, CertificateNames names) throws IOException, GeneralSecurityException {
        var extensions = new ExtensionsGenerator();
        extensions.addExtension(Extension.subjectAlternativeName, true, names.asn1());
        var builder = new JcaPKCS10CertificationRequestBuilder(new X500Name(""), pair.getPublic());
        builder.addAttribute(PKCSObjectIdentifiers.pkcs_9_at_extensionRequest, extensions.generate());
        try {
            var signer = new JcaContentSignerBuilder("SHA256withECDSA").build(pair.getPrivate());
            return new CertificateRequest(pair.getPublic(), names, pem(builder.build(signer)));
        } catch (OperatorCreationException impossible) {
            throw new GeneralSecurityException(impossible);
        }
    }

    private static String pem(PKCS10CertificationRequest request) throws IOException {
        var text = new StringWriter();
        try (var writer = new JcaPEMWriter(text)) {
            writer.writeObject(request);
        }
        return text.toString();
    }

    private static void requireStrong(PublicKey key) throws GeneralSecurityException {
        var bits =
                switch (key) {
                    case ECPublicKey curve ->
                        curve.getParams().getCurve().getField().getFieldSize();
                    case RSAPublicKey rsa -> rsa.getModulus().bitLength() / 8;
                    default -> 0;
                };
        if (bits < 256) {
            throw new GeneralSecurityException("the key is too weak: EC from 256 and RSA from 2048 bits are taken");
        }
    }
}
