package dev.culvert.kube.read;

import static org.assertj.core.api.Assertions.assertThat;

import dev.culvert.kube.object.AuthorizationPolicy;
import dev.culvert.kube.object.AuthorizationPolicy.Action;
import dev.culvert.kube.object.Kind;
import dev.culvert.kube.object.KubeObject;
import dev.culvert.kube.object.ObjectKey;
import dev.culvert.kube.object.PeerAuthentication;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.yaml.snakeyaml.Yaml;

/// What stands for a policy of a cluster that cannot be read.
class ClosedPolicyTest {
    private static final String BROKEN = "rules: [{from: [{source: {ipBlocks: [10.0.0.0/99]}}]}]";

    @Test
    void coversWhatThePolicyCovers() {
        assertThat(denied("{selector: {matchLabels: {app: web}}, " + BROKEN + "}")
                        .selector())
                .containsExactly(Map.entry("app", "web"));
        var target = denied("{targetRefs: [{kind: Service, group: '', name: web}], " + BROKEN + "}")
                .targetRefs();
        assertThat(target).containsExactly(new AuthorizationPolicy.Target("", "Service", "web"));
    }

    @Test
    void coversTheNamespaceWhereThatIsNotClear() {
        for (var spec : new String[] {
            "{" + BROKEN + "}",
            "{selector: {matchLabels: {app: 'w*', tier: back}}}",
            "{selector: {matchLabels: 7}}",
            "{selector: {matchLabels: {app: web}}, targetRefs: [{kind: Service, group: '', name: web}]}",
            "{targetRefs: [{kind: Service, group: '', name: web}, {kind: Service}]}",
            "[]",
        }) {
            var policy = denied(spec);
            assertThat(policy.selector()).as(spec).isEmpty();
            assertThat(policy.targetRefs()).as(spec).isEmpty();
        }
    }

    @Test
    void closesForEveryActionThatMayClose() {
        for (var action : new String[] {"ALLOW", "DENY", "CUSTOM", "NONSENSE", "{}"}) {
            assertThat(denied("{action: " + action + ", " + BROKEN + "}").namespace())
                    .isEqualTo("shop");
        }
    }

    @Test
    void closesNothingForAPolicyThatNeverCloses() {
        assertThat(closed(Kind.AUTHORIZATION_POLICY, "{name: p, namespace: shop}", "{action: AUDIT, " + BROKEN + "}"))
                .isEmpty();
        var dry = "{name: p, namespace: shop, annotations: {istio.io/dry-run: 'true'}}";
        assertThat(closed(Kind.AUTHORIZATION_POLICY, dry, "{" + BROKEN + "}")).isEmpty();
        assertThat(closed(Kind.DESTINATION_RULE, "{name: p, namespace: shop}", "{host: 7}"))
                .isEmpty();
    }

    @Test
    void whatCanBeReadIsNotClosed() {
        assertThat(closed(Kind.AUTHORIZATION_POLICY, "{name: p, namespace: shop}", "{rules: [{}]}"))
                .isEmpty();
    }

    @Test
    void takesMutualTlsOnly() {
        var spec = "{selector: {matchLabels: {app: web}}, mtls: {mode: PERMISIVE}}";
        var closed = (PeerAuthentication) closed(Kind.PEER_AUTHENTICATION, "{name: p, namespace: shop}", spec)
                .orElseThrow();
        assertThat(closed.mode()).isEqualTo(PeerAuthentication.Mode.STRICT);
        assertThat(closed.selector()).containsExactly(Map.entry("app", "web"));
        assertThat(closed.ports()).isEmpty();
    }

    private static AuthorizationPolicy denied(String spec) {
        var policy = (AuthorizationPolicy) closed(Kind.AUTHORIZATION_POLICY, "{name: p, namespace: shop}", spec)
                .orElseThrow(() -> new AssertionError(spec));
        assertThat(policy.action()).isEqualTo(Action.DENY);
        assertThat(policy.dryRun()).isFalse();
        assertThat(policy.rules()).singleElement().satisfies(rule -> {
            assertThat(rule.from()).isEmpty();
            assertThat(rule.to()).isEmpty();
            assertThat(rule.when()).isEmpty();
        });
        return policy;
    }

    private static Optional<KubeObject> closed(Kind kind, String metadata, String spec) {
        Map<?, ?> json = new Yaml().load("{metadata: " + metadata + ", spec: " + spec + "}");
        return ApiReader.read(new ObjectKey(kind, "shop", "p"), json).closed();
    }
}
