package dev.culvert.istiod.ambient;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.culvert.kube.object.ObjectSet;
import dev.culvert.kube.object.Problem;
import dev.culvert.kube.read.YamlReader;
import dev.culvert.protos.workload.AppProtocol;
import dev.culvert.protos.workload.LoadBalancing;
import dev.culvert.protos.workload.NetworkAddress;
import dev.culvert.protos.workload.Port;
import dev.culvert.protos.workload.Service;
import dev.culvert.protos.workload.TunnelProtocol;
import dev.culvert.protos.workload.Workload;
import dev.culvert.protos.workload.WorkloadStatus;
import java.net.InetAddress;
import java.nio.file.Path;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/// ServiceEntries and WorkloadEntries.
class EntryTranslationTest {
    private static String entry(String name, String spec) {
        return """
                ---
                apiVersion: networking.istio.io/v1
                kind: ServiceEntry
                metadata: {name: %s, namespace: quay, labels: {app: of-entry}, creationTimestamp: "2026-01-02T00:00:00Z"}
                spec:
                %s
                """.formatted(name, spec.indent(2));
    }

    private static final String PORTS = """
            ports: [{number: 80, name: http, protocol: HTTP, targetPort: 8080}, {number: 443, name: tls, protocol: HTTPS}]
            """;
    private static final String MACHINE = """
            ---
            apiVersion: networking.istio.io/v1
            kind: WorkloadEntry
            metadata: {name: vm, namespace: quay, labels: {app: pier}, annotations: {istio.io/autoRegistrationGroup: vms}}
            spec:
              address: 198.18.0.9
              ports: {http: 9080}
              labels: {version: v3}
              locality: r1/z1
              weight: 7
              serviceAccount: pier
              network: far
            """;
    private static final String POD = """
            ---
            apiVersion: v1
            kind: Pod
            metadata: {name: pier-0, namespace: quay, labels: {app: pier}}
            spec: {nodeName: n, containers: [{name: main, ports: [{name: tls, containerPort: 8443}]}]}
            status: {phase: Running, podIP: 198.18.0.2}
            """;

    @Test
    void eachHostIsAService() {
        var all = translate(entry("pier", """
                hosts: [a.example, b.example]
                addresses: [198.19.0.7, 198.19.7.9/24]
                resolution: STATIC
                endpoints: [{address: 198.18.0.9, ports: {http: 81}}]
                subjectAltNames: [spiffe://x/y]
                """ + PORTS));
        var service = service(all, "a.example");
        assertThat(service.getName()).isEqualTo("pier");
        assertThat(service.getCanonical()).isTrue();
        assertThat(service.getAddressesList())
                .containsExactly(
                        address("198.19.0.7"),
                        address("198.19.7.0").toBuilder().setLength(24).build());
        assertThat(service.getPortsList())
                .containsExactly(
                        port(80, 8080).toBuilder()
                                .setAppProtocol(AppProtocol.HTTP11)
                                .build(),
                        port(443, 443).toBuilder()
                                .setAppProtocol(AppProtocol.TLS)
                                .build());
        assertThat(service.getSubjectAltNamesList()).containsExactly("spiffe://x/y");
        assertThat(service.hasLoadBalancing()).isFalse();
        assertThat(service(all, "b.example").getName()).isEqualTo("pier");

        var endpoint = workload(all, "ServiceEntry/quay/pier/198.18.0.9");
        assertThat(endpoint.getAddressesList()).containsExactly(bytes("198.18.0.9"));
        assertThat(endpoint.getStatus()).isEqualTo(WorkloadStatus.HEALTHY);
        assertThat(endpoint.getTunnelProtocol()).isEqualTo(TunnelProtocol.NONE);
        assertThat(endpoint.getCanonicalName()).isEqualTo("of-entry");
        assertThat(endpoint.getServicesMap()).containsOnlyKeys("quay/a.example", "quay/b.example");
        assertThat(endpoint.getServicesOrThrow("quay/a.example").getPortsList())
                .containsExactly(port(80, 81), port(443, 443));
    }

    @Test
    void aNameWithoutEndpointsIsItsOwn() {
        var all = translate(entry("pier", "hosts: [a.example]\nresolution: DNS\n" + PORTS));
        var endpoint = workload(all, "ServiceEntry/quay/pier/a.example");
        assertThat(endpoint.getHostname()).isEqualTo("a.example");
        assertThat(endpoint.getAddressesList()).isEmpty();
        assertThat(service(all, "a.example").getAddressesList()).isEmpty();

        var passed = translate(entry("pier", "hosts: ['*.example']\nresolution: NONE\naddresses: [198.19.0.0/16]\n"));
        assertThat(passed.addresses()).containsOnlyKeys("quay/*.example");
        assertThat(service(passed, "*.example").getLoadBalancing())
                .isEqualTo(LoadBalancing.newBuilder()
                        .setMode(LoadBalancing.Mode.PASSTHROUGH)
                        .setHealthPolicy(LoadBalancing.HealthPolicy.ALLOW_ALL)
                        .build());
    }

