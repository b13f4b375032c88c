package dev.culvert.istiod.kube;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.culvert.istiod.ca.Caller;
import io.fabric8.kubernetes.api.model.authentication.TokenReview;
import io.fabric8.kubernetes.api.model.authentication.TokenReviewBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.security.GeneralSecurityException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class TokenReviewsTest {
    private final List<String> asked = new ArrayList<>();
    private TokenReview answer = answer(true, "istio-ca", "system:serviceaccount:istio-system:ztunnel");
    private long nanos;
    private final TokenReviews reviews = new TokenReviews(this::serve, List.of("istio-ca"), () -> nanos);

    private TokenReview serve(TokenReview review) {
        asked.add(review.getSpec().getToken());
        assertThat(review.getSpec().getAudiences()).containsExactly("istio-ca");
        return answer;
    }

    private static TokenReview answer(boolean authenticated, String audience, String user) {
        return new TokenReviewBuilder()
                .withNewStatus()
                .withAuthenticated(authenticated)
                .withAudiences(audience)
                .withNewUser()
                .withUsername(user)
                .withGroups("system:serviceaccounts", "system:authenticated")
                .withExtra(Map.of(
                        "authentication.kubernetes.io/pod-name", List.of("ztunnel-x"),
                        "authentication.kubernetes.io/pod-uid", List.of("u1")))
                .endUser()
                .endStatus()
                .build();
    }

    @Test
    void theCallerIsWhoTheServerSays() throws Exception {
        assertThat(reviews.verify("t")).isEqualTo(new Caller("istio-system", "ztunnel", "ztunnel-x", "u1", ""));
    }

    @Test
    void anAnswerCountsForSomeSecondsAndNotLonger() throws Exception {
        reviews.verify("t");
        nanos = TokenReviews.REMEMBERED.toNanos() - 1;
        reviews.verify("t");
        assertThat(asked).hasSize(1);
        nanos++;
        answer = answer(false, "istio-ca", "");
        assertThatThrownBy(() -> reviews.verify("t")).isInstanceOf(GeneralSecurityException.class);
        assertThat(asked).hasSize(2);
    }

    @Test
    void aRefusalIsNotRemembered() throws Exception {
        var good = answer;
        answer = answer(false, "istio-ca", "");
        assertThatThrownBy(() -> reviews.verify("t")).hasMessageContaining("does not accept");
        answer = good;
        assertThat(reviews.verify("t").serviceAccount()).isEqualTo("ztunnel");
    }

    @Test
    void aTokenForSomebodyElseIsRefused() {
        answer = answer(true, "https://kubernetes.default.svc", "system:serviceaccount:istio-system:ztunnel");
        assertThatThrownBy(() -> reviews.verify("t")).hasMessageContaining("meant for somebody else");
    }

    @Test
    void aUserIsNoServiceAccount() {
        for (var user : List.of("admin", "system:node:node-1", "system:serviceaccount:a:b:c", "x:serviceaccount:a:b")) {
            answer = answer(true, "istio-ca", user);
            assertThatThrownBy(() -> reviews.verify("t")).hasMessageContaining("not one of a service account");
        }
    }

    @Test
    void anAbsentServerIsARefusalThatSaysSo() {
        var failing = new TokenReviews(
                _ -> {
                    throw new KubernetesClientException("connection refused");
                },
                List.of("istio-ca"));
        assertThatThrownBy(() -> failing.verify("secret"))
                .isInstanceOf(GeneralSecurityException.class)
                .hasMessageContaining("connection refused")
                .hasMessageNotContaining("secret");
    }

    @Test
    void whatIsRememberedIsBounded() throws Exception {
        for (var i = 0; i <= TokenReviews.MAX_REMEMBERED; i++) {
            reviews.verify("t" + i);
        }
        asked.clear();
        reviews.verify("t" + TokenReviews.MAX_REMEMBERED);
        assertThat(asked).isEmpty();
        reviews.verify("t0");
        assertThat(asked).containsExactly("t0");
        assertThatThrownBy(() -> reviews.verify("t".repeat(10_000))).hasMessageContaining("too long");
    }
}
