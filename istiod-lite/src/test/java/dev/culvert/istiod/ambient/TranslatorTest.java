package dev.culvert.istiod.ambient;

import static org.assertj.core.api.Assertions.assertThat;

import dev.culvert.kube.object.ObjectSet;
import dev.culvert.kube.read.YamlReader;
import dev.culvert.mesh.model.state.Change;
import dev.culvert.mesh.model.wire.AddressReader;
import dev.culvert.protos.workload.Address;
import dev.culvert.protos.workload.AppProtocol;
import dev.culvert.protos.workload.IPFamilies;
import dev.culvert.protos.workload.LoadBalancing;
import dev.culvert.protos.workload.NetworkMode;
import dev.culvert.protos.workload.Port;
import dev.culvert.protos.workload.Service;
import dev.culvert.protos.workload.TunnelProtocol;
import dev.culvert.protos.workload.Workload;
import dev.culvert.protos.workload.WorkloadStatus;
import java.nio.file.Path;
import java.util.Objects;
import org.junit.jupiter.api.Test;

class TranslatorTest {
    private static final String POD = """
            apiVersion: v1
            kind: Pod
            metadata:
              name: cart-0
              namespace: shop
              labels: {app: cart, version: v2}
              annotations: {ambient.istio.io/redirection: enabled}
            spec:
              nodeName: node-1
              serviceAccountName: cart
              containers: [{name: main, ports: [{name: http, containerPort: 8080}]}]
            status:
              phase: Running
              podIP: 198.18.65.2
              podIPs: [{ip: 198.18.65.2}, {ip: "2001:2:0:41::2"}]
              conditions: [{type: Ready, status: "True"}]
            ---
            apiVersion: v1
            kind: Node
            metadata: {name: node-1, labels: {topology.kubernetes.io/region: r1, topology.kubernetes.io/zone: z1}}
            """;
    private static final String SERVICE = """
            ---
            apiVersion: v1
            kind: Service
            metadata: {name: cart, namespace: shop}
            spec:
              clusterIP: 198.19.0.1
              clusterIPs: [198.19.0.1, "2001:2:0:ffff::1"]
              ipFamilies: [IPv4, IPv6]
              selector: {app: cart}
              ports:
                - {name: http, port: 80, targetPort: http}
                - {name: tcp-raw, port: 90, targetPort: 9090}
                - {name: none, port: 91, targetPort: unnamed}
            """;

    @Test
    void aCapturedPodIsAWorkloadReachedByHbone() {
        var workload = workload(POD + SERVICE);

        assertThat(workload.getUid()).isEqualTo("Kubernetes//Pod/shop/cart-0");
        assertThat(workload.getTunnelProtocol()).isEqualTo(TunnelProtocol.HBONE);
        assertThat(workload.getStatus()).isEqualTo(WorkloadStatus.HEALTHY);
        assertThat(workload.getAddressesList())
                .extracting(address -> address.size())
                .containsExactly(4, 16);
        assertThat(workload.getServiceAccount()).isEqualTo("cart");
        assertThat(workload.getNode()).isEqualTo("node-1");
        assertThat(workload.getCanonicalName()).isEqualTo("cart");
        assertThat(workload.getCanonicalRevision()).isEqualTo("v2");
        assertThat(workload.getLocality().getZone()).isEqualTo("z1");
        assertThat(workload.getTrustDomain()).isEmpty();
        assertThat(workload.getAuthorizationPoliciesList()).isEmpty();
        assertThat(workload.getServicesOrThrow("shop/cart.shop.svc.cluster.local")
                        .getPortsList())
                .containsExactly(port(80, 8080), port(90, 9090));
    }

    @Test
    void whatThePodLacksIsNotMadeUp() {
        assertThat(workload(POD.replace("redirection: enabled", "redirection: pending"))
                        .getTunnelProtocol())
                .isEqualTo(TunnelProtocol.NONE);
        assertThat(workload(POD.replace("status: \"True\"", "status: \"False\""))
                        .getStatus())
                .isEqualTo(WorkloadStatus.UNHEALTHY);
        assertThat(workload(POD.replace(
                                "namespace: shop\n", "namespace: shop\n  deletionTimestamp: 2026-01-01T00:00:00Z\n"))
                        .getStatus())
                .isEqualTo(WorkloadStatus.UNHEALTHY);
        assertThat(workload(POD + SERVICE.replace("namespace: shop", "namespace: other"))
                        .getServicesCount())
                .isZero();
        assertThat(workload(POD + SERVICE.replace("app: cart", "app: prices")).getServicesCount())
                .isZero();
        assertThat(translate(POD.replace("Running", "Succeeded")).addresses()).isEmpty();
        assertThat(translate(POD.replaceAll("podIPs?: .*", "")).addresses()).isEmpty();
    }

