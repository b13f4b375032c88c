package dev.culvert.istiod;

import dev.culvert.istiod.ca.CertificateAuthority;
import dev.culvert.mesh.model.identity.SpiffeId;
import io.grpc.ServerCredentials;
import io.grpc.TlsServerCredentials;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPairGenerator;
import java.security.spec.ECGenParameterSpec;
import java.time.Clock;
import java.time.Duration;
import java.util.Map;

/// A certificate of our authority as files.
record MeshCertificate(Path chain, Path key, Path roots) {
    static MeshCertificate write(Path directory, SpiffeId identity) throws IOException, GeneralSecurityException {
        var authority = CertificateAuthority.open(directory, Clock.systemUTC());
        var generator = KeyPairGenerator.getInstance("EC");
        generator.initialize(new ECGenParameterSpec("secp256r1"));
        var pair = generator.generateKeyPair();
        var issued = authority.issue(identity, pair.getPublic(), Duration.ofHours(1));
        var name = identity.serviceAccount();
        return new MeshCertificate(
                Files.writeString(directory.resolve(name + ".pem"), CertificateAuthority.pem(issued.certificates())),
                Files.writeString(directory.resolve(name + "-key.pem"), CertificateAuthority.pem(pair.getPrivate())),
                Files.writeString(directory.resolve(name + "-roots.pem"), CertificateAuthority.pem(issued.roots())));
    }

    /// As a bootstrap file has it.
    Map<String, ?> providers() {
        return Map.of(
                "default",
                Map.of(
                        "plugin_name",
                        "file_watcher",
                        "config",
                        Map.of(
                                "certificate_file", chain.toString(),
                                "private_key_file", key.toString(),
                                "ca_certificate_file", roots.toString(),
                                "refresh_interval", "600s")));
    }

    /// Of a server that takes clients of the mesh only.
    ServerCredentials ofServer() throws IOException {
        return TlsServerCredentials.newBuilder()
                .keyManager(chain.toFile(), key.toFile())
                .trustManager(roots.toFile())
                .clientAuth(TlsServerCredentials.ClientAuth.REQUIRE)
                .build();
    }
}
