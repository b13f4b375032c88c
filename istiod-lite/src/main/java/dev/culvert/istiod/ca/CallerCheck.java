package dev.culvert.istiod.ca;

import dev.culvert.mesh.model.identity.SpiffeId;
import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.Grpc;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Optional;
import javax.net.ssl.SSLPeerUnverifiedException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Lets nobody in without a certificate of our authority or a valid token; tells the services who it is. A certificate
/// goes first.
public final class CallerCheck implements ServerInterceptor {
    private static final Logger LOG = LoggerFactory.getLogger("ca");
    private static final Metadata.Key<String> AUTHORIZATION =
            Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);
    private static final String BEARER = "Bearer ";
    private static final int URI = 6; // GeneralName uniformResourceIdentifier, RFC 5280 §4.2.1.6

    private final TokenVerifier tokens;
    private final String trustDomain;

    public CallerCheck(TokenVerifier tokens, String trustDomain) {
        this.tokens = tokens;
        this.trustDomain = trustDomain;
    }

    @Override
    public <Q, A> ServerCall.Listener<Q> interceptCall(
            ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
        try {
            var certified = byCertificate(call);
            var caller = certified.isPresent() ? certified.get() : byToken(headers);
            return Contexts.interceptCall(Context.current().withValue(Caller.KEY, caller), call, headers, next);
        } catch (GeneralSecurityException refused) {
            LOG.warn("call of {} refused: {}", call.getMethodDescriptor().getFullMethodName(), refused.getMessage());
            call.close(Status.UNAUTHENTICATED.withDescription("request authenticate failure"), new Metadata());
            return new ServerCall.Listener<>() {};
        }
    }

    private Caller byToken(Metadata headers) throws GeneralSecurityException {
        var header = headers.get(AUTHORIZATION);
        if (header == null || !header.startsWith(BEARER)) {
            throw new GeneralSecurityException("no bearer token");
        }
        return tokens.verify(header.substring(BEARER.length()));
    }

    /// The handshake has checked the chain.
    private Optional<Caller> byCertificate(ServerCall<?, ?> call) throws GeneralSecurityException {
        var session = call.getAttributes().get(Grpc.TRANSPORT_ATTR_SSL_SESSION);
        if (session == null) {
            return Optional.empty();
        }
        try {
            var identities = identities((X509Certificate) session.getPeerCertificates()[0]);
            if (identities.size() != 1 || !identities.getFirst().trustDomain().equals(trustDomain)) {
                throw new GeneralSecurityException(
                        "the certificate names " + identities + ", not one identity of " + trustDomain);
            }
            var identity = identities.getFirst();
            return Optional.of(new Caller(identity.namespace(), identity.serviceAccount(), "", "", ""));
        } catch (SSLPeerUnverifiedException none) {
            return Optional.empty();
        }
    }

    private static List<SpiffeId> identities(X509Certificate leaf) throws GeneralSecurityException {
        var names = Optional.ofNullable(leaf.getSubjectAlternativeNames()).orElse(List.of());
        return names.stream()
                .filter(name -> Integer.valueOf(URI).equals(name.getFirst()))
                .flatMap(name -> SpiffeId.parse(String.valueOf(name.getLast())).stream())
                .toList();
    }
}
