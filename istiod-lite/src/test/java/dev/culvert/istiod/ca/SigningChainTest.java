package dev.culvert.istiod.ca;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.culvert.mesh.model.identity.SpiffeId;
import java.math.BigInteger;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Date;
import java.util.List;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A plugged-in authority: root, intermediate (RSA, as Istio's examples), leaf.
class SigningChainTest {
    private static final Instant NOW = Instant.parse("2026-11-01T00:00:00Z");
    private static KeyPair rootKey;
    private static X509Certificate root;
    private static KeyPair key;
    private static X509Certificate intermediate;

    @BeforeAll
    static void make() throws Exception {
        rootKey = rsa();
        root = certificate("root", "root", rootKey, rootKey.getPrivate(), true);
        key = rsa();
        intermediate = certificate("intermediate", "root", key, rootKey.getPrivate(), true);
    }

    private static KeyPair rsa() throws Exception {
        var generator = KeyPairGenerator.getInstance("RSA");
        generator.initialize(2048);
        return generator.generateKeyPair();
    }

    private static X509Certificate certificate(
            String subject, String issuer, KeyPair holder, PrivateKey signer, boolean authority) throws Exception {
        var builder = new JcaX509v3CertificateBuilder(
                new X500Name("CN=" + issuer),
                BigInteger.valueOf(System.nanoTime()),
                Date.from(NOW.minusSeconds(60)),
                Date.from(NOW.plus(Duration.ofDays(30_000))),
                new X500Name("CN=" + subject),
                holder.getPublic());
        builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(authority));
        return new JcaX509CertificateConverter()
                .getCertificate(builder.build(new JcaContentSignerBuilder("SHA256withRSA").build(signer)));
    }

    private static String pem(X509Certificate... certificates) throws Exception {
        return CertificateAuthority.pem(List.of(certificates));
    }

    private static SigningChain parse(String certificate, PrivateKey key, String chain, String roots) throws Exception {
        return SigningChain.parse(certificate, CertificateAuthority.pem(key), chain, roots, NOW);
    }

    @Test
    void aLeafIsShownWithWhatLeadsToTheRootAndNoRoot() throws Exception {
        var chain = parse(pem(intermediate), key.getPrivate(), pem(intermediate, root), pem(root));
        assertThat(chain.path()).containsExactly(intermediate);
        var authority = new CertificateAuthority(Clock.systemUTC(), chain);
        var issued = authority.issue(new SpiffeId("td", "a", "b"), rsa().getPublic(), Duration.ofHours(1));
        assertThat(issued.certificates()).hasSize(2).element(1).isEqualTo(intermediate);
        assertThat(issued.roots()).containsExactly(root);
        issued.certificates().getFirst().verify(intermediate.getPublicKey());
        assertThat(issued.certificates().getFirst().getIssuerX500Principal())
                .isEqualTo(intermediate.getSubjectX500Principal());
    }

    @Test
    void aRootThatSignsItselfNeedsNoChain() throws Exception {
        var chain = parse(pem(root), rootKey.getPrivate(), "", pem(root));
        assertThat(chain.path()).isEmpty();
    }

    @Test
    void whatDoesNotFitIsNamed() throws Exception {
        var other = rsa();
        var leaf = certificate("leaf", "root", other, rootKey.getPrivate(), false);
        var stranger = certificate("stranger", "stranger", other, other.getPrivate(), true);
        assertThatThrownBy(() -> parse(pem(intermediate), other.getPrivate(), pem(intermediate), pem(root)))
                .hasMessage("ca-key.pem is not the key of ca-cert.pem");
        assertThatThrownBy(() -> parse(pem(leaf), other.getPrivate(), "", pem(root)))
                .hasMessageContaining("not the certificate of an authority");
        assertThatThrownBy(() -> parse(pem(intermediate), key.getPrivate(), "", pem(stranger)))
                .hasMessageContaining("does not lead to root-cert.pem");
        assertThatThrownBy(() -> parse("", key.getPrivate(), "", pem(root))).hasMessageContaining("ca-cert.pem");
        assertThatThrownBy(() -> SigningChain.parse(pem(root), "no key", "", pem(root), NOW))
                .hasMessageContaining("ca-key.pem holds no private key");
    }

    @Test
    void anExpiredAuthorityIsRefused() throws Exception {
        assertThatThrownBy(() -> SigningChain.parse(
                        pem(root),
                        CertificateAuthority.pem(rootKey.getPrivate()),
                        "",
                        pem(root),
                        NOW.plus(Duration.ofDays(30_001))))
                .hasMessageContaining("does not lead to root-cert.pem");
    }

    @Test
    void anotherRootIsTakenOverOnlyBesideTheOldOne() throws Exception {
        var authority =
                new CertificateAuthority(Clock.systemUTC(), parse(pem(root), rootKey.getPrivate(), "", pem(root)));
        var nextKey = rsa();
        var next = certificate("next", "next", nextKey, nextKey.getPrivate(), true);
        assertThatThrownBy(() -> authority.replace(parse(pem(next), nextKey.getPrivate(), "", pem(next))))
                .hasMessageContaining("put both roots into root-cert.pem first");
        assertThat(authority.chain().certificate()).isEqualTo(root);
        assertThatCode(() -> authority.replace(parse(pem(root), rootKey.getPrivate(), "", pem(root, next))))
                .doesNotThrowAnyException();
        authority.replace(parse(pem(next), nextKey.getPrivate(), "", pem(next, root)));
        assertThat(authority.chain().certificate()).isEqualTo(next);
        assertThat(authority.chain().toString()).doesNotContain("PRIVATE");
    }

    @Test
    void aRootIsIssuedAnewInTheLastFifthOfItsLifeForTheSameKey(@TempDir Path directory) throws Exception {
        var made = CertificateAuthority.open(directory, Clock.fixed(NOW, ZoneOffset.UTC));
        var before = made.chain().certificate();
        assertThat(made.renew(directory)).isFalse();
        assertThat(after(directory, 3650 * 8 / 10 - 1).renew(directory)).isFalse();

        var later = after(directory, 3650 * 8 / 10 + 1);
        var identity = new SpiffeId("td", "a", "b");
        var leaf = later.issue(identity, rsa().getPublic(), Duration.ofDays(1));
        assertThat(later.renew(directory)).isTrue();
        var renewed = later.chain().certificate();
        assertThat(renewed.getNotAfter()).isAfter(before.getNotAfter());
        var next = later.issue(identity, rsa().getPublic(), Duration.ofDays(1));
        for (var root : List.of(before, renewed)) {
            for (var issued : List.of(leaf, next)) {
                issued.certificates().getFirst().verify(root.getPublicKey());
                assertThat(issued.certificates().getFirst().getIssuerX500Principal())
                        .isEqualTo(root.getSubjectX500Principal());
            }
        }
        assertThat(after(directory, 3650).chain()).isEqualTo(later.chain());
        assertThat(after(directory, 3650).renewal()).isEmpty();
    }

    private static CertificateAuthority after(Path directory, int days) throws Exception {
        return CertificateAuthority.open(directory, Clock.fixed(NOW.plus(Duration.ofDays(days)), ZoneOffset.UTC));
    }

    @Test
    void whatWasPluggedInIsNotOursToRenew() throws Exception {
        var authority = new CertificateAuthority(
                Clock.fixed(NOW.plus(Duration.ofDays(29_999)), ZoneOffset.UTC),
                parse(pem(intermediate), key.getPrivate(), pem(intermediate, root), pem(root)));
        assertThat(authority.renewal()).isEmpty();
    }
}
