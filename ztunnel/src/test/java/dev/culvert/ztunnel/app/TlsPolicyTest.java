package dev.culvert.ztunnel.app;

import static org.assertj.core.api.Assertions.assertThat;

import dev.culvert.hbone.tls.HboneTls;
import dev.culvert.hbone.tls.Revocation;
import dev.culvert.hbone.tls.TlsPolicy;
import dev.culvert.hbone.tls.WorkloadCertificate;
import dev.culvert.mesh.model.identity.SpiffeId;
import dev.culvert.proxy.ca.TestAuthority;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.ssl.ApplicationProtocolConfig;
import io.netty.handler.ssl.ApplicationProtocolConfig.Protocol;
import io.netty.handler.ssl.ApplicationProtocolConfig.SelectedListenerFailureBehavior;
import io.netty.handler.ssl.ApplicationProtocolConfig.SelectorFailureBehavior;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslProvider;
import java.io.IOException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// Real handshakes between two ends in memory.
class TlsPolicyTest {
    private static final TlsPolicy POST_QUANTUM = new TlsPolicy(false, List.of(TlsPolicy.HYBRID));
    private static final TlsPolicy CLASSIC = new TlsPolicy(false, List.of("X25519"));
    private static final TlsPolicy WITH_TLS12 = new TlsPolicy(true, TlsPolicy.DEFAULT.groups());
    private static WorkloadCertificate certificate;

    @BeforeAll
    static void certificate() throws IOException {
        certificate = new TestAuthority().fetch(new SpiffeId("cluster.local", "shop", "cart"));
    }

    @Test
    void postQuantumTalksToItsLikeAndToTheDefaultOnly() throws Exception {
        assertThat(handshake(client(POST_QUANTUM), POST_QUANTUM)).isEqualTo("TLSv1.3");
        assertThat(handshake(client(POST_QUANTUM), TlsPolicy.DEFAULT)).isEqualTo("TLSv1.3");
        assertThat(handshake(client(TlsPolicy.DEFAULT), POST_QUANTUM)).isEqualTo("TLSv1.3");
        assertThat(handshake(client(CLASSIC), POST_QUANTUM)).isEqualTo("failed");
        assertThat(handshake(client(POST_QUANTUM), CLASSIC)).isEqualTo("failed");
        assertThat(handshake(client(CLASSIC), TlsPolicy.DEFAULT)).isEqualTo("TLSv1.3");
    }

    @Test
    void tls12IsSpokenOnlyIfEnabled() throws Exception {
        assertThat(handshake(oldClient(), WITH_TLS12)).isEqualTo("TLSv1.2");
        assertThat(handshake(oldClient(), TlsPolicy.DEFAULT)).isEqualTo("failed");
        assertThat(handshake(client(WITH_TLS12), TlsPolicy.DEFAULT)).isEqualTo("TLSv1.3");
        assertThat(handshake(client(WITH_TLS12), WITH_TLS12)).isEqualTo("TLSv1.3");
    }

    private static SslHandler client(TlsPolicy policy) throws IOException {
        return new HboneTls(certificate, policy, new Revocation())
                .clientHandler(ByteBufAllocator.DEFAULT, Duration.ofSeconds(5));
    }

    private static SslHandler oldClient() throws IOException {
        return SslContextBuilder.forClient()
                .sslProvider(SslProvider.JDK)
                .protocols("TLSv1.2")
                .keyManager(certificate.key(), certificate.chain().toArray(X509Certificate[]::new))
                .trustManager(certificate.roots().toArray(X509Certificate[]::new))
                .endpointIdentificationAlgorithm("")
                .applicationProtocolConfig(new ApplicationProtocolConfig(
                        Protocol.ALPN,
                        SelectorFailureBehavior.NO_ADVERTISE,
                        SelectedListenerFailureBehavior.ACCEPT,
                        "h2"))
                .build()
                .newHandler(ByteBufAllocator.DEFAULT);
    }

    /// @return the version agreed on, or `failed`
    private static String handshake(SslHandler client, TlsPolicy serverPolicy) throws IOException {
        var server = new HboneTls(certificate, serverPolicy, new Revocation())
                .serverHandler(ByteBufAllocator.DEFAULT, Duration.ofSeconds(5));
        var one = new EmbeddedChannel(client);
        var other = new EmbeddedChannel(server);
        for (var round = 0; round < 20; round++) {
            pass(one, other);
            pass(other, one);
        }
        var agreed =
                client.handshakeFuture().isSuccess() && server.handshakeFuture().isSuccess();
        var version = agreed ? server.engine().getSession().getProtocol() : "failed";
        one.close();
        other.close();
        one.releaseOutbound();
        other.releaseOutbound();
        return version;
    }

    private static void pass(EmbeddedChannel from, EmbeddedChannel to) {
        from.runPendingTasks();
        for (ByteBuf bytes = from.readOutbound(); bytes != null; bytes = from.readOutbound()) {
            if (to.isOpen()) {
                to.pipeline().fireChannelRead(bytes).fireChannelReadComplete();
            } else {
                bytes.release();
            }
        }
    }
}
