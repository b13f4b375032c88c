package dev.culvert.proxy.ca;

import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import dev.culvert.hbone.tls.PeerIdentities;
import dev.culvert.hbone.tls.WorkloadCertificate;
import dev.culvert.mesh.model.identity.SpiffeId;
import dev.culvert.protos.ca.IstioCertificateRequest;
import dev.culvert.protos.ca.IstioCertificateServiceGrpc;
import dev.culvert.proxy.xds.ControlPlane;
import io.grpc.ManagedChannel;
import io.grpc.StatusException;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Asks `istio.v1.auth.IstioCertificateService` for a certificate of a workload of this node. Thread-safe; calls
/// block.
public final class CertificateClient implements CertificateSource, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger("ca");
    private static final SpiffeId WARM_UP = new SpiffeId("cluster.local", "none", "none");
    private static final Duration DEADLINE = Duration.ofSeconds(10);

    private final ControlPlane server;
    private final Duration validity;
    private final boolean impersonating;
    private @Nullable ManagedChannel channel;

    /// Of a node proxy, which asks for the identities of its node's pods.
    public CertificateClient(ControlPlane server, Duration validity) {
        this(server, validity, true);
    }

    /// @param impersonating false: the identity asked for is the token's own, and nothing is said of it; istiod lets
    ///        node proxies only name one
    public CertificateClient(ControlPlane server, Duration validity, boolean impersonating) {
        this.server = server;
        this.validity = validity;
        this.impersonating = impersonating;
    }

    /// Makes a key and a request and throws them away, and opens the channel: what the first pod needs is loaded
    /// and known to work before it comes.
    public void warmUp() {
        try {
            var pair = SigningRequest.newKeyPair();
            LOG.debug(
                    "certificate requests of {} characters can be made",
                    SigningRequest.pem(pair, WARM_UP).length());
            channel().getState(true);
        } catch (IOException | GeneralSecurityException e) {
            LOG.debug("the CA is not prepared yet: {}", e.getMessage());
        }
    }

    @Override
    public WorkloadCertificate fetch(SpiffeId identity) throws IOException {
        try {
            var pair = SigningRequest.newKeyPair();
            var request = IstioCertificateRequest.newBuilder()
                    .setCsr(SigningRequest.pem(pair, identity))
                    .setValidityDuration(validity.toSeconds())
                    .setMetadata(metadata(identity))
                    .build();
            var answer = IstioCertificateServiceGrpc.newBlockingV2Stub(channel())
                    .withCallCredentials(server.credentials())
                    .withDeadlineAfter(DEADLINE.toMillis(), TimeUnit.MILLISECONDS)
                    .createCertificate(request);
            var certificate = Pem.certificate(identity, pair.getPrivate(), answer.getCertChainList());
            requireIdentity(certificate, identity);
            return certificate;
        } catch (StatusException | StatusRuntimeException refused) {
            dropChannel();
            throw new IOException("the CA at " + server.address() + " answered: " + refused.getMessage(), refused);
        } catch (GeneralSecurityException bad) {
            throw new IOException("the answer of the CA cannot be used: " + bad.getMessage(), bad);
        }
    }

    private Struct metadata(SpiffeId identity) {
        var whom = Value.newBuilder().setStringValue(identity.toString()).build();
        return impersonating
                ? Struct.newBuilder().putFields("ImpersonatedIdentity", whom).build()
                : Struct.getDefaultInstance();
    }

    private static void requireIdentity(WorkloadCertificate certificate, SpiffeId identity) throws IOException {
        var found = PeerIdentities.of(certificate.leaf());
        if (found.isEmpty() || !found.getFirst().equals(identity)) {
            throw new IOException("asked for " + identity + " but the certificate says " + found);
        }
    }

    private synchronized ManagedChannel channel() throws IOException {
        if (channel == null) {
            channel = server.connect();
        }
        return channel;
    }

    /// The next call reads the root file again.
    private synchronized void dropChannel() {
        if (channel != null) {
            LOG.debug("the channel to the CA is opened anew at the next request");
            channel.shutdown();
            channel = null;
        }
    }

    @Override
    public void close() {
        dropChannel();
    }
}
