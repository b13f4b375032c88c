package dev.culvert.istiod.ca;

import dev.culvert.mesh.model.identity.SpiffeId;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
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
import java.util.Optional;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

/// Signs with a key of our own. What it signs with may be replaced while it works. Thread-safe.
public final class CertificateAuthority implements CertificateSigner {
    private static final Duration ROOT_LIFE = Duration.ofDays(3650);
    private static final Duration BACKDATED = Duration.ofMinutes(2);
    private static final String ROOT = "root-cert.pem";
    private static final String EC = "SHA256withECDSA";
    private static final X500Name NAME = new X500Name("O=cluster.local");
    private static final KeyPurposeId[] BOTH = {KeyPurposeId.id_kp_serverAuth, KeyPurposeId.id_kp_clientAuth};

    private final Clock clock;
    private volatile SigningChain chain;

    public CertificateAuthority(Clock clock, SigningChain chain) {
        this.clock = clock;
        this.chain = chain;
    }

    /// A new self-signed authority.
    public static SigningChain create(Clock clock) throws IOException, GeneralSecurityException {
        var key = SigningKey.generate();
        return SigningChain.selfSigned(
                key.getPrivate(), selfSigned(clock, NAME, key.getPublic(), key.getPrivate(), EC));
    }

    /// Opens the self-signed authority in `directory` (0700), or makes it.
    public static CertificateAuthority open(Path directory, Clock clock) throws IOException, GeneralSecurityException {
        Files.createDirectories(directory);
        var key = SigningKey.loadOrCreate(directory.resolve("ca-key.pem"));
        var file = directory.resolve(ROOT);
        if (!Files.exists(file)) {
            SigningKey.writeOpen(file, pem(selfSigned(clock, NAME, key.getPublic(), key.getPrivate(), EC)));
        }
        var text = Files.readString(file);
        var root = (X509Certificate) CertificateFactory.getInstance("X.509")
                .generateCertificate(new ByteArrayInputStream(text.getBytes(StandardCharsets.US_ASCII)));
        if (!root.getPublicKey().equals(key.getPublic())) {
            throw new IOException(file + " is not the certificate of ca-key.pem beside it; restore the pair, or remove"
                    + " both to start a new authority (all proxies then need new certificates)");
        }
        return new CertificateAuthority(clock, SigningChain.selfSigned(key.getPrivate(), root));
    }

    /// What to sign with instead, if this is a root of its own in the last fifth of its life: the same name and key,
    /// for as long again. Whoever trusts the one trusts what was signed under the other.
    public Optional<SigningChain> renewal() throws GeneralSecurityException, IOException {
        var now = chain;
        if (!now.isDue(clock.instant())) {
            return Optional.empty();
        }
        var old = now.certificate();
        var name = X500Name.getInstance(old.getSubjectX500Principal().getEncoded());
        return Optional.of(SigningChain.selfSigned(
                now.key(), selfSigned(clock, name, old.getPublicKey(), now.key(), now.algorithm())));
    }

    /// Writes and takes over the [#renewal] of the authority in `directory`, if there is one.
    public boolean renew(Path directory) throws GeneralSecurityException, IOException {
        var next = renewal();
        if (next.isPresent()) {
            SigningKey.writeOpen(directory.resolve(ROOT), pem(next.get().certificate()));
            replace(next.get());
        }
        return next.isPresent();
    }

    private static X509Certificate selfSigned(
            Clock clock, X500Name name, PublicKey holder, PrivateKey key, String algorithm)
            throws GeneralSecurityException, IOException {
        var until = clock.instant().plus(ROOT_LIFE);
        var builder = builder(clock, name, new Holder(name, holder), until);
        builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(true));
        builder.addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.keyCertSign | KeyUsage.cRLSign));
        return sign(builder, key, algorithm);
    }

    private record Holder(X500Name name, PublicKey key) {}

    private static JcaX509v3CertificateBuilder builder(Clock clock, X500Name issuer, Holder holder, Instant until) {
        return new JcaX509v3CertificateBuilder(
                issuer,
                new BigInteger(127, new SecureRandom()).add(BigInteger.ONE),
                Date.from(clock.instant().minus(BACKDATED)),
                Date.from(until),
                holder.name,
                holder.key);
    }

    private static X509Certificate sign(JcaX509v3CertificateBuilder builder, PrivateKey key, String algorithm)
            throws GeneralSecurityException, IOException {
        try {
            var signer = new JcaContentSignerBuilder(algorithm).build(key);
            return new JcaX509CertificateConverter().getCertificate(builder.build(signer));
        } catch (OperatorCreationException e) {
            throw new GeneralSecurityException(e);
        }
    }

    public SigningChain chain() {
        return chain;
    }

    /// Signs with another chain from now on.
    /// @throws GeneralSecurityException if nobody who trusts the one trusts the other: then nothing changes
    public void replace(SigningChain next) throws GeneralSecurityException {
        if (!next.sharesARootWith(chain)) {
            throw new GeneralSecurityException("the new authority has no root in common with the one in use (" + chain
                    + "): proxies would trust each other no more; put both roots into root-cert.pem first");
        }
        chain = next;
    }

    @Override
    public Issued sign(CertificateRequest request, CertificateNames names, Duration life)
            throws GeneralSecurityException, IOException {
        return leaf(request.key(), names.asn1(), life);
    }

    /// A certificate of a workload whose key is known to be its own.
    public Issued issue(SpiffeId identity, PublicKey holder, Duration life)
            throws GeneralSecurityException, IOException {
        return leaf(holder, CertificateNames.of(identity).asn1(), life);
    }

    private Issued leaf(PublicKey holder, GeneralNames names, Duration life)
            throws GeneralSecurityException, IOException {
        var by = chain;
        var wanted = clock.instant().plus(life);
        var last = by.certificate().getNotAfter().toInstant();
        if (last.isBefore(clock.instant())) {
            throw new GeneralSecurityException("the authority's own certificate has expired: " + by);
        }
        var issuer =
                X500Name.getInstance(by.certificate().getSubjectX500Principal().getEncoded());
        var builder =
                builder(clock, issuer, new Holder(new X500Name(""), holder), wanted.isBefore(last) ? wanted : last);
        builder.addExtension(Extension.subjectAlternativeName, true, names);
        builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(false));
        builder.addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.digitalSignature));
        builder.addExtension(Extension.extendedKeyUsage, false, new ExtendedKeyUsage(BOTH));
        var certificates = new ArrayList<X509Certificate>();
        certificates.add(sign(builder, by.key(), by.algorithm()));
        certificates.addAll(by.path());
        return new Issued(certificates, by.roots());
    }

    @Override
    public List<X509Certificate> trusted() {
        return chain.roots();
    }

    @Override
    public Instant until() {
        return chain.until();
    }

    /// All of them, in one text.
    public static String pem(List<X509Certificate> certificates) throws GeneralSecurityException {
        var all = new StringBuilder();
        for (var certificate : certificates) {
            all.append(pem(certificate));
        }
        return all.toString();
    }

    /// PKCS #8.
    public static String pem(PrivateKey key) {
        return "-----BEGIN PRIVATE KEY-----\n"
                + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(key.getEncoded())
                + "\n-----END PRIVATE KEY-----\n";
    }

    public static String pem(X509Certificate certificate) throws GeneralSecurityException {
        return "-----BEGIN CERTIFICATE-----\n"
                + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(certificate.getEncoded())
                + "\n-----END CERTIFICATE-----\n";
    }
}
