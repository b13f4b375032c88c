package dev.culvert.proxy.ca;

import dev.culvert.hbone.tls.WorkloadCertificate;
import dev.culvert.mesh.model.identity.SpiffeId;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Certificates and keys as PEM text.
final class Pem {
    private static final Base64.Encoder BASE64 = Base64.getMimeEncoder(64, new byte[] {'\n'});

    private static final String AFTER_A_CERTIFICATE = "(?<=-----END CERTIFICATE-----)";
    private static final int MAX_ROOTS = 64;
    private static final Logger LOG = LoggerFactory.getLogger("ca");

    private Pem() {}

    /// Reads an answer of the CA: the leaf, intermediates one an element, and in the last element one or more roots.
    static WorkloadCertificate certificate(SpiffeId identity, PrivateKey key, List<String> elements)
            throws GeneralSecurityException, IOException {
        if (elements.size() < 2) {
            throw new IOException("no root certificate present: " + elements.size() + " elements");
        }
        var leaf = certificates(elements.getFirst());
        if (leaf.size() != 1) {
            throw new IOException("the first element holds " + leaf.size() + " certificates instead of the leaf");
        }
        var chain = new ArrayList<>(leaf);
        for (var element : elements.subList(1, elements.size() - 1)) {
            chain.addAll(certificates(element));
        }
        return new WorkloadCertificate(identity, key, chain, roots(elements.getLast()));
    }

    /// A root that cannot be read is passed over: the others are trusted all the same.
    private static List<X509Certificate> roots(String bundle) {
        var roots = new ArrayList<X509Certificate>();
        for (var one : bundle.strip().split(AFTER_A_CERTIFICATE, MAX_ROOTS)) {
            try {
                roots.addAll(certificates(one));
            } catch (GeneralSecurityException bad) {
                LOG.warn("a root of the CA's answer cannot be read and is not trusted: {}", bad.getMessage());
            }
        }
        return roots;
    }

    static List<X509Certificate> certificates(String pem) throws GeneralSecurityException {
        var bytes = new ByteArrayInputStream(pem.getBytes(StandardCharsets.US_ASCII));
        return CertificateFactory.getInstance("X.509").generateCertificates(bytes).stream()
                .map(X509Certificate.class::cast)
                .toList();
    }

    static String of(X509Certificate certificate) throws GeneralSecurityException {
        return block("CERTIFICATE", certificate.getEncoded());
    }

    static String of(PrivateKey key) {
        return block("PRIVATE KEY", key.getEncoded());
    }

    private static String block(String what, byte[] der) {
        return "-----BEGIN " + what + "-----\n" + BASE64.encodeToString(der) + "\n-----END " + what + "-----\n";
    }

    static PrivateKey privateKey(String pem) throws GeneralSecurityException {
        var body = pem.replaceAll("-----[A-Z ]+-----", "");
        var der = Base64.getMimeDecoder().decode(body);
        return KeyFactory.getInstance("EC").generatePrivate(new PKCS8EncodedKeySpec(der));
    }
}
