package dev.culvert.istiod.kube;

import dev.culvert.istiod.ca.Caller;
import dev.culvert.istiod.ca.TokenVerifier;
import io.fabric8.kubernetes.api.model.authentication.TokenReview;
import io.fabric8.kubernetes.api.model.authentication.TokenReviewBuilder;
import io.fabric8.kubernetes.api.model.authentication.UserInfo;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;

/// Asks the API server whose a token is. What it said counts for some seconds: proxies ask for many certificates at
/// once. Thread-safe.
public final class TokenReviews implements TokenVerifier {
    static final int MAX_REMEMBERED = 10_000;
    static final Duration REMEMBERED = Duration.ofSeconds(10);
    private static final int MAX_TOKEN_CHARS = 8192;
    private static final int AT_ONCE = 16;
    private static final Duration PATIENCE = Duration.ofSeconds(5);
    private static final String POD_NAME = "authentication.kubernetes.io/pod-name";
    private static final String POD_UID = "authentication.kubernetes.io/pod-uid";
    private static final String ACCOUNTS = "system:serviceaccounts";

    private final UnaryOperator<TokenReview> server;
    private final List<String> audiences;
    private final Clock clock;
    private final Semaphore places = new Semaphore(AT_ONCE);
    private final Map<String, Known> known = new LinkedHashMap<>(16, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Known> eldest) {
            return size() > MAX_REMEMBERED;
        }
    };

    private record Known(Caller caller, long untilNanos) {}

    /// Nanoseconds of any origin, never going back.
    interface Clock {
        long nanos();
    }

    /// @param server creates the review and returns it with its status
    /// @param audiences any of which a token must be meant for
    public TokenReviews(UnaryOperator<TokenReview> server, List<String> audiences) {
        this(server, audiences, System::nanoTime);
    }

    TokenReviews(UnaryOperator<TokenReview> server, List<String> audiences, Clock clock) {
        this.server = server;
        this.audiences = List.copyOf(audiences);
        this.clock = clock;
    }

    @Override
    public Caller verify(String token) throws GeneralSecurityException {
        if (token.length() > MAX_TOKEN_CHARS) {
            throw new GeneralSecurityException("the token is too long");
        }
        var key = hash(token);
        var remembered = remembered(key);
        if (remembered.isPresent()) {
            return remembered.get();
        }
        var caller = caller(review(token));
        synchronized (known) {
            known.put(key, new Known(caller, clock.nanos() + REMEMBERED.toNanos()));
        }
        return caller;
    }

    private Optional<Caller> remembered(String key) {
        synchronized (known) {
            return Optional.ofNullable(known.get(key))
                    .filter(one -> clock.nanos() - one.untilNanos < 0)
                    .map(Known::caller);
        }
    }

    private TokenReview review(String token) throws GeneralSecurityException {
        var asked = new TokenReviewBuilder()
                .withNewSpec()
                .withToken(token)
                .withAudiences(audiences)
                .endSpec()
                .build();
        try {
            if (!places.tryAcquire(PATIENCE.toMillis(), TimeUnit.MILLISECONDS)) {
                throw new GeneralSecurityException("too many tokens are being checked by the API server");
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new GeneralSecurityException("interrupted", interrupted);
        }
        try {
            return server.apply(asked);
        } catch (KubernetesClientException failed) {
            throw new GeneralSecurityException("the API server cannot check the token: " + failed.getMessage(), failed);
        } finally {
            places.release();
        }
    }

    private Caller caller(TokenReview review) throws GeneralSecurityException {
        var status = review.getStatus();
        if (status == null || !Boolean.TRUE.equals(status.getAuthenticated()) || status.getUser() == null) {
            throw new GeneralSecurityException("the API server does not accept the token for audience " + audiences);
        }
        // A server that does not know audiences would accept any token of the cluster.
        if (status.getAudiences() == null || status.getAudiences().stream().noneMatch(audiences::contains)) {
            throw new GeneralSecurityException("the token is meant for somebody else: " + status.getAudiences());
        }
        var user = status.getUser();
        var name = Optional.ofNullable(user.getUsername()).orElse("").split(":", -1);
        var isAccount = name.length == 4 && name[0].equals("system") && name[1].equals("serviceaccount");
        if (!isAccount || user.getGroups() == null || !user.getGroups().contains(ACCOUNTS)) {
            throw new GeneralSecurityException("the token is not one of a service account");
        }
        return new Caller(name[2], name[3], extra(user, POD_NAME), extra(user, POD_UID), "");
    }

    private static String extra(UserInfo user, String key) {
        return Optional.ofNullable(user.getExtra())
                .map(extra -> extra.get(key))
                .filter(values -> values.size() == 1)
                .map(List::getFirst)
                .orElse("");
    }

    private static String hash(String token) throws GeneralSecurityException {
        var digest = MessageDigest.getInstance("SHA-256").digest(token.getBytes(StandardCharsets.UTF_8));
        return HexFormat.of().formatHex(digest);
    }
}
