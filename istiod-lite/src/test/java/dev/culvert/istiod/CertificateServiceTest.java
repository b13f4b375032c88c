package dev.culvert.istiod;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.culvert.hbone.tls.PeerIdentities;
import dev.culvert.istiod.ca.FolderSigner;
import dev.culvert.istiod.xds.XdsServer;
import dev.culvert.mesh.model.identity.SpiffeId;
import dev.culvert.proxy.ca.CertificateClient;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Clock;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Who gets which certificate, over TLS with real tokens.
@Timeout(240)
class CertificateServiceTest {
    private static final SpiffeId CART = new SpiffeId("cluster.local", "shop", "cart");

    @TempDir
    private Path directory;

    private RunningServer server;

    @BeforeEach
    void start() throws Exception {
        server = new RunningServer(
                directory,
                new XdsServer(),
                (node, namespace, account) -> node.equals("node-1") && (namespace + "/" + account).equals("shop/cart"),
                0);
    }

    @AfterEach
    void stop() {
        server.close();
    }

    @Test
    void nodeGetsTheIdentityOfItsPod() throws Exception {
        try (var client = new CertificateClient(server.as("node-1"), Duration.ofHours(1))) {
            var certificate = client.fetch(CART);
            assertThat(PeerIdentities.of(certificate.leaf())).containsExactly(CART);
            assertThat(Duration.between(certificate.notBefore(), certificate.notAfter()))
                    .isEqualTo(Duration.ofHours(1).plusMinutes(2));
            certificate.leaf().verify(certificate.roots().getFirst().getPublicKey());
        }
    }

    /// Dedicated mode names nobody: the certificate is for the token's own account, whatever was hoped for.
    @Test
    void whoNamesNobodyGetsTheIdentityOfItsToken() throws Exception {
        var own = new SpiffeId("cluster.local", "istio-system", "ztunnel");
        try (var client = new CertificateClient(server.as("node-1"), Duration.ofHours(1), false)) {
            assertThat(PeerIdentities.of(client.fetch(own).leaf())).containsExactly(own);
            assertThatThrownBy(() -> client.fetch(CART))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("asked for " + CART + " but the certificate says [" + own + "]");
        }
    }

    /// The example of docs/kubernetes.md: openssl under an intermediate authority, over a folder.
    @Test
    void anotherProgramSigns(@TempDir Path shared) throws Exception {
        var openssl = new ProcessBuilder(
                        "sh",
                        "-ec",
                        "openssl req -x509 -newkey rsa:2048 -nodes -keyout root.key -out root-cert.pem -subj /O=mesh -days 30;"
                                + "openssl req -newkey rsa:2048 -nodes -keyout ca.key -out ca.csr -subj /O=mesh/CN=nodes;"
                                + "printf 'basicConstraints=critical,CA:TRUE\n' > ca.ext;"
                                + "openssl x509 -req -in ca.csr -CA root-cert.pem -CAkey root.key -CAcreateserial -days 9"
                                + " -extfile ca.ext -out ca.pem; exec \"$0\" . ca.pem ca.key",
                        Path.of("../examples/signer/sign").toRealPath().toString())
                .directory(shared.toFile())
                .redirectErrorStream(true)
                .redirectOutput(shared.resolve("log").toFile())
                .start();
        try {
            while (!Files.exists(shared.resolve("requests"))) {
                assertThat(openssl.isAlive())
                        .as(() -> "the signer ended, see " + shared.resolve("log"))
                        .isTrue();
                Thread.sleep(20);
            }
            var signer = FolderSigner.open(shared, Clock.systemUTC());
            try (var running = new RunningServer(shared, signer, new XdsServer(), (_, _, _) -> true, 0);
                    var client = new CertificateClient(running.as("node-1"), Duration.ofHours(1))) {
                var certificate = client.fetch(CART);
                assertThat(PeerIdentities.of(certificate.leaf())).containsExactly(CART);
                assertThat(certificate.leaf().getIssuerX500Principal().getName())
                        .contains("CN=nodes");
                assertThat(certificate.roots()).isEqualTo(signer.trusted());
            }
        } finally {
            openssl.descendants().forEach(ProcessHandle::destroy);
            openssl.destroy();
            openssl.waitFor();
        }
    }

    @Test
    void nodeWithoutSuchAPodIsRefused() throws Exception {
        try (var client = new CertificateClient(server.as("node-2"), Duration.ofHours(1))) {
            assertThatThrownBy(() -> client.fetch(CART))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("request impersonation authentication failure");
        }
    }

    @Test
    void identityOfAnotherTrustDomainIsRefused() throws Exception {
        try (var client = new CertificateClient(server.as("node-1"), Duration.ofHours(1))) {
            assertThatThrownBy(() -> client.fetch(new SpiffeId("elsewhere", "shop", "cart")))
                    .hasMessageContaining("request impersonation authentication failure");
        }
    }

    @Test
    void forgedTokenIsRefused() throws Exception {
        var token = Files.readString(Path.of(server.as("node-1").authToken()));
        var forged = token.substring(0, token.length() - 4) + (token.endsWith("AAAA") ? "BBBB" : "AAAA");
        try (var client = new CertificateClient(server.with(forged), Duration.ofHours(1))) {
            assertThatThrownBy(() -> client.fetch(CART)).hasMessageContaining("request authenticate failure");
        }
    }

    @Test
    void keysAreSecretAndSurviveARestart() throws Exception {
        var before = Files.readString(directory.resolve("root-cert.pem"));
        server.close();
        start();
        assertThat(Files.readString(directory.resolve("root-cert.pem"))).isEqualTo(before);
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(directory.resolve("ca-key.pem"))))
                .isEqualTo("rw-------");
    }
}
