package dev.culvert.proxy.ca;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import dev.culvert.hbone.tls.WorkloadCertificate;
import dev.culvert.mesh.model.identity.SpiffeId;
import java.io.IOException;
import java.security.cert.CertificateEncodingException;
import java.security.cert.X509Certificate;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/// An authority's answer: leaf, intermediates, and last a bundle of roots.
class PemTest {
    private static final SpiffeId CART = new SpiffeId("cluster.local", "shop", "cart");

    private final WorkloadCertificate one = new TestAuthority().fetch(CART);
    private final WorkloadCertificate other = new TestAuthority().fetch(CART);
    private final X509Certificate root = one.roots().getFirst();
    private final X509Certificate nextRoot = other.roots().getFirst();

    PemTest() throws IOException {}

    private static String pem(X509Certificate certificate) throws CertificateEncodingException {
        return "-----BEGIN CERTIFICATE-----\n"
                + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(certificate.getEncoded())
                + "\n-----END CERTIFICATE-----\n";
    }

    private WorkloadCertificate read(String... elements) throws Exception {
        return Pem.certificate(CART, one.key(), List.of(elements));
    }

    @Test
    void theLastElementIsABundleOfRootsAndNoneOfThemIsPresented() throws Exception {
        var read = read(pem(one.leaf()), pem(nextRoot), pem(root) + pem(nextRoot));
        assertThat(read.chain()).containsExactly(one.leaf(), nextRoot);
        assertThat(read.roots()).containsExactly(root, nextRoot);
        assertThat(read(pem(one.leaf()).strip(), pem(root).strip()).roots()).containsExactly(root);
    }

    @Test
    void aRootThatCannotBeReadIsPassedOver() throws Exception {
        var broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assertThat(read(pem(one.leaf()), pem(root) + broken + pem(nextRoot)).roots())
                .containsExactly(root, nextRoot);
        assertThatThrownBy(() -> read(pem(one.leaf()), broken)).hasMessageContaining("without root");
    }

    /// A warning for each certificate would hide the one that matters.
    @Test
    void whatIsAsItShouldBeIsNotWarnedOf() throws Exception {
        var log = (Logger) LoggerFactory.getLogger("ca");
        var lines = new ListAppender<ILoggingEvent>();
        lines.start();
        log.addAppender(lines);
        try {
            read(pem(one.leaf()), pem(root) + pem(nextRoot) + "\n");
        } finally {
            log.detachAppender(lines);
        }
        assertThat(lines.list).isEmpty();
    }

    @Test
    void anAnswerWithoutARootOrWithSomethingElseIsRefused() throws Exception {
        var leaf = pem(one.leaf());
        assertThatThrownBy(this::read).isInstanceOf(Exception.class);
        assertThatThrownBy(() -> read(leaf)).hasMessageContaining("root");
        assertThatThrownBy(() -> read("nonsense", pem(root))).isInstanceOf(Exception.class);
        assertThatThrownBy(() -> read(leaf, "nonsense", pem(root))).isInstanceOf(Exception.class);
        assertThatThrownBy(() -> read(leaf, "nonsense")).isInstanceOf(Exception.class);
    }
}
