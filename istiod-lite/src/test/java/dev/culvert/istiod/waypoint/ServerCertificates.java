package dev.culvert.istiod.waypoint;

import java.io.StringWriter;
import java.math.BigInteger;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.openssl.jcajce.JcaPEMWriter;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.util.io.pem.PemObject;

/// Secrets of type `kubernetes.io/tls`, as YAML. RSA keys are in the older form that tools still write
/// (PKCS #1).
public final class ServerCertificates {
    private ServerCertificates() {}

    public static KeyPair key(String algorithm, int size) throws Exception {
        var generator = KeyPairGenerator.getInstance(algorithm);
        generator.initialize(size);
        return generator.generateKeyPair();
    }

    /// @param shown whose certificate it is
    /// @param key that is put beside it
    public static String secret(String namespace, String name, KeyPair shown, KeyPair key) throws Exception {
        var now = Instant.now();
        var subject = new X500Name("CN=" + name);
        var rsa = shown.getPrivate().getAlgorithm().equals("RSA");
        var certificate = new JcaX509v3CertificateBuilder(
                        subject,
                        new BigInteger(64, new SecureRandom()),
                        Date.from(now.minus(Duration.ofMinutes(1))),
                        Date.from(now.plus(Duration.ofHours(1))),
                        subject,
                        shown.getPublic())
                .build(new JcaContentSignerBuilder(rsa ? "SHA256withRSA" : "SHA256withECDSA")
                        .build(shown.getPrivate()));
        return """
                ---
                apiVersion: v1
                kind: Secret
                type: kubernetes.io/tls
                metadata: {name: %s, namespace: %s}
                stringData:
                  tls.crt: |
                %s
                  tls.key: |
                %s
                """.formatted(name, namespace, pem(certificate), pem(written(key.getPrivate())));
    }

    private static Object written(PrivateKey key) {
        return key.getAlgorithm().equals("RSA") ? key : new PemObject("PRIVATE KEY", key.getEncoded());
    }

    private static String pem(Object object) throws Exception {
        var text = new StringWriter();
        try (var writer = new JcaPEMWriter(text)) {
            writer.writeObject(object);
        }
        return text.toString().strip().indent(4).stripTrailing();
    }
}
