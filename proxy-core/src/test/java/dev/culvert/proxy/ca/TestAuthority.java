package dev.culvert.proxy.ca;

import dev.culvert.hbone.tls.WorkloadCertificate;
import dev.culvert.mesh.model.identity.SpiffeId;
import java.io.IOException;
import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.CRLReason;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509v2CRLBuilder;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.jspecify.annotations.Nullable;

/// A certificate authority in the same process: real keys and real chains, without the network.
public final class TestAuthority implements CertificateSource {
    private final KeyPair rootKey;
    private final X509Certificate root;
    private final Map<SpiffeId, List<X509Certificate>> issued = new ConcurrentHashMap<>();

    public TestAuthority() throws IOException {
        try {
            rootKey = newKey();
            var name = new X500Name("CN=test root");
            root = sign(new Subject(name, rootKey, null), name, rootKey);
        } catch (GeneralSecurityException | OperatorCreationException e) {
            throw new IOException(e);
        }
    }

    private record Subject(
            X500Name name, KeyPair key, @Nullable GeneralName alternative) {}

    private static KeyPair newKey() throws GeneralSecurityException {
        var generator = KeyPairGenerator.getInstance("EC");
        generator.initialize(new ECGenParameterSpec("secp256r1"));
        return generator.generateKeyPair();
    }

    private static X509Certificate sign(Subject subject, X500Name issuer, KeyPair issuerKey)
            throws GeneralSecurityException, OperatorCreationException, IOException {
        var now = Instant.now();
        var builder = new JcaX509v3CertificateBuilder(
                issuer,
                new BigInteger(64, new SecureRandom()),
                Date.from(now.minus(Duration.ofMinutes(1))),
                Date.from(now.plus(Duration.ofHours(1))),
                subject.name,
                subject.key.getPublic());
        if (subject.alternative == null) {
            builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(true));
        } else {
            builder.addExtension(Extension.subjectAlternativeName, true, new GeneralNames(subject.alternative));
        }
        var holder = builder.build(new JcaContentSignerBuilder("SHA256withECDSA").build(issuerKey.getPrivate()));
        return new JcaX509CertificateConverter().getCertificate(holder);
    }

    /// A list, in DER, that revokes all certificates of an identity.
    public byte[] revoking(SpiffeId identity) throws IOException {
        var now = Date.from(Instant.now());
        try {
            var list = new JcaX509v2CRLBuilder(root.getSubjectX500Principal(), now);
            for (var leaf : issued.getOrDefault(identity, List.of())) {
                list.addCRLEntry(leaf.getSerialNumber(), now, CRLReason.keyCompromise);
            }
            return list.build(new JcaContentSignerBuilder("SHA256withECDSA").build(rootKey.getPrivate()))
                    .getEncoded();
        } catch (OperatorCreationException e) {
            throw new IOException(e);
        }
    }

    @Override
    public WorkloadCertificate fetch(SpiffeId identity) throws IOException {
        try {
            var key = newKey();
            var leaf = leaf(key, new GeneralName(GeneralName.uniformResourceIdentifier, identity.toString()));
            issued.computeIfAbsent(identity, _ -> new CopyOnWriteArrayList<>()).add(leaf);
            return new WorkloadCertificate(identity, key.getPrivate(), List.of(leaf), List.of(root));
        } catch (GeneralSecurityException | OperatorCreationException e) {
            throw new IOException(e);
        }
    }

    /// A TLS server's key and certificate, and the root that clients need.
    public record Server(PrivateKey key, X509Certificate certificate, X509Certificate root) {}

    /// @param ip that clients dial
    public Server server(String ip) throws IOException {
        try {
            var key = newKey();
            return new Server(key.getPrivate(), leaf(key, new GeneralName(GeneralName.iPAddress, ip)), root);
        } catch (GeneralSecurityException | OperatorCreationException e) {
            throw new IOException(e);
        }
    }

    private X509Certificate leaf(KeyPair key, GeneralName name)
            throws GeneralSecurityException, OperatorCreationException, IOException {
        return sign(new Subject(new X500Name(""), key, name), new X500Name("CN=test root"), rootKey);
    }
}
