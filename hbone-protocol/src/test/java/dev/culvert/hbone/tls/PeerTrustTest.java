package dev.culvert.hbone.tls;

import static org.assertj.core.api.Assertions.assertThat;

import dev.culvert.mesh.model.identity.SpiffeId;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.ssl.ApplicationProtocolConfig;
import io.netty.handler.ssl.ApplicationProtocolConfig.Protocol;
import io.netty.handler.ssl.ApplicationProtocolConfig.SelectedListenerFailureBehavior;
import io.netty.handler.ssl.ApplicationProtocolConfig.SelectorFailureBehavior;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/// Who is let in by TLS, before any CONNECT.
class PeerTrustTest {
    private static final SpiffeId CART = new SpiffeId("cluster.local", "shop", "cart");
    private static final SpiffeId PRICES = new SpiffeId("cluster.local", "shop", "prices");
    private static final SpiffeId FOREIGN = new SpiffeId("other.example", "shop", "cart");

    private final Authority root = Authority.root("CN=root");
    private final Authority middle = root.intermediate("CN=middle");

    PeerTrustTest() throws Exception {}

    private HboneTls of(SpiffeId identity) throws Exception {
        return new HboneTls(
                middle.workload(identity, List.of(middle.certificate), root.certificate),
                TlsPolicy.DEFAULT,
                new Revocation());
    }

    private static SslHandler client(HboneTls tls) {
        return tls.clientHandler(ByteBufAllocator.DEFAULT, Duration.ofSeconds(5));
    }

    /// @return what the server knows of the client; empty if it has let nobody in
    private static Optional<HboneTls.Peer> handshake(SslHandler client, HboneTls serverTls) throws Exception {
        var server = serverTls.serverHandler(ByteBufAllocator.DEFAULT, Duration.ofSeconds(5));
        var one = new EmbeddedChannel(client);
        var other = new EmbeddedChannel(server);
        for (var round = 0; round < 20; round++) {
            pass(one, other);
            pass(other, one);
        }
        var good =
                client.handshakeFuture().isSuccess() && server.handshakeFuture().isSuccess();
        var peer = good ? Optional.of(serverTls.peer(server)) : Optional.<HboneTls.Peer>empty();
        if (good) {
            assertThat(server.applicationProtocol()).isEqualTo("h2");
            assertThat(server.engine().getSession().getPeerCertificates()).hasSize(2); // leaf, intermediate, no root
        }
        one.close();
        other.close();
        one.releaseOutbound();
        other.releaseOutbound();
        return peer;
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

    @Test
    void aPeerOfTheSameTrustDomainIsWhoItsCertificateSays() throws Exception {
        assertThat(handshake(client(of(CART)), of(PRICES)).orElseThrow().identities())
                .containsExactly(CART);
    }

    /// The same roots, another trust domain; it is the server that asks for its own.
    @Test
    void aClientOfAnotherTrustDomainIsNotLetIn() throws Exception {
        assertThat(handshake(client(of(FOREIGN)), of(PRICES))).isEmpty();
        assertThat(handshake(client(of(FOREIGN)), of(FOREIGN))).isPresent();
    }

    @Test
    void aCertificateOfAnotherRootIsNotLetInOnEitherSide() throws Exception {
        var elsewhere = Authority.root("CN=root");
        var stranger = new HboneTls(
                elsewhere.workload(CART, List.of(), elsewhere.certificate), TlsPolicy.DEFAULT, new Revocation());
        assertThat(handshake(client(stranger), of(PRICES))).isEmpty();
        assertThat(handshake(client(of(CART)), stranger)).isEmpty();
    }

    @Test
    void whoShowsNoCertificateIsNotLetIn() throws Exception {
        var anonymous = SslContextBuilder.forClient()
                .trustManager(root.certificate)
                .endpointIdentificationAlgorithm("")
                .applicationProtocolConfig(new ApplicationProtocolConfig(
                        Protocol.ALPN,
                        SelectorFailureBehavior.NO_ADVERTISE,
                        SelectedListenerFailureBehavior.ACCEPT,
                        "h2"))
                .build()
                .newHandler(ByteBufAllocator.DEFAULT);
        assertThat(handshake(anonymous, of(PRICES))).isEmpty();
    }

    /// The first name is who it is.
    @Test
    void aCertificateMayHaveSeveralNames() throws Exception {
        var both = new HboneTls(
                middle.workload(CART, List.of(middle.certificate), root.certificate, PRICES),
                TlsPolicy.DEFAULT,
                new Revocation());
        assertThat(handshake(client(both), of(PRICES)).orElseThrow().identities())
                .containsExactly(CART, PRICES);
    }

    /// No server name and no session to take up again: peers are known by their certificates only. A session offered
    /// would make the second hello longer (RFC 8446 §4.2.11).
    @Test
    void theFirstMessageNamesNobodyAndEveryHandshakeIsAFullOne() throws Exception {
        var tls = of(CART);
        var server = of(PRICES);
        var hellos = new ArrayList<Integer>();
        for (var i = 0; i < 3; i++) {
            var client = client(tls);
            assertThat(client.engine().getSSLParameters().getServerNames()).isNullOrEmpty();
            assertThat(client.engine().getPeerHost()).isNull();
            hellos.add(firstMessage(client));
            assertThat(handshake(client(tls), server)).isPresent();
        }
        assertThat(hellos).allMatch(hellos.getFirst()::equals);
    }

    private static int firstMessage(SslHandler client) {
        var channel = new EmbeddedChannel(client);
        ByteBuf hello = channel.readOutbound();
        var bytes = hello.readableBytes();
        hello.release();
        channel.close();
        channel.releaseOutbound();
        return bytes;
    }
}
