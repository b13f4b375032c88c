package dev.culvert.istiod.ca;

import io.grpc.netty.GrpcSslContexts;
import io.grpc.util.AdvancedTlsX509KeyManager;
import io.grpc.util.AdvancedTlsX509TrustManager;
import io.grpc.util.AdvancedTlsX509TrustManager.Verification;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import java.io.IOException;
import java.net.InetAddress;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.List;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;

/// TLS of our own ports; the certificate is renewed while the server runs. Thread-safe.
public final class ServingTls {
    private static final Duration LIFE = Duration.ofDays(30);

    public static final Duration RENEW_EVERY = Duration.ofDays(10);

    private final CertificateSigner signer;
    private final CertificateNames names;
    private final AdvancedTlsX509KeyManager keys = new AdvancedTlsX509KeyManager();
    private final AdvancedTlsX509TrustManager clients;

    public ServingTls(CertificateSigner signer, List<String> names, List<InetAddress> addresses)
            throws GeneralSecurityException, IOException {
        this.signer = signer;
        this.names = CertificateNames.of(names, addresses);
        this.clients = AdvancedTlsX509TrustManager.newBuilder()
                .setVerification(Verification.CERTIFICATE_ONLY_VERIFICATION)
                .build();
        renew();
    }

    /// A new certificate, and the roots of today for those who show one.
    public void renew() throws GeneralSecurityException, IOException {
        var key = SigningKey.generate();
        var issued = signer.sign(CertificateRequest.of(key, names), names, LIFE);
        keys.updateIdentityCredentials(issued.certificates().toArray(X509Certificate[]::new), key.getPrivate());
        clients.updateTrustCredentials(issued.roots().toArray(X509Certificate[]::new));
    }

    /// Of ports for callers that show no certificate.
    public SSLContext pages() throws GeneralSecurityException {
        var context = SSLContext.getInstance("TLS");
        context.init(new KeyManager[] {keys}, null, null);
        return context;
    }

    /// Of xDS and certificates.
    public SslContext context() throws IOException {
        return GrpcSslContexts.configure(SslContextBuilder.forServer(keys), SslProvider.JDK)
                .trustManager(clients)
                .clientAuth(ClientAuth.OPTIONAL)
                .protocols("TLSv1.3", "TLSv1.2")
                .build();
    }
}
