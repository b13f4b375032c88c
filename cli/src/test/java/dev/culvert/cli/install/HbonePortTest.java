package dev.culvert.cli.install;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.client.utils.KubernetesSerialization;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class HbonePortTest {
    private static final String WEB = "metadata: {name: web, namespace: shop, labels: {app: web, tier: front}}";
    private static final String IN = "NetworkPolicy shop/p do not let the mesh in (TCP 15008): pod shop/web";
    private static final String OUT = "NetworkPolicy shop/p do not let the mesh out (TCP 15008): pod shop/web";

    /// A policy's `spec`, and what is said of it.
    enum Row {
        DENY_ALL("{podSelector: {}}", IN),
        PORT("{podSelector: {}, ingress: [{ports: [{port: 8080}]}]}", IN),
        PORT_AND_OURS("{podSelector: {}, ingress: [{ports: [{port: 8080}, {port: 15008}]}]}", ""),
        OURS_BY_UDP("{podSelector: {}, ingress: [{ports: [{port: 15008, protocol: UDP}]}]}", IN),
        RANGE("{podSelector: {}, ingress: [{ports: [{port: 15000, endPort: 15010, protocol: TCP}]}]}", ""),
        RANGE_BELOW("{podSelector: {}, ingress: [{ports: [{port: 8000, endPort: 15007}]}]}", IN),
        NAMED("{podSelector: {}, ingress: [{ports: [{port: http}]}]}", IN),
        PROTOCOL("{podSelector: {}, ingress: [{ports: [{protocol: TCP}]}]}", ""),
        NO_PORTS("{podSelector: {}, ingress: [{from: [{podSelector: {}}]}]}", ""),
        EGRESS("{podSelector: {}, policyTypes: [Egress], egress: [{ports: [{port: 53, protocol: UDP}]}]}", OUT),
        EGRESS_OURS("{podSelector: {}, policyTypes: [Egress], egress: [{ports: [{port: 15008}]}]}", ""),
        SELECTED("{podSelector: {matchLabels: {app: web}}}", IN),
        NOT_SELECTED("{podSelector: {matchLabels: {app: db}}}", ""),
        IN_SET("{podSelector: {matchExpressions: [{key: tier, operator: In, values: [front, back]}]}}", IN),
        NOT_IN_SET("{podSelector: {matchExpressions: [{key: tier, operator: NotIn, values: [front]}]}}", ""),
        EXISTS("{podSelector: {matchExpressions: [{key: tier, operator: Exists}]}}", IN),
        EXISTS_NOT("{podSelector: {matchExpressions: [{key: tier, operator: DoesNotExist}]}}", "");

        private final String spec;
        private final String said;

        Row(String spec, String said) {
            this.spec = spec;
            this.said = said;
        }
    }

    private static GenericKubernetesResource object(String yaml) {
        return new KubernetesSerialization().unmarshal(yaml, GenericKubernetesResource.class);
    }

    private static GenericKubernetesResource policy(String name, String spec) {
        return object("apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: " + name
                + ", namespace: shop}\nspec: " + spec);
    }

    private static GenericKubernetesResource pod() {
        return object("apiVersion: v1\nkind: Pod\n" + WEB);
    }

    @ParameterizedTest
    @EnumSource
    void policiesThatShutTheMeshOffAreNamed(Row row) {
        assertThat(HbonePort.blocked(List.of(pod()), List.of(policy("p", row.spec))))
                .containsExactlyElementsOf(row.said.isEmpty() ? List.of() : List.of(row.said));
    }

    /// What one admits is admitted.
    @ParameterizedTest
    @EnumSource
    void anotherPolicyOfTheSamePodMayLetItThrough(Row row) {
        var open = policy("open", "{podSelector: {}, policyTypes: [Ingress, Egress], ingress: [{}], egress: [{}]}");
        assertThat(HbonePort.blocked(List.of(pod()), List.of(policy("p", row.spec), open)))
                .isEmpty();
    }
}