    @Test
    void aSelectorTakesPodsAndWorkloadEntries() {
        var all = translate(entry(
                        "pier",
                        "hosts: [a.example]\nresolution: STATIC\nworkloadSelector: {labels: {app: pier}}\n" + PORTS)
                + MACHINE
                + POD);
        assertThat(Objects.requireNonNull(all.addresses().get("Kubernetes//Pod/quay/pier-0"))
                        .getWorkload()
                        .getServicesOrThrow("quay/a.example")
                        .getPortsList())
                .containsExactly(port(80, 8080), port(443, 8443));
        var machine = workload(all, "WorkloadEntry/quay/vm");
        assertThat(machine.getServicesOrThrow("quay/a.example").getPortsList())
                .containsExactly(port(80, 9080), port(443, 443));
        assertThat(machine.getCapacity().getValue()).isEqualTo(7);
        assertThat(machine.getNetwork()).isEqualTo("far");
        assertThat(machine.getServiceAccount()).isEqualTo("pier");
        assertThat(machine.getLocality().getZone()).isEqualTo("z1");
        assertThat(machine.getWorkloadName()).isEqualTo("vms");
        assertThat(machine.getCanonicalName()).isEqualTo("pier");
        assertThat(machine.getCanonicalRevision()).isEqualTo("v3");
    }

    @Test
    void aServiceTakesWorkloadEntriesToo() {
        var all = translate(MACHINE + """
                ---
                apiVersion: v1
                kind: Service
                metadata: {name: pier, namespace: quay}
                spec:
                  clusterIP: 198.19.0.1
                  selector: {app: pier}
                  ports:
                  - {name: http, port: 80, targetPort: 8080}
                  - {name: other, port: 81, targetPort: http}
                  - {name: none, port: 82, targetPort: absent}
                  - {name: tls, port: 443}
                """);
        assertThat(workload(all, "WorkloadEntry/quay/vm")
                        .getServicesOrThrow("quay/pier.quay.svc.cluster.local")
                        .getPortsList())
                .containsExactly(port(80, 9080), port(81, 9080), port(443, 443));
    }

    @Test
    void policiesFindThem() {
        var all = translate(MACHINE + """
                ---
                apiVersion: security.istio.io/v1
                kind: PeerAuthentication
                metadata: {name: default, namespace: quay}
                spec: {mtls: {mode: STRICT}}
                ---
                apiVersion: security.istio.io/v1
                kind: AuthorizationPolicy
                metadata: {name: nobody, namespace: quay}
                spec: {selector: {matchLabels: {version: v3}}}
                """);
        assertThat(workload(all, "WorkloadEntry/quay/vm").getAuthorizationPoliciesList())
                .containsExactly("quay/nobody", "istio-system/istio_converted_static_strict");
    }

    @Test
    void whoHasAHostname() {
        var young = entry("young", "hosts: [a.example, pier.quay.svc.cluster.local]\n" + PORTS);
        var old = entry("old", "hosts: [a.example]\n").replace("2026-01-02", "2025-01-02");
        var elsewhere = entry("elsewhere", "hosts: [a.example, pier.quay.svc.cluster.local]\n")
                .replace("namespace: quay", "namespace: sea")
                .replace("2026-01-02", "2024-01-02");
        var all = translate(young + old + elsewhere + """
                ---
                apiVersion: v1
                kind: Service
                metadata: {name: pier, namespace: quay}
                spec: {clusterIP: 198.19.0.1, ports: [{port: 80}]}
                """);
        assertThat(service(all, "a.example").getName()).isEqualTo("old");
        assertThat(service(all, "a.example").getCanonical()).isFalse();
        assertThat(Objects.requireNonNull(all.addresses().get("sea/a.example"))
                        .getService()
                        .getCanonical())
                .isTrue();
        assertThat(service(all, "pier.quay.svc.cluster.local").getName()).isEqualTo("pier");
        assertThat(service(all, "pier.quay.svc.cluster.local").getCanonical()).isTrue();
        assertThat(Objects.requireNonNull(all.addresses().get("sea/pier.quay.svc.cluster.local"))
                        .getService()
                        .getCanonical())
                .isFalse();
        assertThat(all.problems())
                .extracting(Problem::message)
                .anyMatch(message -> message.contains("host a.example has no effect: ServiceEntry quay/old"))
                .anyMatch(message ->
                        message.contains("host pier.quay.svc.cluster.local has no effect: Service quay/pier"));
    }

    @Test
    void chosenAddressesAreThoseOfTheStatus() {
        var yaml = entry("pier", "hosts: [a.example, b.example]\nresolution: DNS\n" + PORTS)
                + "status: {addresses: [{value: 240.240.0.5, host: a.example}, {value: 240.240.0.6, host: b.example}]}\n";
        assertThat(service(translate(yaml), "b.example").getAddressesList()).containsExactly(address("240.240.0.6"));
        assertThat(service(translate(yaml.replace("DNS", "NONE")), "b.example").getAddressesList())
                .isEmpty();
    }

    private static Port port(int service, int target) {
        return Port.newBuilder().setServicePort(service).setTargetPort(target).build();
    }

    private static ByteString bytes(String address) {
        return ByteString.copyFrom(InetAddress.ofLiteral(address).getAddress());
    }

    private static NetworkAddress address(String text) {
        return NetworkAddress.newBuilder().setAddress(bytes(text)).build();
    }

    private static Workload workload(Translation all, String uid) {
        return Objects.requireNonNull(all.addresses().get("Kubernetes/networking.istio.io/" + uid))
                .getWorkload();
    }

    private static Service service(Translation all, String host) {
        return Objects.requireNonNull(all.addresses().get("quay/" + host)).getService();
    }

    private static Translation translate(String yaml) {
        var read = YamlReader.read(Path.of("quay.yaml"), yaml);
        assertThat(read.problems())
                .filteredOn(one -> one.severity() == Problem.Severity.ERROR)
                .isEmpty();
        return Translator.translate(ObjectSet.of(read.objects(), read.problems()), TranslationSettings.defaults());
    }
}
