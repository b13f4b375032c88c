package dev.culvert.istiod.ca;

import dev.culvert.mesh.model.identity.SpiffeId;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.math.BigInteger;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Date;
import java.util.List;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

/// The self-signed authority of a mesh; key and root are made once and kept in the state folder. Thread-safe.
public final class CertificateAuthority {
    private static final Duration ROOT_LIFE = Duration.ofDays(3650);
    private static final Duration BACKDATED = Duration.ofMinutes(2);
    private static final X500Name NAME = new X500Name("O=cluster.local");
    private static final KeyPurposeId[] BOTH = {KeyPurposeId.id_kp_serverAuth, KeyPurposeId.id_kp_clientAuth};

    private final Clock clock;
    private final KeyPair key;
    private final X509Certificate root;

    private CertificateAuthority(Clock clock, KeyPair key, X509Certificate root) {
        this.clock = clock;
        this.key = key;
        this.root = root;
    }

    /// Opens the authority in `directory` (0700), or makes it.
    public static CertificateAuthority open(Path directory, Clock clock) throws IOException, GeneralSecurityException {
        Files.createDirectories(directory);
        var key = SigningKey.loadOrCreate(directory.resolve("ca-key.pem"));
        var file = directory.resolve("root-cert.pem");
        if (!Files.exists(file)) {
            SigningKey.writeOpen(file, pem(selfSigned(clock, key)));
        }
        var text = Files.readString(file);
        var root = (X509Certificate) CertificateFactory.getInstance("X.509")
                .generateCertificate(new ByteArrayInputStream(text.getBytes(StandardCharsets.US_ASCII)));
        if (!root.getPublicKey().equals(key.getPublic())) {
            throw new IOException(file + " is not the certificate of ca-key.pem beside it; restore the pair, or remove"
                    + " both to start a new authority (all proxies then need new certificates)");
        }
        return new CertificateAuthority(clock, key, root);
    }

    private static X509Certificate selfSigned(Clock clock, KeyPair key) throws GeneralSecurityException, IOException {
        var until = clock.instant().plus(ROOT_LIFE);
        var builder = builder(clock, new Holder(NAME, key.getPublic()), until);
        builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(true));
        builder.addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.keyCertSign | KeyUsage.cRLSign));
        return sign(builder, key);
    }

    private record Holder(X500Name name, PublicKey key) {}

    private static JcaX509v3CertificateBuilder builder(Clock clock, Holder holder, Instant until) {
        return new JcaX509v3CertificateBuilder(
                NAME,
                new BigInteger(127, new SecureRandom()).add(BigInteger.ONE),
                Date.from(clock.instant().minus(BACKDATED)),
                Date.from(until),
                holder.name,
                holder.key);
    }

    private static X509Certificate sign(JcaX509v3CertificateBuilder builder, KeyPair key)
            throws GeneralSecurityException, IOException {
        try {
            var signer = new JcaContentSignerBuilder("SHA256withECDSA").build(key.getPrivate());
            return new JcaX509CertificateConverter().getCertificate(builder.build(signer));
        } catch (OperatorCreationException e) {
            throw new GeneralSecurityException(e);
        }
    }

    public X509Certificate root() {
        return root;
    }

    /// A certificate for a workload; its names are ours alone, only the key is the workload's.
    public X509Certificate issue(SpiffeId identity, PublicKey holder, Duration life)
            throws GeneralSecurityException, IOException {
        var san = new GeneralNames(new GeneralName(GeneralName.uniformResourceIdentifier, identity.toString()));
        return leaf(holder, san, life);
    }

    /// A certificate for this server itself.
    X509Certificate issueServing(PublicKey holder, List<String> names, List<InetAddress> addresses, Duration life)
            throws GeneralSecurityException, IOException {
        var sans = new ArrayList<GeneralName>();
        names.forEach(name -> sans.add(new GeneralName(GeneralName.dNSName, name)));
        addresses.forEach(ip -> sans.add(new GeneralName(GeneralName.iPAddress, ip.getHostAddress())));
        return leaf(holder, new GeneralNames(sans.toArray(GeneralName[]::new)), life);
    }

    private X509Certificate leaf(PublicKey holder, GeneralNames names, Duration life)
            throws GeneralSecurityException, IOException {
        var wanted = clock.instant().plus(life);
        var last = root.getNotAfter().toInstant();
        var builder = builder(clock, new Holder(new X500Name(""), holder), wanted.isBefore(last) ? wanted : last);
        builder.addExtension(Extension.subjectAlternativeName, true, names);
        builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(false));
        builder.addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.digitalSignature));
        builder.addExtension(Extension.extendedKeyUsage, false, new ExtendedKeyUsage(BOTH));
        return sign(builder, key);
    }

    public static String pem(X509Certificate certificate) throws GeneralSecurityException {
        return "-----BEGIN CERTIFICATE-----\n"
                + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(certificate.getEncoded())
                + "\n-----END CERTIFICATE-----\n";
    }
}
