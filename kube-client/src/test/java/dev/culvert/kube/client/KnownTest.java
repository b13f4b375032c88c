package dev.culvert.kube.client;

import static org.assertj.core.api.Assertions.assertThat;

import dev.culvert.kube.object.AuthorizationPolicy;
import dev.culvert.kube.object.Kind;
import dev.culvert.kube.object.ObjectKey;
import dev.culvert.kube.object.ObjectSet;
import dev.culvert.kube.object.Pod;
import dev.culvert.kube.read.ApiReader;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class KnownTest {
    private final Known known = new Known();

    @Test
    void whatIsTheSameIsNoChange() {
        assertThat(known.change(pod("a", "198.18.65.2", "2026-11-01T10:00:00Z", "Running")))
                .isTrue();
        assertThat(known.change(pod("a", "198.18.65.2", "2026-11-01T10:00:00Z", "Running")))
                .isFalse();
        assertThat(known.change(Map.of(key("b"), Optional.empty()))).isFalse();
        assertThat(known.change(Map.of(key("a"), Optional.empty()))).isTrue();
        assertThat(known.snapshot().objects()).isEmpty();
    }

    @Test
    void anObjectThatIsBrokenNowStandsAsItWas() {
        known.change(policy("10.0.0.0/8"));
        known.change(policy("10.0.0.0/99"));
        var now = known.snapshot();
        assertThat(now.objects()).containsOnlyKeys(POLICY);
        assertThat(now.gaps()).isEmpty();
        assertThat(now.problems())
                .extracting(Object::toString)
                .anyMatch(
                        text -> text.startsWith("cluster AuthorizationPolicy shop/p: ") && text.contains("10.0.0.0/99"))
                .anyMatch(text -> text.contains("stands as it was before this mistake"));
        known.change(policy("10.0.0.0/16"));
        assertThat(known.snapshot().problems()).isEmpty();
    }

    @Test
    void aPolicyThatNobodyCouldEverReadLetsInNobody() {
        for (var block : List.of("10.0.0.0/99", "10.0.0.0/98")) {
            assertThat(known.change(policy(block))).isTrue();
            var now = known.snapshot();
            assertThat(now.gaps())
                    .singleElement()
                    .satisfies(gap -> assertThat(gap.key()).contains(POLICY));
            assertThat(closing(now).action()).isEqualTo(AuthorizationPolicy.Action.DENY);
            assertThat(now.problems())
                    .extracting(Object::toString)
                    .anyMatch(text -> text.contains(block))
                    .anyMatch(text -> text.contains("lets in nobody, in all that it covers, until it can be read"));
        }
        known.change(policy("10.0.0.0/16"));
        assertThat(closing(known.snapshot()).action()).isEqualTo(AuthorizationPolicy.Action.ALLOW);
        assertThat(known.snapshot().gaps()).isEmpty();
    }

    private static AuthorizationPolicy closing(ObjectSet now) {
        return now.find(AuthorizationPolicy.class, Kind.AUTHORIZATION_POLICY, "shop", "p")
                .orElseThrow();
    }

    @Test
    void anObjectThatNobodyCouldEverReadIsAGap() {
        var nameless = Map.of("metadata", Map.of("name", "a", "namespace", "shop", "labels", List.of()));
        known.change(read(key("a"), nameless));
        assertThat(known.snapshot().objects()).isEmpty();
        assertThat(known.snapshot().gaps())
                .singleElement()
                .satisfies(gap -> assertThat(gap.key()).contains(key("a")));
    }

    @Test
    void aListReplacesItsKindAndNoOther() {
        known.change(policy("10.0.0.0/8"));
        known.change(pod("a", "198.18.65.2", "2026-11-01T10:00:00Z", "Running"));
        known.replace(Kind.POD, pod("b", "198.18.65.3", "2026-11-01T10:00:00Z", "Running"));
        assertThat(known.snapshot().objects()).containsOnlyKeys(key("b"), POLICY);
    }

    @Test
    void aSharedAddressBelongsToThePodThatCameLast() {
        known.change(pod("old", "198.18.65.2", "2026-11-01T10:00:00Z", "Running"));
        known.change(pod("new", "198.18.65.2", "2026-11-01T11:00:00Z", "Running"));
        known.change(pod("done", "198.18.65.2", "2026-11-01T12:00:00Z", "Succeeded"));
        assertThat(addresses("old")).isEmpty();
        assertThat(addresses("new")).hasSize(1);
        assertThat(known.snapshot().problems())
                .singleElement()
                .satisfies(problem ->
                        assertThat(problem.toString()).contains("Pod shop/old").contains("belongs to Pod shop/new"));
    }

    @Test
    void podsInTheNetworkOfTheHostMayShareItsAddress() {
        known.change(hostPod("a"));
        known.change(hostPod("b"));
        assertThat(addresses("a")).hasSize(1);
        assertThat(addresses("b")).hasSize(1);
        assertThat(known.snapshot().problems()).isEmpty();
    }

    private List<?> addresses(String pod) {
        return known.snapshot()
                .find(Pod.class, Kind.POD, "shop", pod)
                .orElseThrow()
                .addresses();
    }

    private static final ObjectKey POLICY = new ObjectKey(Kind.AUTHORIZATION_POLICY, "shop", "p");

    private static ObjectKey key(String pod) {
        return new ObjectKey(Kind.POD, "shop", pod);
    }

    private static Map<ObjectKey, Optional<ApiReader.Result>> pod(
            String name, String address, String created, String phase) {
        return read(
                key(name),
                Map.of(
                        "metadata",
                        Map.of("name", name, "namespace", "shop", "creationTimestamp", created),
                        "spec",
                        Map.of("containers", List.of(Map.of("name", "c")), "unknownField", 1),
                        "status",
                        Map.of("phase", phase, "podIP", address, "podIPs", List.of(Map.of("ip", address)))));
    }

    private static Map<ObjectKey, Optional<ApiReader.Result>> hostPod(String name) {
        return read(
                key(name),
                Map.of(
                        "metadata",
                        Map.of("name", name, "namespace", "shop"),
                        "spec",
                        Map.of("containers", List.of(Map.of("name", "c")), "hostNetwork", true),
                        "status",
                        Map.of("phase", "Running", "podIP", "198.18.0.11")));
    }

    private static Map<ObjectKey, Optional<ApiReader.Result>> policy(String block) {
        return read(
                POLICY,
                Map.of(
                        "metadata",
                        Map.of("name", "p", "namespace", "shop"),
                        "spec",
                        Map.of(
                                "rules",
                                List.of(Map.of(
                                        "from", List.of(Map.of("source", Map.of("ipBlocks", List.of(block)))))))));
    }

    private static Map<ObjectKey, Optional<ApiReader.Result>> read(ObjectKey key, Map<?, ?> json) {
        return Map.of(key, Optional.of(ApiReader.read(key, json)));
    }
}
