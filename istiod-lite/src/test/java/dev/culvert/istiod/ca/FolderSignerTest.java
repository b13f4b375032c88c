package dev.culvert.istiod.ca;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.culvert.mesh.model.identity.SpiffeId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.time.Clock;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// What another program's answers are believed for.
@Timeout(120)
class FolderSignerTest {
    private static final CertificateNames CART = CertificateNames.of(new SpiffeId("cluster.local", "shop", "cart"));
    private static final Duration DAY = Duration.ofDays(1);

    @TempDir
    private Path folder;

    @TempDir
    private Path elsewhere;

    private CertificateAuthority behind;
    private KeyPair key;
    private CertificateRequest request;

    @BeforeEach
    void make() throws Exception {
        behind = CertificateAuthority.open(elsewhere, Clock.systemUTC());
        Files.writeString(folder.resolve("root-cert.pem"), behind.roots());
        Files.createDirectory(folder.resolve("requests"));
        Files.createDirectory(folder.resolve("answers"));
        key = SigningKey.generate();
        request = CertificateRequest.of(key, CART);
    }

    private FolderSigner signer(Duration patience) throws Exception {
        return FolderSigner.open(folder, Clock.systemUTC(), patience);
    }

    private interface Answer {
        String to(CertificateRequest request) throws IOException, GeneralSecurityException;
    }

    /// Answers one request as the program on the other side would.
    private Thread answering(String suffix, Answer answer) {
        return Thread.ofVirtual().start(() -> {
            try {
                Path found = null;
                while (found == null) {
                    Thread.sleep(10);
                    try (var all = Files.list(folder.resolve("requests"))) {
                        found = all.filter(file -> file.toString().endsWith(".csr"))
                                .findFirst()
                                .orElse(null);
                    }
                }
                var id = found.getFileName().toString().replace(".csr", "");
                var text = answer.to(CertificateRequest.parse(Files.readString(found)));
                var hidden = Files.writeString(folder.resolve("answers/." + id), text);
                Files.move(hidden, folder.resolve("answers/" + id + suffix), StandardCopyOption.ATOMIC_MOVE);
            } catch (IOException | GeneralSecurityException | InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
    }

    private static String pem(CertificateSigner.Issued issued) throws GeneralSecurityException {
        return CertificateAuthority.pem(issued.certificates());
    }

    @Test
    void whatWasAskedForIsTaken() throws Exception {
        answering(".pem", asked -> pem(behind.sign(asked, asked.asked(), DAY)));
        var issued = signer(Duration.ofSeconds(30)).sign(request, CART, DAY);
        assertThat(issued.certificates().getFirst().getPublicKey()).isEqualTo(key.getPublic());
        assertThat(CertificateNames.in(issued.certificates().getFirst())).isEqualTo(CART);
        assertThat(issued.roots()).isEqualTo(behind.trusted());
        assertThat(folder.resolve("requests")).isEmptyDirectory();
        assertThat(folder.resolve("answers")).isEmptyDirectory();
    }

    private void refused(Answer answer, String why) throws Exception {
        answering(".pem", answer);
        assertThatThrownBy(() -> signer(Duration.ofSeconds(30)).sign(request, CART, DAY))
                .isInstanceOf(GeneralSecurityException.class)
                .hasMessageContaining(why);
        assertThat(folder.resolve("answers")).isEmptyDirectory();
    }

    @Test
    void whatWasNotAskedForIsRefused(@TempDir Path stranger) throws Exception {
        var other = new SpiffeId("cluster.local", "shop", "till");
        refused(asked -> pem(behind.issue(other, asked.key(), DAY)), "is for 'spiffe://cluster.local/ns/shop/sa/till'");
        refused(
                asked -> pem(behind.sign(asked, CART, DAY)).replace("BEGIN CERTIFICATE", "BEGIN NONSENSE"),
                "the signer's answer");
        var otherKey = CertificateRequest.of(SigningKey.generate(), CART);
        refused(_ -> pem(behind.sign(otherKey, CART, DAY)), "is for another key");
        refused(_ -> behind.roots(), "is for another key");
        var strange = CertificateAuthority.open(stranger, Clock.systemUTC());
        refused(asked -> pem(strange.sign(asked, CART, DAY)), "does not lead to " + folder.resolve("root-cert.pem"));
        refused(asked -> pem(behind.sign(asked, CART, Duration.ofMinutes(-1))), "does not lead to");
        refused(_ -> "hello", "the signer's answer holds no certificate");
    }

    @Test
    void aRefusalIsToldInTheSignersWords() throws Exception {
        answering(".error", _ -> "the safe is locked\n");
        assertThatThrownBy(() -> signer(Duration.ofSeconds(30)).sign(request, CART, DAY))
                .isInstanceOf(GeneralSecurityException.class)
                .hasMessage("the signer refused: the safe is locked");
    }

    @Test
    void nobodyAnswers() throws Exception {
        assertThatThrownBy(() -> signer(Duration.ofMillis(200)).sign(request, CART, DAY))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("the signer has not answered " + folder.resolve("requests"));
        assertThat(folder.resolve("requests")).isEmptyDirectory();
    }

    /// Whatever it signs, it is never asked for a name that its holder may not have.
    @Test
    void aRequestForOtherNamesIsNotPassedOn() throws Exception {
        var greedy = CertificateRequest.of(key, CertificateNames.of(new SpiffeId("cluster.local", "shop", "till")));
        assertThatThrownBy(() -> signer(Duration.ofSeconds(30)).sign(greedy, CART, DAY))
                .isInstanceOf(GeneralSecurityException.class)
                .hasMessageContaining("has to ask for '" + CART + "'");
        assertThat(folder.resolve("requests")).isEmptyDirectory();
    }

    private static void await(BooleanSupplier what) throws InterruptedException {
        while (!what.getAsBoolean()) {
            Thread.sleep(20);
        }
    }

    @Test
    void otherRootsAreTakenOverBesideTheOldOnes(@TempDir Path next) throws Exception {
        var successor = CertificateAuthority.open(next, Clock.systemUTC());
        var signer = signer(Duration.ofSeconds(30));
        var told = new AtomicInteger();
        var file = folder.resolve("root-cert.pem");
        try (var _ = signer.watch(told::incrementAndGet)) {
            Files.writeString(file, behind.roots() + successor.roots());
            await(() -> signer.trusted().size() == 2 && told.get() == 1);
            Files.writeString(file, successor.roots());
            await(() -> told.get() == 2);
            assertThat(signer.trusted()).isEqualTo(successor.trusted());
            Files.writeString(file, behind.roots());
            Thread.sleep(Duration.ofSeconds(6));
            assertThat(signer.trusted()).isEqualTo(successor.trusted());
        }
    }

    @Test
    void withoutRootsNothingBegins() throws Exception {
        Files.delete(folder.resolve("root-cert.pem"));
        assertThatThrownBy(() -> signer(DAY))
                .isInstanceOf(IOException.class)
                .hasMessageContaining(folder.resolve("root-cert.pem") + " is missing");
    }
}