    @Test
    void namesComeFromTheController() {
        var owned = POD.replace("app: cart, version: v2", "pod-template-hash: 5d9f")
                .replace(
                        "spec:\n  nodeName",
                        "  ownerReferences: [{kind: ReplicaSet, name: cart-5d9f, controller: true}]\nspec:\n  nodeName");
        assertThat(workload(owned).getWorkloadName()).isEqualTo("cart");
        assertThat(workload(owned).getCanonicalName()).isEqualTo("cart");
        assertThat(workload(owned).getCanonicalRevision()).isEqualTo("latest");
    }

    @Test
    void aServiceKeepsItsAddressesAndPorts() {
        var service = service(SERVICE);
        assertThat(service.getHostname()).isEqualTo("cart.shop.svc.cluster.local");
        assertThat(service.getAddressesCount()).isEqualTo(2);
        assertThat(service.getIpFamilies()).isEqualTo(IPFamilies.DUAL);
        assertThat(service.getCanonical()).isTrue();
        assertThat(service.getPorts(0))
                .isEqualTo(port(80, 0).toBuilder()
                        .setAppProtocol(AppProtocol.HTTP11)
                        .build());
        assertThat(service.getPorts(1).getTargetPort()).isEqualTo(9090);
        assertThat(service.getPorts(1).getAppProtocol()).isEqualTo(AppProtocol.TCP);
        assertThat(service.hasLoadBalancing()).isFalse();
    }

    @Test
    void servicesOfOtherShapes() {
        var headless = SERVICE.replaceAll("clusterIPs: .*", "").replace("clusterIP: 198.19.0.1", "clusterIP: None");
        assertThat(service(headless).getAddressesCount()).isZero();
        assertThat(workload(POD + headless).getServicesCount()).isEqualTo(1);
        assertThat(translate(SERVICE.replace("spec:", "spec:\n  type: ExternalName"))
                        .addresses())
                .isEmpty();
        assertThat(service(SERVICE.replace("spec:", "spec:\n  internalTrafficPolicy: Local"))
                        .getLoadBalancing())
                .isEqualTo(LoadBalancing.newBuilder()
                        .setMode(LoadBalancing.Mode.STRICT)
                        .addRoutingPreference(LoadBalancing.Scope.NODE)
                        .build());
        assertThat(service(SERVICE.replace("spec:", "spec:\n  trafficDistribution: PreferClose"))
                        .getLoadBalancing()
                        .getMode())
                .isEqualTo(LoadBalancing.Mode.FAILOVER);
        assertThat(service(SERVICE.replace("spec:", "spec:\n  publishNotReadyAddresses: true"))
                        .getLoadBalancing()
                        .getHealthPolicy())
                .isEqualTo(LoadBalancing.HealthPolicy.ALLOW_ALL);
    }

    @Test
    void podsOfOtherShapes() {
        var host = workload(POD.replace("spec:", "spec:\n  hostNetwork: true"));
        assertThat(host.getNetworkMode()).isEqualTo(NetworkMode.HOST_NETWORK);
        var tunnel = workload(POD.replace("labels: {", "labels: {networking.istio.io/tunnel: http, "));
        assertThat(tunnel.getNativeTunnel()).isTrue();
        assertThat(tunnel.getTunnelProtocol()).isEqualTo(TunnelProtocol.HBONE);
        var slice = SERVICE.replace("  selector: {app: cart}\n", "") + """
                ---
                apiVersion: discovery.k8s.io/v1
                kind: EndpointSlice
                metadata: {name: cart-x, namespace: shop, labels: {kubernetes.io/service-name: cart}}
                addressType: IPv4
                endpoints: [{addresses: [198.18.65.2], targetRef: {kind: Pod, name: cart-0}}]
                ports: [{name: http, port: 8081}]
                """;
        assertThat(workload(POD + slice)
                        .getServicesOrThrow("shop/cart.shop.svc.cluster.local")
                        .getPortsList())
                .containsExactly(port(80, 8081));
        assertThat(translate(POD + slice).addresses()).hasSize(2);
    }

