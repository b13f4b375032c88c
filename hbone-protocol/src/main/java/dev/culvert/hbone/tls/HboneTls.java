package dev.culvert.hbone.tls;

import dev.culvert.mesh.model.identity.SpiffeId;
import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.ssl.ApplicationProtocolConfig;
import io.netty.handler.ssl.ApplicationProtocolConfig.Protocol;
import io.netty.handler.ssl.ApplicationProtocolConfig.SelectedListenerFailureBehavior;
import io.netty.handler.ssl.ApplicationProtocolConfig.SelectorFailureBehavior;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.OpenSslContextOption;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslProvider;
import io.netty.util.ReferenceCountUtil;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLPeerUnverifiedException;

/// TLS as HBONE wants it, for one certificate: 1.3 (and 1.2 if the policy says so), mutual, ALPN `h2`, no SNI, no
/// host names, no resumption; on BoringSSL. Thread-safe.
public final class HboneTls {
    /// BoringSSL's TLS 1.3 suites cannot be chosen; the others are those of the TLS 1.2 opt-in.
    private static final List<String> WITH_TLS12 = List.of(
            "TLS_AES_256_GCM_SHA384",
            "TLS_AES_128_GCM_SHA256",
            "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
            "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
            "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
            "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256");

    /// Netty carries the key to BoringSSL in a key store that nobody else sees. The default one (PKCS #12) would
    /// encrypt it there in 10,000 rounds, and again for the way back: 50 ms a certificate at the start.
    private static final String IN_MEMORY = "JKS";

    private static final ApplicationProtocolConfig H2 = new ApplicationProtocolConfig(
            Protocol.ALPN, SelectorFailureBehavior.NO_ADVERTISE, SelectedListenerFailureBehavior.ACCEPT, "h2");

    private final WorkloadCertificate certificate;
    private final SslContext client;
    private final SslContext server;
    private final PeerTrust trust;

    /// @param revocation asked at every handshake, whatever is remembered of a chain
    /// @throws SSLException if BoringSSL refuses the key or chain
    public HboneTls(WorkloadCertificate certificate, TlsPolicy policy, Revocation revocation) throws SSLException {
        this.certificate = certificate;
        trust = new PeerTrust(certificate.roots(), certificate.identity().trustDomain(), revocation);
        var chain = certificate.chain().toArray(X509Certificate[]::new);
        client = common(
                        SslContextBuilder.forClient()
                                .keyManager(certificate.key(), chain)
                                .trustManager(trust)
                                .endpointIdentificationAlgorithm(""),
                        policy)
                .build();
        server = common(
                        SslContextBuilder.forServer(certificate.key(), chain)
                                .trustManager(trust)
                                .clientAuth(ClientAuth.REQUIRE),
                        policy)
                .build();
    }

    private static SslContextBuilder common(SslContextBuilder builder, TlsPolicy policy) {
        if (policy.tls12()) {
            builder.protocols("TLSv1.3", "TLSv1.2").ciphers(WITH_TLS12);
        } else {
            builder.protocols("TLSv1.3");
        }
        return builder.sslProvider(SslProvider.OPENSSL)
                .keyStoreType(IN_MEMORY)
                .applicationProtocolConfig(H2)
                .option(OpenSslContextOption.GROUPS, policy.groups().toArray(String[]::new))
                .sessionTimeout(1)
                .sessionCacheSize(1);
    }

    public WorkloadCertificate certificate() {
        return certificate;
    }

    /// A handler for a connection that we opened. Compare [#peer] with the expected identities before the first byte.
    public SslHandler clientHandler(ByteBufAllocator allocator, Duration timeout) {
        return timed(client.newHandler(allocator), timeout);
    }

    public SslHandler serverHandler(ByteBufAllocator allocator, Duration timeout) {
        return timed(server.newHandler(allocator), timeout);
    }

    private static SslHandler timed(SslHandler handler, Duration timeout) {
        handler.setHandshakeTimeout(timeout.toMillis(), TimeUnit.MILLISECONDS);
        handler.setCloseNotifyFlushTimeout(1, TimeUnit.SECONDS);
        return handler;
    }

    /// What the peer's chain says, once the handshake is done.
    public Peer peer(SslHandler handler) throws SSLPeerUnverifiedException {
        var chain = new ArrayList<X509Certificate>();
        for (var certificate : handler.engine().getSession().getPeerCertificates()) {
            chain.add((X509Certificate) certificate);
        }
        return new Peer(chain, trust, handler.engine().getUseClientMode());
    }

    /// Who is on the other side of a connection. Thread-safe.
    public static final class Peer {
        private final List<X509Certificate> chain;
        private final List<SpiffeId> identities;
        private final PeerTrust trust;
        private final boolean server;

        private Peer(List<X509Certificate> chain, PeerTrust trust, boolean server) {
            this.chain = List.copyOf(chain);
            this.identities = PeerIdentities.of(chain.getFirst());
            this.trust = trust;
            this.server = server;
        }

        public List<SpiffeId> identities() {
            return identities;
        }

        /// No new stream after that.
        public Instant notAfter() {
            return chain.getFirst().getNotAfter().toInstant();
        }

        /// What is revoked of its chain by now, for a log line.
        public Optional<String> revoked() {
            return trust.revoked(chain);
        }

        /// Its connection is ended because of that.
        public void countRevoked() {
            trust.countRevoked(server);
        }
    }

    /// Frees the native contexts once their last handler is gone.
    public void release() {
        ReferenceCountUtil.release(client);
        ReferenceCountUtil.release(server);
    }
}
