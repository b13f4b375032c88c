package dev.culvert.hbone.tls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.culvert.mesh.model.identity.SpiffeId;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.embedded.EmbeddedChannel;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.cert.X509CRL;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RevocationTest {
    private static final SpiffeId CART = new SpiffeId("cluster.local", "shop", "cart");
    private static final SpiffeId PRICES = new SpiffeId("cluster.local", "shop", "prices");

    private final Authority root = Authority.root("CN=root");
    private final Authority middle = root.intermediate("CN=middle");
    private final WorkloadCertificate cart = middle.workload(CART, List.of(middle.certificate), root.certificate);
    private final WorkloadCertificate prices = middle.workload(PRICES, List.of(middle.certificate), root.certificate);

    RevocationTest() throws Exception {}

    private static String pem(X509CRL list) throws Exception {
        return "-----BEGIN X509 CRL-----\n" + Base64.getMimeEncoder().encodeToString(list.getEncoded())
                + "\n-----END X509 CRL-----\n";
    }

    private static RevocationLists lists(X509CRL... lists) throws Exception {
        var text = new StringBuilder();
        for (var list : lists) {
            text.append(pem(list));
        }
        return RevocationLists.parse(text.toString().getBytes(StandardCharsets.US_ASCII));
    }

    private boolean revokes(RevocationLists lists, WorkloadCertificate workload) {
        return lists.revokedOf(workload.chain(), workload.roots()).isPresent();
    }

    @Test
    void whatItsIssuerHasRevokedIsRevokedAndNothingElse() throws Exception {
        var lists = lists(root.revoking(), middle.revoking(cart.chain().getFirst()));
        assertThat(lists.count()).isEqualTo(2);
        assertThat(revokes(lists, cart)).isTrue();
        assertThat(revokes(lists, prices)).isFalse();
        assertThat(revokes(RevocationLists.NONE, cart)).isFalse();
    }

    @Test
    void theWholeChainIsLookedAt() throws Exception {
        var lists = lists(root.revoking(middle.certificate));
        assertThat(revokes(lists, cart)).isTrue();
        assertThat(revokes(lists, prices)).isTrue();
    }

    @Test
    void aListOfTheSameNameSignedByAnotherKeyRevokesNothing() throws Exception {
        var impostor = Authority.root("CN=middle");
        assertThat(revokes(lists(impostor.revoking(cart.chain().getFirst())), cart))
                .isFalse();
    }

    @Test
    void oneListInDerIsRead() throws Exception {
        var lists =
                RevocationLists.parse(middle.revoking(cart.chain().getFirst()).getEncoded());
        assertThat(revokes(lists, cart)).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", " \n"})
    void anEmptyFileRevokesNothing(String text) throws Exception {
        assertThat(RevocationLists.parse(text.getBytes(StandardCharsets.US_ASCII))
                        .count())
                .isZero();
    }

    @Test
    void halfAFileIsRefusedAsAWhole() throws Exception {
        var good = pem(middle.revoking());
        for (var bad : List.of(
                "garbage",
                good.substring(0, good.length() / 2),
                good + "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n",
                good + "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")) {
            assertThatThrownBy(() -> RevocationLists.parse(bad.getBytes(StandardCharsets.US_ASCII)))
                    .isInstanceOf(IOException.class);
        }
    }

    @Test
    void aPeerThatWasTakenBeforeIsRefusedOnceItIsRevoked() throws Exception {
        var revocation = new Revocation();
        var server = new HboneTls(prices, TlsPolicy.DEFAULT, revocation);
        var client = new HboneTls(cart, TlsPolicy.DEFAULT, new Revocation());
        var peer = accepted(client, server).orElseThrow();
        assertThat(peer.identities()).containsExactly(CART);
        assertThat(peer.revoked()).isEmpty();

        revocation.replace(lists(middle.revoking(cart.chain().getFirst())));
        assertThat(peer.revoked().orElseThrow()).contains("is revoked");
        assertThat(accepted(client, server)).isEmpty();
        assertThat(revocation.refusedClients()).isPositive();
        assertThat(revocation.refusedServers()).isZero();
        server.release();
        client.release();
    }

    /// The client, if the server takes it.
    private static Optional<HboneTls.Peer> accepted(HboneTls client, HboneTls server) throws IOException {
        var handler = server.serverHandler(ByteBufAllocator.DEFAULT, Duration.ofSeconds(5));
        var one = new EmbeddedChannel(client.clientHandler(ByteBufAllocator.DEFAULT, Duration.ofSeconds(5)));
        var other = new EmbeddedChannel(handler);
        for (var round = 0; round < 20; round++) {
            pass(one, other);
            pass(other, one);
        }
        Optional<HboneTls.Peer> peer =
                handler.handshakeFuture().isSuccess() ? Optional.of(server.peer(handler)) : Optional.empty();
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
}
