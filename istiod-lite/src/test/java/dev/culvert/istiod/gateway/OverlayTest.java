package dev.culvert.istiod.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.culvert.kube.object.Gateway;
import dev.culvert.kube.read.YamlReader;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.autoscaling.v2.HorizontalPodAutoscaler;
import io.fabric8.kubernetes.api.model.policy.v1.PodDisruptionBudget;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class OverlayTest {
    private static final Gateway GATEWAY = gateway("{group: '', kind: ConfigMap, name: own}");

    private static Gateway gateway(String parameters) {
        return (Gateway) YamlReader.read(Path.of("wp.yaml"), """
                apiVersion: gateway.networking.k8s.io/v1
                kind: Gateway
                metadata: {name: wp, namespace: shop, uid: u1}
                spec:
                  gatewayClassName: istio-waypoint
                  infrastructure: {parametersRef: %s}
                  listeners: [{name: mesh, port: 15008, protocol: HBONE}]
                """.formatted(parameters))
                .objects()
                .getFirst();
    }

    private static Overlay overlay(Map<String, String> data) {
        return Overlay.of(new ConfigMapBuilder()
                .withNewMetadata()
                .withNamespace("shop")
                .withName("own")
                .endMetadata()
                .withData(data)
                .build());
    }

    private static <T extends HasMetadata> T only(Class<T> type, Overlay... overlays) {
        return WaypointManifestsTest.MANIFESTS.of(GATEWAY, List.of(), List.of(overlays)).stream()
                .filter(type::isInstance)
                .map(type::cast)
                .findFirst()
                .orElseThrow();
    }

    @Test
    void theGatewayNamesItsConfigMap() {
        assertThat(GATEWAY.infrastructure().parameters()).contains("own");
    }

    /// It is read all the same, so that its author is told.
    @Test
    void whatIsNoConfigMapIsNamed() {
        var other = gateway("{group: invalid.io, kind: Odd, name: own}").infrastructure();
        assertThat(other.parameters()).isEmpty();
        assertThat(other.otherParameters()).isEqualTo("Odd own");
    }

    @Test
    void laterOverlaysWinOverEarlierAndKeepWhatTheyDoNotName() {
        var first = overlay(Map.of("deployment", """
                spec:
                  replicas: 2
                  template: {spec: {priorityClassName: high, containers: [{name: istio-proxy, resources: {limits: {cpu: "4"}}}]}}
                """));
        var second = overlay(Map.of(
                "deployment", "spec: {replicas: 3}", "service", "{spec: {type: LoadBalancer, loadBalancerClass: x}}"));
        var spec = only(Deployment.class, first, second).getSpec();
        assertThat(spec.getReplicas()).isEqualTo(3);
        assertThat(spec.getTemplate().getSpec().getPriorityClassName()).isEqualTo("high");
        var container = spec.getTemplate().getSpec().getContainers().getFirst();
        assertThat(container.getImage()).isEqualTo("culvert/waypoint:1");
        assertThat(container.getResources().getLimits())
                .containsEntry("cpu", new Quantity("4"))
                .containsEntry("memory", new Quantity("1Gi"));
        var service = only(Service.class, first, second).getSpec();
        assertThat(service.getType()).isEqualTo("LoadBalancer");
        assertThat(service.getPorts()).hasSize(2);
    }

    @Test
    void autoscalerAndBudgetAreThereWhenNamedOnly() {
        assertThat(WaypointManifestsTest.MANIFESTS.of(
                        GATEWAY, List.of(), List.of(overlay(Map.of("deployment", "spec: {replicas: 2}")))))
                .hasSize(3);
        var both = overlay(Map.of(
                "horizontalPodAutoscaler", "spec: {minReplicas: 2, maxReplicas: 5}",
                "podDisruptionBudget", "spec: {minAvailable: 1}"));
        var autoscaler = only(HorizontalPodAutoscaler.class, both).getSpec();
        assertThat(autoscaler.getScaleTargetRef().getName()).isEqualTo("wp");
        assertThat(autoscaler.getMaxReplicas()).isEqualTo(5);
        var budget = only(PodDisruptionBudget.class, both).getSpec();
        assertThat(budget.getMinAvailable().getIntVal()).isEqualTo(1);
        assertThat(budget.getSelector().getMatchLabels()).containsEntry("gateway.networking.k8s.io/gateway-name", "wp");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            pods                | spec: {}                                                    | unknown key pods
            deployment          | [1]                                                         | deployment must be part of an object
            deployment          | `{`                                                         | deployment is not YAML
            deployment          | metadata: {name: other}                                     | Deployment: name, namespace, owner
            deployment          | metadata: {namespace: other}                                | Deployment: name, namespace, owner
            service             | metadata: {ownerReferences: [{uid: u1, name: other}]}       | Service: name, namespace, owner
            serviceAccount      | metadata: {labels: {gateway.istio.io/managed: other}}       | ServiceAccount: name, namespace, owner
            service             | spec: {selector: {app: other}}                              | Service: name, namespace, owner
            podDisruptionBudget | spec: {selector: {matchLabels: {app: other}}}               | PodDisruptionBudget: name, namespace, owner
            deployment          | spec: {replicas: many}                                      | Deployment:
            deployment          | spec: {template: {spec: {containers: [{image: x}]}}}        | an element of containers has no name
            """)
    void whatCannotBeIsRefusedWithTheConfigMapAndTheKey(String key, String text, String why) {
        assertThatThrownBy(() ->
                        WaypointManifestsTest.MANIFESTS.of(GATEWAY, List.of(), List.of(overlay(Map.of(key, text)))))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("ConfigMap shop/own: ")
                .hasMessageContaining(why);
    }
}
