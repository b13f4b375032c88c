package dev.culvert.istiod.ca;

import dev.culvert.mesh.model.identity.SpiffeId;
import dev.culvert.protos.ca.IstioCertificateRequest;
import dev.culvert.protos.ca.IstioCertificateResponse;
import dev.culvert.protos.ca.IstioCertificateServiceGrpc.IstioCertificateServiceImplBase;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// `istio.v1.auth.IstioCertificateService`: a node proxy gets certificates for identities with a pod on its node,
/// and for no others. Thread-safe.
public final class CertificateService extends IstioCertificateServiceImplBase {
    private static final Logger LOG = LoggerFactory.getLogger("ca");
    private static final Duration DEFAULT_LIFE = Duration.ofHours(24);
    private static final Duration MAX_LIFE = Duration.ofDays(90);
    private static final Duration MIN_LIFE = Duration.ofSeconds(1);

    /// What the authority must know of the mesh.
    public interface Pods {
        /// The node of the caller's pod; empty if there is no such pod of its account now.
        default Optional<String> node(Caller caller) {
            return Optional.of(caller.node()).filter(node -> !node.isEmpty());
        }

        /// Whether a pod with this namespace and service account runs on the node.
        boolean runsOn(String node, String namespace, String serviceAccount);
    }

    private final CertificateSigner signer;
    private final Pods pods;
    private final String trustDomain;
    private final Set<String> nodeAccounts;

    /// @param nodeAccounts `namespace/account` of those who may ask for the identities of their node
    public CertificateService(CertificateSigner signer, Pods pods, String trustDomain, Set<String> nodeAccounts) {
        this.signer = signer;
        this.pods = pods;
        this.trustDomain = trustDomain;
        this.nodeAccounts = Set.copyOf(nodeAccounts);
    }

    @Override
    public void createCertificate(IstioCertificateRequest request, StreamObserver<IstioCertificateResponse> response) {
        var caller = Caller.KEY.get();
        try {
            var identity = identity(caller, request);
            if (identity.isEmpty()) {
                response.onError(Status.UNAUTHENTICATED
                        .withDescription("request impersonation authentication failure")
                        .asRuntimeException());
                return;
            }
            var issued = signer.sign(
                    CertificateRequest.parse(request.getCsr()),
                    CertificateNames.of(identity.get()),
                    life(request.getValidityDuration()));
            LOG.info("certificate of {} signed for {}", identity.get(), caller);
            var answer = IstioCertificateResponse.newBuilder();
            for (var certificate : issued.certificates()) {
                answer.addCertChain(CertificateAuthority.pem(certificate));
            }
            // All roots are one element, the last.
            response.onNext(answer.addCertChain(CertificateAuthority.pem(issued.roots()))
                    .build());
            response.onCompleted();
        } catch (IOException unanswered) {
            LOG.warn("request of {} not answered: {}", caller, unanswered.getMessage());
            response.onError(Status.UNAVAILABLE
                    .withDescription("CSR signing error: " + unanswered.getMessage())
                    .asRuntimeException());
        } catch (GeneralSecurityException bad) {
            LOG.warn("request of {} refused: {}", caller, bad.getMessage());
            response.onError(Status.INVALID_ARGUMENT
                    .withDescription("CSR signing error: " + bad.getMessage())
                    .asRuntimeException());
        }
    }

    /// The identity that the caller may have; the details of a refusal are in our log only.
    private Optional<SpiffeId> identity(Caller caller, IstioCertificateRequest request) {
        var fields = request.getMetadata().getFieldsMap();
        var wanted = fields.get("ImpersonatedIdentity");
        var own = new SpiffeId(trustDomain, caller.namespace(), caller.serviceAccount());
        if (wanted == null || wanted.getStringValue().equals(own.toString())) {
            return Optional.of(own);
        }
        var identity = SpiffeId.parse(wanted.getStringValue());
        var why = refusal(caller, identity);
        if (!why.isEmpty()) {
            LOG.warn("{} may not have a certificate of '{}': {}", caller, wanted.getStringValue(), why);
            return Optional.empty();
        }
        return identity;
    }

    private String refusal(Caller caller, Optional<SpiffeId> identity) {
        if (!nodeAccounts.contains(caller.namespace() + "/" + caller.serviceAccount())) {
            return "only " + String.join(", ", nodeAccounts) + " may ask for others (CA_TRUSTED_NODE_ACCOUNTS)";
        }
        if (identity.isEmpty()) {
            return "not an identity";
        }
        if (!identity.get().trustDomain().equals(trustDomain)) {
            return "the trust domain is " + trustDomain;
        }
        var node = pods.node(caller);
        if (node.isEmpty()) {
            return "its own pod is not there, or is another by now";
        }
        var account = identity.get();
        return pods.runsOn(node.get(), account.namespace(), account.serviceAccount())
                ? ""
                : "no pod with this service account runs on node " + node.get();
    }

    private static Duration life(long seconds) {
        var wanted = seconds <= 0 ? DEFAULT_LIFE : Duration.ofSeconds(Math.min(seconds, MAX_LIFE.toSeconds()));
        return wanted.compareTo(MIN_LIFE) < 0 ? MIN_LIFE : wanted;
    }
}
