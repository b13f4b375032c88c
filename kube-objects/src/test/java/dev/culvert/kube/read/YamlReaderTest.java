package dev.culvert.kube.read;

import static org.assertj.core.api.Assertions.assertThat;

import dev.culvert.kube.object.AuthorizationPolicy;
import dev.culvert.kube.object.Deployment;
import dev.culvert.kube.object.KubeObject;
import dev.culvert.kube.object.PeerAuthentication;
import dev.culvert.kube.object.Pod;
import dev.culvert.kube.object.PortRef;
import dev.culvert.kube.object.Probe;
import dev.culvert.kube.object.Problem;
import dev.culvert.kube.object.Service;
import dev.culvert.kube.object.Unserved;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class YamlReaderTest {
    private static final Path FILE = Path.of("shop.yaml");

    @Test
    void objectsOfAllKindsAreRead() {
        var result = YamlReader.read(FILE, """
                # a comment first
                apiVersion: v1
                kind: Namespace
                metadata: {name: shop, labels: {istio.io/dataplane-mode: ambient}}
                ---
                apiVersion: v1
                kind: ServiceAccount
                metadata: {name: cart, namespace: shop}
                ---
                apiVersion: v1
                kind: Node
                metadata: {name: node-1}
                status: {addresses: [{type: InternalIP, address: 198.18.0.11}, {type: Hostname, address: node-1}]}
                ---
                apiVersion: discovery.k8s.io/v1
                kind: EndpointSlice
                metadata: {name: cart-x, namespace: shop}
                addressType: IPv4
                endpoints: [{addresses: [198.18.65.2], conditions: {ready: true}, targetRef: {kind: Pod, name: cart-0}}]
                ports: [{name: http, port: 8080}]
                """);
        assertThat(result.problems()).isEmpty();
        assertThat(result.objects())
                .extracting(object -> object.key().toString())
                .containsExactly(
                        "Namespace shop", "ServiceAccount shop/cart", "Node node-1", "EndpointSlice shop/cart-x");
    }

    @Test
    void podsAreRead() {
        var pod = (Pod) only("""
                apiVersion: v1
                kind: Pod
                metadata:
                  name: cart-0
                  namespace: shop
                  uid: u-1
                  ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: cart-5d, uid: u, controller: true}]
                spec:
                  nodeName: node-1
                  serviceAccountName: cart
                  containers:
                    - name: main
                      image: anything
                      command: ["culvert", "serve"]
                      ports: [{name: http, containerPort: 8080}]
                      env: [{name: A, value: "1"}, {name: IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}]
                      readinessProbe: {httpGet: {path: /ready, port: http}, periodSeconds: 2}
                      startupProbe: {grpc: {port: 9000, service: cart}}
                      livenessProbe: {tcpSocket: {host: elsewhere.test, port: 25}}
                      lifecycle: {preStop: {httpGet: {path: /bye, port: 8081}}, postStart: {exec: {command: [a]}}}
                      resources: {limits: {cpu: 1}}
                status:
                  phase: Running
                  podIP: 198.18.65.2
                  podIPs: [{ip: 198.18.65.2}, {ip: "2001:2:0:41::2"}]
                  conditions: [{type: Ready, status: "True"}]
                """);
        assertThat(pod.addresses()).hasSize(2);
        assertThat(pod.ready()).isTrue();
        assertThat(pod.metadata().owner()).isPresent();
        assertThat(pod.spec().containers().getFirst().ports().getFirst().name()).isEqualTo("http");
        assertThat(pod.spec().containers().getFirst().env().get(1).fieldPath()).isEqualTo("status.podIP");
        assertThat(pod.spec()
                        .containers()
                        .getFirst()
                        .readinessProbe()
                        .orElseThrow()
                        .check())
                .isEqualTo(new Probe.Check.Http("", new PortRef.Named("http"), "/ready", false));
        assertThat(pod.spec().containers().getFirst().checks())
                .contains(
                        new Probe.Check.Grpc(9000),
                        new Probe.Check.Tcp("elsewhere.test", new PortRef.Numbered(25)),
                        new Probe.Check.Http("", new PortRef.Numbered(8081), "/bye", false));
    }

    @Test
    void deploymentsAndServicesAreRead() {
        var deployment = (Deployment) only("""
                apiVersion: apps/v1
                kind: Deployment
                metadata: {name: cart, namespace: shop}
                spec:
                  replicas: 2
                  selector: {matchLabels: {app: cart}}
                  template:
                    metadata: {labels: {app: cart}}
                    spec: {containers: [{name: main, image: x}]}
                """);
        assertThat(deployment.replicas()).isEqualTo(2);
        assertThat(deployment.template().spec().serviceAccount()).isEqualTo("default");

        var service = (Service) only("""
                apiVersion: v1
                kind: Service
                metadata: {name: cart, namespace: shop}
                spec:
                  clusterIP: 198.19.0.1
                  clusterIPs: [198.19.0.1, "2001:2:0:ffff::1"]
                  selector: {app: cart}
                  ports: [{name: http, port: 80, targetPort: http}, {name: raw, port: 90}]
                """);
        assertThat(service.addresses()).hasSize(2);
        assertThat(service.ports().get(0).target()).isEqualTo(new PortRef.Named("http"));
        assertThat(service.ports().get(1).target()).isEqualTo(new PortRef.Numbered(90));
        assertThat(service.selects(Map.of("app", "cart", "version", "v1"))).isTrue();
        assertThat(service.selects(Map.of("app", "prices"))).isFalse();
    }

    @Test
    void bothVersionsOfPoliciesReadTheSame() {
        for (var version : new String[] {"v1", "v1beta1"}) {
            var peer = (PeerAuthentication) only("apiVersion: security.istio.io/" + version + """

                    kind: PeerAuthentication
                    metadata: {name: default, namespace: shop}
                    spec:
                      selector: {matchLabels: {app: cart}}
                      mtls: {mode: STRICT}
                      portLevelMtls: {8080: {mode: DISABLE}}
                    """);
            assertThat(peer.ports()).containsExactly(Map.entry(8080, PeerAuthentication.Mode.DISABLE));
            var policy = (AuthorizationPolicy) only("apiVersion: security.istio.io/" + version + """

                    kind: AuthorizationPolicy
                    metadata: {name: one, namespace: shop}
                    spec:
                      rules:
                        - from: [{source: {principals: ["cluster.local/ns/shop/sa/web"]}}]
                          to: [{operation: {ports: ["8080"], notMethods: ["GET"]}}]
                          when: [{key: source.ip, values: ["10.0.0.0/8"]}]
                    """);
            assertThat(policy.action()).isEqualTo(AuthorizationPolicy.Action.ALLOW);
            assertThat(policy.rules().getFirst().to().getFirst().methods().notIn())
                    .containsExactly("GET");
        }
    }

    /// What is wrong with one document, where and how it is to be put right.
    record Bad(String yaml, int line, String message, String fix) {}

    static Stream<Bad> bad() {
        var policy = "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: a, namespace: b}\n";
        var service = "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec:\n";
        return Stream.of(
                new Bad("apiVersion: v1\nkind: Pod\nmetadata: {name: x\n", 3, "YAML syntax", "check indentation"),
                new Bad("apiVersion: v1\nkind: Pod\n\tmetadata: x\n", 3, "YAML syntax", "indent with spaces"),
                new Bad("apiVersion: v1\nkind: Servce\nmetadata: {name: a}", 2, "unknown kind Servce", "mean Service?"),
                new Bad("kind: Service\nmetadata: {name: a}", 1, "apiVersion is missing", "add it"),
                new Bad("apiVersion: v2\nkind: Service\nmetadata: {name: a}", 1, "unknown apiVersion v2", "write v1"),
                new Bad(service + "  selectr: {a: b}\n  ports: [{port: 80}]", 5, "spec.selectr", "mean selector?"),
                new Bad(service + "  ports:\n    - {port: \"80\"}", 6, "integer 1..65535", "without quotes"),
                new Bad(service + "  ports:\n    - {port: 70000}", 6, "integer 1..65535, not \"70000\"", ""),
                new Bad(service + "  ports:\n    - {port: 80}\n    - {port: 81}", 6, "must name each", "ports[0].name"),
                new Bad(
                        service + "  clusterIP: \"10.1\"\n  ports: [{port: 80}]",
                        5,
                        "not an IP address",
                        "leave it out"),
                new Bad(service + "  ports: [{port: 80}]\n  ports: [{port: 81}]", 6, "written twice", "keep one"),
                new Bad(
                        "apiVersion: v1\nkind: Namespace\nmetadata: {name: A_b}",
                        3,
                        "not a Kubernetes name",
                        "lower-case"),
                new Bad(
                        "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: a\n  labels: {v: 1}",
                        5,
                        "the number 1",
                        "quotes"),
                new Bad(policy + "spec: {action: DENNY}", 4, "must be one of ALLOW", "mean DENY?"),
                new Bad(policy + "spec: {rules: [{form: []}]}", 4, "spec.rules[0].form", "mean from?"),
                new Bad(policy + "spec: {rules: [{from: [{source: {}}]}]}", 4, "source is empty", "name at least"),
                new Bad(policy + "spec: {rules: [{to: [{operation: {ports: [80]}}]}]}", 4, "the number 80", "quotes"),
                new Bad(
                        policy + "spec: {rules: [{to: [{operation: {ports: [\"http\"]}}]}]}",
                        4,
                        "not a port",
                        "1..65535"),
                new Bad(
                        policy + "spec: {rules: [{when: [{key: source.ipp, values: [a]}]}]}",
                        4,
                        "unknown condition key source.ipp",
                        "mean source.ip?"),
                new Bad(
                        "apiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: {name: a}\n"
                                + "spec: {portLevelMtls: {80: {mode: STRICT}}}",
                        4,
                        "needs a selector",
                        "matchLabels"),
                new Bad("""
                        apiVersion: v1
                        kind: Pod
                        metadata: {name: a}
                        spec:
                          containers:
                            - name: x
                              comand: [a]
                        """, 7, "spec.containers[0].comand", "mean command?"));
    }

    @ParameterizedTest
    @MethodSource("bad")
    void whatIsWrongIsNamedByLineWithItsFixAndSpoilsNothingElse(Bad bad) {
        var good = "apiVersion: v1\nkind: Namespace\nmetadata: {name: good}\n---\n";
        var result = YamlReader.read(FILE, good + bad.yaml + "\n---\n" + good.replace("good", "last"));

        assertThat(result.objects()).extracting(KubeObject::name).containsExactly("good", "last");
        assertThat(result.problems()).isNotEmpty();
        var problem = result.problems().getFirst();
        assertThat(problem.severity()).isEqualTo(Problem.Severity.ERROR);
        assertThat(problem.place().line()).as(problem.toString()).isEqualTo(bad.line + 4);
        assertThat(problem.message()).contains(bad.message);
        assertThat(problem.fix()).contains(bad.fix);
    }

    @Test
    void kindsThatWeDoNotActOnAreWarnedOf() {
        var result = YamlReader.read(FILE, """
                apiVersion: gateway.networking.k8s.io/v1
                kind: BackendTLSPolicy
                metadata: {name: a}
                spec: {anything: goes}
                """);
        assertThat(result.unclear()).isFalse();
        assertThat(result.problems().toString())
                .contains("shop.yaml:2: BackendTLSPolicy a: BackendTLSPolicy is not supported yet and is ignored");
        assertThat(result.problems().getFirst().severity()).isEqualTo(Problem.Severity.WARNING);
    }

    @ParameterizedTest
    @CsvSource({
        "Sidecar, networking.istio.io/v1, AuthorizationPolicy of the callee",
        "EnvoyFilter, networking.istio.io/v1alpha3, write an HTTPRoute",
        "ProxyConfig, networking.istio.io/v1beta1, spec.infrastructure.parametersRef",
        "WorkloadGroup, networking.istio.io/v1beta1, write a WorkloadEntry for each machine",
        "WasmPlugin, extensions.istio.io/v1alpha1, write an AuthorizationPolicy or a RequestAuthentication",
        "TrafficExtension, extensions.istio.io/v1alpha1, write an AuthorizationPolicy or a RequestAuthentication"
    })
    void kindsOfSidecarsHaveNoEffectAndTheirAuthorsAreToldWhatToWrite(String kind, String version, String fix) {
        var result = YamlReader.read(FILE, """
                apiVersion: %s
                kind: %s
                metadata: {name: a}
                spec: {anything: goes}
                """.formatted(version, kind));
        assertThat(result.objects()).singleElement().isInstanceOf(Unserved.class);
        assertThat(result.objects().getFirst().kind().text()).isEqualTo(kind);
        var problem = result.problems().getFirst();
        assertThat(problem.isUnused()).isTrue();
        assertThat(problem.isError()).isFalse();
        assertThat(problem.fix()).contains(fix);
    }

    private static KubeObject only(String yaml) {
        var result = YamlReader.read(FILE, yaml);
        assertThat(result.problems()).isEmpty();
        assertThat(result.objects()).hasSize(1);
        return result.objects().getFirst();
    }
}
