package dev.culvert.istiod;

import dev.culvert.istiod.ca.Caller;
import dev.culvert.istiod.ca.CallerCheck;
import dev.culvert.istiod.ca.CertificateAuthority;
import dev.culvert.istiod.ca.CertificateService;
import dev.culvert.istiod.ca.CertificateSigner;
import dev.culvert.istiod.ca.NodeTokens;
import dev.culvert.istiod.ca.ServingTls;
import dev.culvert.istiod.xds.XdsServer;
import dev.culvert.proxy.xds.ControlPlane;
import io.grpc.Server;
import io.grpc.netty.NettyServerBuilder;
import java.io.IOException;
import java.net.InetAddress;
import java.net.URI;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// The gRPC side of istiod-lite on a free port, with real TLS and tokens.
final class RunningServer implements AutoCloseable {
    private final Path directory;
    private final NodeTokens tokens;
    private final Server server;

    RunningServer(Path directory, XdsServer xds, CertificateService.Pods pods, int port)
            throws IOException, GeneralSecurityException {
        this(directory, CertificateAuthority.open(directory, Clock.systemUTC()), xds, pods, port);
    }

    /// @param directory has the roots of what signs in `root-cert.pem`
    RunningServer(Path directory, CertificateSigner signer, XdsServer xds, CertificateService.Pods pods, int port)
            throws IOException, GeneralSecurityException {
        this.directory = directory;
        tokens = NodeTokens.open(directory, Clock.systemUTC());
        var tls = new ServingTls(signer, List.of("localhost"), List.of(InetAddress.ofLiteral("127.0.0.1")));
        server = NettyServerBuilder.forPort(port)
                .sslContext(tls.context())
                .maxInboundMessageSize(16 << 20)
                .intercept(new CallerCheck(tokens, "cluster.local"))
                .addService(xds)
                .addService(new CertificateService(signer, pods, "cluster.local", Set.of("istio-system/ztunnel")))
                .build()
                .start();
    }

    int port() {
        return server.getPort();
    }

    /// How the ztunnel of a node reaches this server.
    ControlPlane as(String node) throws IOException, GeneralSecurityException {
        var file = directory.resolve("token-" + node);
        tokens.write(file, node, "uid-" + node);
        return with(file.toString());
    }

    /// The token of a pod, as a file.
    Path tokenOf(Caller pod) throws IOException, GeneralSecurityException {
        var file = directory.resolve("token-" + pod.namespace() + "-" + pod.pod());
        tokens.write(file, pod);
        return file;
    }

    /// The certificate of our authority, as a file.
    Path root() {
        return directory.resolve("root-cert.pem");
    }

    ControlPlane with(String token) {
        return new ControlPlane(
                URI.create("https://127.0.0.1:" + port()),
                directory.resolve("root-cert.pem").toString(),
                token,
                "",
                "Kubernetes",
                Map.of());
    }

    @Override
    public void close() {
        server.shutdownNow();
        try {
            server.awaitTermination();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