    /// As a ztunnel reads it; a pod that is not captured takes nothing but plaintext anyway.
    @Test
    void portsThatAPodKeepsOutOfTheMeshArePublished() {
        var annotated = POD.replace(
                "redirection: enabled}", "redirection: enabled, culvert.dev/exclude-inbound-ports: \"9100, 9200\"}");
        var read = (Change.PutWorkload) AddressReader.read(
                Address.newBuilder().setWorkload(workload(annotated)).build());
        assertThat(read.workload().tunnel().plainPorts()).containsExactlyInAnyOrder(9100, 9200);
        assertThat(workload(annotated.replace("redirection: enabled", "redirection: pending"))
                        .getExtensionsList())
                .isEmpty();
        assertThat(workload(annotated.replace("9200", "http")).getExtensionsList())
                .isEmpty();
        assertThat(workload(POD).getExtensionsList()).isEmpty();
    }

    /// The field, then the Service's annotation, then that of its namespace; an unknown word ends the search.
    @Test
    void theFirstPlaceThatSaysATrafficDistributionCounts() {
        var key = "networking.istio.io/traffic-distribution";
        var namespace = """
                ---
                apiVersion: v1
                kind: Namespace
                metadata: {name: shop, annotations: {%s: PreferSameNode}}
                """.formatted(key);
        var annotated = SERVICE.replace("namespace: shop}", "namespace: shop, annotations: {" + key + ": %s}}");
        assertThat(service(SERVICE + namespace).getLoadBalancing().getRoutingPreferenceCount())
                .isEqualTo(5);
        assertThat(service(annotated.formatted("PREFERCLOSE") + namespace)
                        .getLoadBalancing()
                        .getRoutingPreferenceCount())
                .isEqualTo(3);
        assertThat(service(annotated.formatted("Any") + namespace).hasLoadBalancing())
                .isFalse();
        assertThat(service(annotated.formatted("Any").replace("spec:", "spec:\n  trafficDistribution: PreferSameZone"))
                        .getLoadBalancing()
                        .getRoutingPreferenceCount())
                .isEqualTo(3);
    }

    @Test
    void anEndpointThatIsNoPodIsAWorkload() {
        var addresses = translate("""
                        apiVersion: v1
                        kind: Service
                        metadata: {name: kubernetes, namespace: default}
                        spec: {clusterIP: 198.19.0.1, ports: [{name: https, port: 443, targetPort: 6443}]}
                        ---
                        apiVersion: discovery.k8s.io/v1
                        kind: EndpointSlice
                        metadata:
                          name: kubernetes
                          namespace: default
                          labels: {kubernetes.io/service-name: kubernetes}
                        addressType: IPv4
                        endpoints:
                          - {addresses: [198.18.0.1]}
                          - {addresses: [198.18.0.2], conditions: {ready: false}}
                        ports: [{name: https, port: 6443}]
                        """).addresses();
        var workload = Objects.requireNonNull(
                        addresses.get("Kubernetes/discovery.k8s.io/EndpointSlice/default/kubernetes/198.18.0.1"))
                .getWorkload();
        assertThat(workload.getNetworkMode()).isEqualTo(NetworkMode.HOST_NETWORK);
        assertThat(workload.getStatus()).isEqualTo(WorkloadStatus.HEALTHY);
        assertThat(workload.getTunnelProtocol()).isEqualTo(TunnelProtocol.NONE);
        assertThat(workload.getServicesOrThrow("default/kubernetes.default.svc.cluster.local")
                        .getPortsList())
                .containsExactly(port(443, 6443));
        assertThat(Objects.requireNonNull(addresses.get(
                                "Kubernetes/discovery.k8s.io/EndpointSlice/default/kubernetes/198.18.0.2"))
                        .getWorkload()
                        .getStatus())
                .isEqualTo(WorkloadStatus.UNHEALTHY);
    }

    @Test
    void equalObjectsGiveEqualTranslations() {
        assertThat(translate(POD + SERVICE)).isEqualTo(translate(POD + SERVICE));
    }

    private static Port port(int service, int target) {
        return Port.newBuilder().setServicePort(service).setTargetPort(target).build();
    }

    private static Workload workload(String yaml) {
        return Objects.requireNonNull(translate(yaml).addresses().get("Kubernetes//Pod/shop/cart-0"))
                .getWorkload();
    }

    private static Service service(String yaml) {
        return Objects.requireNonNull(translate(yaml).addresses().get("shop/cart.shop.svc.cluster.local"))
                .getService();
    }

    private static Translation translate(String yaml) {
        var read = YamlReader.read(Path.of("shop.yaml"), yaml);
        assertThat(read.problems()).isEmpty();
        return Translator.translate(ObjectSet.of(read.objects(), read.problems()), TranslationSettings.defaults());
    }
}
