package dev.culvert.istiod.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import dev.culvert.daemon.log.AccessFormat;
import dev.culvert.kube.object.Gateway;
import dev.culvert.kube.read.YamlReader;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.ServicePort;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class WaypointManifestsTest {
    private static final Gateway GATEWAY =
            (Gateway) YamlReader.read(Path.of("wp.yaml"), """
                    apiVersion: gateway.networking.k8s.io/v1
                    kind: Gateway
                    metadata: {name: wp, namespace: shop, uid: u1}
                    spec:
                      gatewayClassName: istio-waypoint
                      listeners: [{name: mesh, port: 15008, protocol: HBONE}]
                    """).objects().getFirst();
    static final WaypointManifests MANIFESTS = new WaypointManifests(new WaypointManifests.Settings(
            "culvert/waypoint:1",
            "https://istiod.mesh.svc:15012",
            "c1",
            "td",
            "cluster.local",
            "n1",
            AccessFormat.JSON));

    @Test
    void everythingHasTheGatewaysNameAndBelongsToIt() {
        assertThat(MANIFESTS.of(GATEWAY, List.of(), List.of()))
                .extracting(HasMetadata::getKind)
                .containsExactly("ServiceAccount", "Service", "Deployment");
        assertThat(MANIFESTS.of(GATEWAY, List.of(), List.of())).allSatisfy(one -> {
            assertThat(one.getMetadata().getName()).isEqualTo("wp");
            assertThat(one.getMetadata().getNamespace()).isEqualTo("shop");
            assertThat(one.getMetadata().getLabels())
                    .containsEntry("gateway.networking.k8s.io/gateway-name", "wp")
                    .containsEntry("gateway.istio.io/managed", "culvert.dev-mesh-controller");
            assertThat(one.getMetadata().getOwnerReferences())
                    .singleElement()
                    .satisfies(owner -> assertThat(owner.getUid()).isEqualTo("u1"));
        });
    }

    @Test
    void aGatewayAtTheEdgeHasThePortsOfItsListeners() {
        var all = MANIFESTS.of(gateway("""
                        metadata: {name: door, namespace: shop, uid: u1}
                        spec:
                          gatewayClassName: istio
                          listeners:
                          - {name: b, port: 443, protocol: HTTPS}
                          - {name: a, port: 80, protocol: HTTP, hostname: a.example}
                          - {name: c, port: 80, protocol: HTTP}
                          - {name: own, port: 15020, protocol: HTTP}
                          - {name: raw, port: 90, protocol: TCP}
                        """), List.of(8443), List.of());
        assertThat(all)
                .allSatisfy(one -> assertThat(one.getMetadata().getName()).isEqualTo("door-istio"));
        var service = ((Service) all.get(1)).getSpec();
        assertThat(service.getType()).isEqualTo("LoadBalancer");
        assertThat(service.getPorts()).extracting(ServicePort::getPort).containsExactly(15021, 80, 90, 443, 8443);
        assertThat(service.getSelector()).isEqualTo(Map.of("gateway.networking.k8s.io/gateway-name", "door"));
        var pod = ((Deployment) all.get(2)).getSpec().getTemplate();
        assertThat(pod.getSpec().getServiceAccountName()).isEqualTo("door-istio");
        assertThat(pod.getSpec().getSecurityContext().getSysctls())
                .singleElement()
                .satisfies(one -> assertThat(one.getName()).isEqualTo("net.ipv4.ip_unprivileged_port_start"));
        assertThat(pod.getSpec().getContainers().getFirst().getPorts())
                .extracting(port -> port.getContainerPort())
                .doesNotContain(8443);
        assertThat(pod.getMetadata().getLabels())
                .containsEntry("istio.io/dataplane-mode", "none")
                .doesNotContainKey("networking.istio.io/tunnel");
    }

    /// Prefixes of the Gateway API and what makes a pod a waypoint are not for users to set.
    @Test
    void labelsAndAnnotationsOfTheInfrastructureAreOnEverythingButDoNotReplaceOurs() {
        var gateway = gateway("""
                metadata:
                  {name: wp, namespace: shop, uid: u1, labels: {own: "1"}, annotations: {networking.istio.io/service-type: NodePort}}
                spec:
                  gatewayClassName: istio-waypoint
                  infrastructure:
                    labels: {team: a, istio.io/dataplane-mode: ambient, gateway.networking.k8s.io/gateway-name: other}
                    annotations: {note: b, prometheus.io/scrape: "false", networking.istio.io/traffic-distribution: Any}
                """);
        var all = MANIFESTS.of(gateway, List.of(), List.of());
        assertThat(all).allSatisfy(one -> {
            assertThat(one.getMetadata().getLabels())
                    .containsEntry("team", "a")
                    .containsEntry("gateway.networking.k8s.io/gateway-name", "wp")
                    .doesNotContainKey("own");
            assertThat(one.getMetadata().getAnnotations()).containsEntry("note", "b");
        });
        var service = (Service) all.get(1);
        assertThat(service.getSpec().getType()).isEqualTo("NodePort");
        assertThat(service.getMetadata().getAnnotations())
                .containsEntry("networking.istio.io/traffic-distribution", "Any");
        var pod = ((Deployment) all.get(2)).getSpec().getTemplate().getMetadata();
        assertThat(pod.getLabels()).containsEntry("team", "a").containsEntry("istio.io/dataplane-mode", "none");
        assertThat(pod.getAnnotations()).containsEntry("note", "b").containsEntry("prometheus.io/scrape", "true");
    }

    @Test
    void withoutInfrastructureTheGatewaysOwnAreUsedButForWhatKubectlWrites() {
        var gateway = gateway("""
                metadata:
                  name: wp
                  namespace: shop
                  labels: {own: "1"}
                  annotations: {kubectl.kubernetes.io/last-applied-configuration: "{}", note: b}
                spec: {gatewayClassName: istio-waypoint}
                """);
        var service = MANIFESTS.of(gateway, List.of(), List.of()).get(1).getMetadata();
        assertThat(service.getLabels()).containsEntry("own", "1");
        assertThat(service.getAnnotations())
                .containsExactlyInAnyOrderEntriesOf(
                        Map.of("note", "b", "networking.istio.io/traffic-distribution", "PreferClose"));
    }

    private static Gateway gateway(String rest) {
        var text = "apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\n" + rest;
        return (Gateway) YamlReader.read(Path.of("wp.yaml"), text).objects().getFirst();
    }

    @Test
    void theServiceLeadsToTheTunnelPort() {
        var service = (Service) MANIFESTS.of(GATEWAY, List.of(), List.of()).get(1);
        assertThat(service.getSpec().getPorts())
                .extracting(port -> port.getPort())
                .containsExactly(15021, 15008);
    }

    @Test
    void thePodIsAWaypointWithItsOwnAccountAndNoRights() {
        var pod = ((Deployment) MANIFESTS.of(GATEWAY, List.of(), List.of()).get(2))
                .getSpec()
                .getTemplate();
        assertThat(pod.getMetadata().getLabels())
                .containsEntry("istio.io/dataplane-mode", "none")
                .containsEntry("networking.istio.io/tunnel", "http");
        assertThat(pod.getSpec().getServiceAccountName()).isEqualTo("wp");
        var container = pod.getSpec().getContainers().getFirst();
        assertThat(container.getImage()).isEqualTo("culvert/waypoint:1");
        assertThat(container.getArgs()).containsExactly("proxy");
        assertThat(container.getSecurityContext().getRunAsNonRoot()).isTrue();
        assertThat(container.getSecurityContext().getReadOnlyRootFilesystem()).isTrue();
        assertThat(container.getSecurityContext().getCapabilities().getDrop()).containsExactly("ALL");
        assertThat(container.getEnv())
                .filteredOn(one -> one.getValue() != null)
                .extracting(one -> one.getName() + "=" + one.getValue())
                .contains(
                        "XDS_ADDRESS=https://istiod.mesh.svc:15012",
                        "TRUST_DOMAIN=td",
                        "CLUSTER_ID=c1",
                        "NETWORK=n1",
                        "CULVERT_ACCESS_LOG=json",
                        "CULVERT_STATE_DIR=/run/culvert/state",
                        "CULVERT_KEYS_DIR=/run/culvert/keys",
                        "AUTH_TOKEN=/var/run/secrets/tokens/istio-token");
        assertThat(pod.getSpec().getVolumes())
                .filteredOn(volume -> volume.getName().equals("kept"))
                .singleElement()
                .satisfies(volume -> assertThat(volume.getEmptyDir().getMedium())
                        .as("keys never lie on a disk")
                        .isEqualTo("Memory"));
        assertThat(pod.getSpec().getVolumes().getFirst().getProjected().getSources())
                .singleElement()
                .satisfies(source -> assertThat(source.getServiceAccountToken().getAudience())
                        .isEqualTo("istio-ca"));
    }

    @Test
    void equalGatewaysGiveEqualManifests() {
        assertThat(MANIFESTS.of(GATEWAY, List.of(), List.of())).isEqualTo(MANIFESTS.of(GATEWAY, List.of(), List.of()));
    }
}
