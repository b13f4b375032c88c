package dev.culvert.istiod.ca;

import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import java.security.GeneralSecurityException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Lets nobody in without a valid token; tells the services who it is.
public final class TokenCheck implements ServerInterceptor {
    private static final Logger LOG = LoggerFactory.getLogger("ca");
    private static final Metadata.Key<String> AUTHORIZATION =
            Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);
    private static final String BEARER = "Bearer ";

    private final NodeTokens tokens;

    public TokenCheck(NodeTokens tokens) {
        this.tokens = tokens;
    }

    @Override
    public <Q, A> ServerCall.Listener<Q> interceptCall(
            ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
        var header = headers.get(AUTHORIZATION);
        try {
            if (header == null || !header.startsWith(BEARER)) {
                throw new GeneralSecurityException("no bearer token");
            }
            var caller = tokens.verify(header.substring(BEARER.length()));
            return Contexts.interceptCall(Context.current().withValue(Caller.KEY, caller), call, headers, next);
        } catch (GeneralSecurityException refused) {
            LOG.warn("call of {} refused: {}", call.getMethodDescriptor().getFullMethodName(), refused.getMessage());
            call.close(Status.UNAUTHENTICATED.withDescription("request authenticate failure"), new Metadata());
            return new ServerCall.Listener<>() {};
        }
    }
}
