package dev.culvert.proxy.ca;

import static org.assertj.core.api.Assertions.assertThat;

import dev.culvert.hbone.tls.Revocation;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPairGenerator;
import java.time.Instant;
import java.util.Base64;
import java.util.Date;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.cert.X509v2CRLBuilder;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RevocationFileTest {
    @TempDir
    Path directory;

    private static String list(int serial) throws Exception {
        var key = KeyPairGenerator.getInstance("EC").generateKeyPair();
        var builder = new X509v2CRLBuilder(new X500Name("CN=root"), Date.from(Instant.now()));
        builder.addCRLEntry(BigInteger.valueOf(serial), Date.from(Instant.now()), 0);
        var list = builder.build(new JcaContentSignerBuilder("SHA256withECDSA").build(key.getPrivate()));
        return "-----BEGIN X509 CRL-----\n" + Base64.getMimeEncoder().encodeToString(list.getEncoded())
                + "\n-----END X509 CRL-----\n";
    }

    @Test
    void everyChangeIsSeenAndWhatCannotBeReadChangesNothing() throws Exception {
        var path = directory.resolve("ca-crl.pem");
        try (var file = new RevocationFile(path, new Revocation(), () -> {})) {
            assertThat(file.look()).as("no file is an empty list").isTrue();
            assertThat(file.look()).as("the same again").isFalse();

            Files.writeString(path, list(1));
            assertThat(file.look()).isTrue();
            assertThat(file.look()).isFalse();

            Files.writeString(path, "half a fi", StandardCharsets.US_ASCII);
            assertThat(file.look()).isFalse();

            var other = Files.writeString(directory.resolve("other"), list(2));
            Files.delete(path);
            Files.createSymbolicLink(path, other);
            assertThat(file.look()).isTrue();

            var third = Files.writeString(directory.resolve("third"), list(3));
            Files.delete(path);
            Files.createSymbolicLink(path, third);
            assertThat(file.look()).as("a link that was swapped").isTrue();

            Files.delete(path);
            assertThat(file.look()).isTrue();
        }
    }
}
