package dev.culvert.istiod.ca;

import io.grpc.netty.GrpcSslContexts;
import io.grpc.util.AdvancedTlsX509KeyManager;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import java.io.IOException;
import java.net.InetAddress;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.List;

/// TLS of our own ports; the certificate is renewed while the server runs. Thread-safe.
public final class ServingTls {
    private static final Duration LIFE = Duration.ofDays(30);

    public static final Duration RENEW_EVERY = Duration.ofDays(10);

    private final CertificateAuthority authority;
    private final List<String> names;
    private final List<InetAddress> addresses;
    private final AdvancedTlsX509KeyManager keys = new AdvancedTlsX509KeyManager();

    public ServingTls(CertificateAuthority authority, List<String> names, List<InetAddress> addresses)
            throws GeneralSecurityException, IOException {
        this.authority = authority;
        this.names = names;
        this.addresses = addresses;
        renew();
    }

    public void renew() throws GeneralSecurityException, IOException {
        var key = SigningKey.generate();
        var leaf = authority.issueServing(key.getPublic(), names, addresses, LIFE);
        keys.updateIdentityCredentials(new X509Certificate[] {leaf, authority.root()}, key.getPrivate());
    }

    public SslContext context() throws IOException {
        return GrpcSslContexts.configure(SslContextBuilder.forServer(keys), SslProvider.JDK)
                .protocols("TLSv1.3", "TLSv1.2")
                .build();
    }
}
