package dev.culvert.hbone.tls;

import dev.culvert.mesh.model.identity.SpiffeId;
import java.math.BigInteger;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.cert.X509CRL;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.CRLReason;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.cert.jcajce.JcaX509CRLConverter;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509v2CRLBuilder;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

/// A certificate authority with real keys: signs workloads, other authorities, and revocation lists.
final class Authority {
    private static final AtomicLong SERIAL = new AtomicLong(1000);

    private final KeyPair key;
    private final X500Name name;
    final X509Certificate certificate;

    private Authority(X500Name name, KeyPair key, X509Certificate certificate) {
        this.name = name;
        this.key = key;
        this.certificate = certificate;
    }

    static Authority root(String name) throws Exception {
        var key = newKey();
        var x500 = new X500Name(name);
        return new Authority(x500, key, signed(x500, key, x500, key, List.of()));
    }

    Authority intermediate(String name) throws Exception {
        var own = newKey();
        var x500 = new X500Name(name);
        return new Authority(x500, own, signed(x500, own, this.name, key, List.of()));
    }

    /// @param more names in the same certificate
    WorkloadCertificate workload(SpiffeId identity, List<X509Certificate> above, X509Certificate root, SpiffeId... more)
            throws Exception {
        var own = newKey();
        var names = new ArrayList<>(List.of(identity));
        names.addAll(List.of(more));
        var leaf = signed(new X500Name(""), own, name, key, names);
        var chain = new ArrayList<>(List.of(leaf));
        chain.addAll(above);
        return new WorkloadCertificate(identity, own.getPrivate(), chain, List.of(root));
    }

    X509CRL revoking(X509Certificate... revoked) throws Exception {
        var now = Instant.now();
        var builder = new JcaX509v2CRLBuilder(certificate.getSubjectX500Principal(), Date.from(now));
        builder.setNextUpdate(Date.from(now.plus(Duration.ofHours(1))));
        for (var one : revoked) {
            builder.addCRLEntry(one.getSerialNumber(), Date.from(now), CRLReason.keyCompromise);
        }
        return new JcaX509CRLConverter()
                .getCRL(builder.build(new JcaContentSignerBuilder("SHA256withECDSA").build(key.getPrivate())));
    }

    private static KeyPair newKey() throws Exception {
        var generator = KeyPairGenerator.getInstance("EC");
        generator.initialize(new ECGenParameterSpec("secp256r1"));
        return generator.generateKeyPair();
    }

    private static X509Certificate signed(
            X500Name subject, KeyPair key, X500Name issuer, KeyPair issuerKey, List<SpiffeId> identities)
            throws Exception {
        var now = Instant.now();
        var builder = new JcaX509v3CertificateBuilder(
                issuer,
                BigInteger.valueOf(SERIAL.incrementAndGet()),
                Date.from(now.minus(Duration.ofMinutes(1))),
                Date.from(now.plus(Duration.ofHours(1))),
                subject,
                key.getPublic());
        if (identities.isEmpty()) {
            builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(true));
        } else {
            var uris = identities.stream()
                    .map(identity -> new GeneralName(GeneralName.uniformResourceIdentifier, identity.toString()))
                    .toArray(GeneralName[]::new);
            builder.addExtension(Extension.subjectAlternativeName, true, new GeneralNames(uris));
        }
        var signer = new JcaContentSignerBuilder("SHA256withECDSA").build(issuerKey.getPrivate());
        return new JcaX509CertificateConverter().getCertificate(builder.build(signer));
    }
}
