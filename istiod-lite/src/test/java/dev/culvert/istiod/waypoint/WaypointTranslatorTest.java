package dev.culvert.istiod.waypoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import dev.culvert.istiod.ambient.TranslationSettings;
import dev.culvert.kube.object.ObjectSet;
import dev.culvert.kube.read.YamlReader;
import dev.culvert.protos.waypoint.Action;
import dev.culvert.protos.waypoint.Attribute;
import dev.culvert.protos.waypoint.Backend;
import dev.culvert.protos.waypoint.PathNormalization;
import dev.culvert.protos.waypoint.Protocol;
import dev.culvert.protos.waypoint.RequestMatch;
import dev.culvert.protos.waypoint.Route;
import dev.culvert.protos.waypoint.ServiceConfig;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/// Routes and policies as a waypoint gets them.
class WaypointTranslatorTest {
    static final String QUAY = """
            apiVersion: v1
            kind: Namespace
            metadata: {name: quay, labels: {istio.io/use-waypoint: w}}
            ---
            apiVersion: gateway.networking.k8s.io/v1
            kind: Gateway
            metadata: {name: w, namespace: quay}
            spec: {gatewayClassName: istio-waypoint, listeners: [{name: mesh, port: 15008, protocol: HBONE}]}
            ---
            apiVersion: v1
            kind: Service
            metadata:
              name: w
              namespace: quay
              labels: {gateway.networking.k8s.io/gateway-name: w, gateway.istio.io/managed: culvert.dev-mesh-controller}
            spec: {clusterIP: 198.19.0.9, ports: [{port: 15008}]}
            ---
            apiVersion: v1
            kind: Service
            metadata: {name: berth, namespace: quay}
            spec:
              clusterIP: 198.19.0.1
              selector: {app: berth}
              ports:
              - {name: http, port: 80}
              - {name: grpc, port: 81}
              - {name: tcp-telex, port: 82}
              - {name: any, port: 83}
            ---
            apiVersion: v1
            kind: Pod
            metadata: {name: berth-calm-0, namespace: quay, labels: {app: berth, tide: calm}}
            spec: {nodeName: n, containers: [{name: a}]}
            ---
            apiVersion: v1
            kind: Pod
            metadata: {name: berth-swell-0, namespace: quay, labels: {app: berth, tide: swell}}
            spec: {nodeName: n, containers: [{name: a}]}
            """;

    private static WaypointTranslator.Result translate(String more) {
        var read = YamlReader.read(Path.of("quay.yaml"), QUAY + "---\n" + more);
        return WaypointTranslator.translate(
                ObjectSet.of(read.objects(), read.problems()), TranslationSettings.defaults());
    }

    private static ServiceConfig berth(WaypointTranslator.Result result) {
        return Objects.requireNonNull(result.resources().get("quay/w/quay/berth.quay.svc.cluster.local"));
    }

    private static List<Route> routes(WaypointTranslator.Result result) {
        return berth(result).getPorts(0).getRoutesList();
    }

    @Test
    void serviceWithoutRoutesGoesToItselfWithRetries() {
        var result = translate("");
        assertThat(result.resources()).hasSize(1);
        var ports = berth(result).getPortsList();
        assertThat(ports)
                .extracting(dev.culvert.protos.waypoint.Port::getProtocol)
                .containsExactly(Protocol.HTTP1, Protocol.HTTP2, Protocol.TCP, Protocol.DETECT);
        var route = ports.getFirst().getRoutes(0);
        assertThat(route.getName()).isEqualTo("default");
        assertThat(route.getForward().getBackends(0).getHostname()).isEqualTo("berth.quay.svc.cluster.local");
        assertThat(route.getForward().getRetry().getAttempts()).isEqualTo(2);
    }

    private static final String CANARY = """
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: early, namespace: quay}
            spec:
              hosts: [berth]
              http:
              - match: [{headers: {x-early: {exact: "yes"}}}]
                route: [{destination: {host: berth, subset: swell}}]
              - route:
                - {destination: {host: berth, subset: calm}, weight: 85}
                - {destination: {host: berth.quay.svc.cluster.local, subset: swell}, weight: 15}
            """;
    private static final String SUBSETS = """
            ---
            apiVersion: networking.istio.io/v1
            kind: DestinationRule
            metadata: {name: berth, namespace: quay}
            spec:
              host: berth
              subsets: [{name: calm, labels: {tide: calm}}, {name: swell, labels: {tide: swell}}]
            """;

    @Test
    void subsetsAreResolvedToWorkloads() {
        var result = translate(CANARY + SUBSETS);
        assertThat(result.problems()).isEmpty();
        var routes = routes(result);
        assertThat(routes).extracting(Route::getName).containsExactly("quay.early.0", "quay.early.1");
        var backends = routes.get(1).getForward().getBackendsList();
        assertThat(backends).extracting(Backend::getWeight).containsExactly(85, 15);
        assertThat(backends.getFirst().getSubset().getWorkloadsList())
                .containsExactly("Kubernetes//Pod/quay/berth-calm-0");
        assertThat(routes.getFirst().getForward().getBackends(0).getWeight()).isEqualTo(1);
    }

    @Test
    void subsetThatNobodyDeclaredAnswers503AndIsNamed() {
        var result = translate(CANARY);
        assertThat(routes(result).getFirst().getForward().getBackends(0).getBrokenStatus())
                .isEqualTo(503);
        assertThat(result.problems().toString()).contains("no DestinationRule declares subset swell of Service berth");
    }

    @Test
    void httpRoutesAreSortedByHowSpecificTheyAreAndShadowVirtualServices() {
        var result = translate(CANARY + SUBSETS + """
                ---
                apiVersion: gateway.networking.k8s.io/v1
                kind: HTTPRoute
                metadata: {name: r, namespace: quay}
                spec:
                  parentRefs: [{group: "", kind: Service, name: berth, port: 80}]
                  rules:
                  - {name: any, backendRefs: [{name: berth, port: 80}]}
                  - {name: short, matches: [{path: {value: /a}}], backendRefs: [{name: berth, port: 80}]}
                  - {name: long, matches: [{path: {value: /a/b}}, {path: {type: Exact, value: /x}}], backendRefs: [{name: gone, port: 80}]}
                  - {name: post, matches: [{path: {value: /a}, method: POST}], backendRefs: [{name: berth, port: 80, namespace: other}]}
                """);
        assertThat(routes(result)).extracting(Route::getName).containsExactly("long", "long", "post", "short", "any");
        assertThat(routes(result).getFirst().getForward().getBackends(0).getBrokenStatus())
                .isEqualTo(500);
        assertThat(routes(result).get(2).getForward().getBackends(0).getBrokenStatus())
                .isEqualTo(500);
        assertThat(result.problems().toString())
                .contains("there is no Service gone", "RefNotPermitted", "an HTTPRoute is attached to it");
        assertThat(berth(result).getPorts(1).getRoutes(0).getName()).isEqualTo("quay.early.0");
    }

    @Test
    void whatCannotBeCarriedOutIsRefusedAndWhatMatchesNothingIsTold() {
        var result = translate("""
                apiVersion: networking.istio.io/v1
                kind: VirtualService
                metadata: {name: early, namespace: quay}
                spec:
                  hosts: [berth]
                  http:
                  - match: [{uri: {regex: "(?=a)b"}}]
                    route: [{destination: {host: berth}}]
                  - delegate: {name: x}
                ---
                apiVersion: networking.istio.io/v1
                kind: VirtualService
                metadata: {name: lost, namespace: quay}
                spec: {hosts: [nobody], http: [{route: [{destination: {host: berth}}]}]}
                """);
        assertThat(routes(result)).hasSize(1);
        assertThat(routes(result).getFirst().getDirectResponse().getStatus()).isEqualTo(503);
        assertThat(result.problems().toString())
                .contains(
                        "is not an RE2 expression",
                        "there is no VirtualService quay/x to delegate to",
                        "VirtualService quay/lost: has no effect");
    }

    private static String policy(String spec) {
        return """
                apiVersion: security.istio.io/v1
                kind: AuthorizationPolicy
                metadata: {name: readers, namespace: quay}
                spec:
                  targetRefs: [{kind: Service, name: berth}]
                """ + spec.indent(2);
    }

    @Test
    void policyIsSentInItsCanonicalForm() {
        var policy = berth(translate(policy("""
                        action: DENY
                        rules:
                        - from: [{source: {principals: [cluster.local/ns/quay/sa/*], notNamespaces: [quay]}}]
                          to: [{operation: {methods: [GET], paths: ["/a/{*}/b", "/c*"], hosts: [X.test]}}]
                          when: [{key: "request.headers[X-A]", values: ["*"]}]
                        """))).getPolicies(0);
        assertThat(policy.getAction()).isEqualTo(Action.DENY);
        var rule = policy.getRules(0);
        assertThat(rule.getFrom(0).getAttributesList())
                .extracting(Attribute::getKind)
                .containsExactly(Attribute.Kind.PRINCIPAL, Attribute.Kind.NAMESPACE);
        assertThat(rule.getTo(0).getAttributesList())
                .extracting(Attribute::getKind)
                .containsExactly(Attribute.Kind.HOST, Attribute.Kind.METHOD, Attribute.Kind.PATH);
        assertThat(rule.getTo(0).getAttributes(2).getValues(0).getTemplate()).isEqualTo("/a/{*}/b");
        assertThat(rule.getWhen(0).getAttributes(0).getName()).isEqualTo("x-a");
    }

    @Test
    void whatAPolicyAsksForInVainIsNamed() {
        var result = translate(policy("""
                action: CUSTOM
                provider: {name: opa}
                rules: [{when: [{key: connection.sni, values: [a.test]}]}]
                """));
        assertThat(berth(result).getPolicies(0).getAction()).isEqualTo(Action.CUSTOM);
        assertThat(berth(result)
                        .getPolicies(0)
                        .getRules(0)
                        .getWhen(0)
                        .getAttributes(0)
                        .getKind())
                .isEqualTo(Attribute.Kind.UNKNOWN);
        assertThat(result.problems().toString()).contains("action CUSTOM", "cannot evaluate connection.sni");
        assertThat(translate(policy("rules: [{}]").replace("berth", "gone"))
                        .problems()
                        .toString())
                .contains("WaypointAccepted=False: TargetNotFound: Service gone");
    }

    private static final String CONSUMER = """
            ---
            apiVersion: gateway.networking.k8s.io/v1
            kind: HTTPRoute
            metadata: {name: ours, namespace: %1$s}
            spec:
              parentRefs: [{group: "", kind: Service, name: berth, namespace: quay, port: 80}]
              rules:
              - matches: [{path: {value: /%1$s}}]
                backendRefs: [{name: berth, namespace: quay, port: 81}]
            """;

    @Test
    void routesOfOtherNamespacesLeadTheirOwnCallersOnly() {
        var result = translate(CANARY + SUBSETS + CONSUMER.formatted("mole") + CONSUMER.formatted("dock"));
        assertThat(result.problems()).isEmpty();
        assertThat(routes(result))
                .extracting(
                        Route::getName,
                        route -> route.getMatchesList().stream()
                                .map(RequestMatch::getSourceNamespace)
                                .toList())
                .containsExactly(
                        tuple("dock.ours.0", List.of("dock")),
                        tuple("dock.none", List.of("dock")),
                        tuple("mole.ours.0", List.of("mole")),
                        tuple("mole.none", List.of("mole")),
                        tuple("quay.early.0", List.of("")),
                        tuple("quay.early.1", List.of()));
        assertThat(routes(result).get(1).getDirectResponse().getStatus()).isEqualTo(404);
        assertThat(routes(result).get(0).getForward().getBackends(0).getPort()).isEqualTo(81);
    }

    @Test
    void aServiceThatWasNotCalledNeedsAGrantForRoutesOfOtherNamespaces() {
        var other = CONSUMER.formatted("dock").replace("backendRefs: [{name: berth,", "backendRefs: [{name: w,");
        var result = translate(other);
        assertThat(result.problems().toString())
                .contains("RefNotPermitted: no ReferenceGrant in namespace quay lets a HTTPRoute of namespace dock");
        assertThat(routes(result)).extracting(Route::getName).containsExactly("dock.ours.0", "dock.none", "default");
        assertThat(routes(result).get(0).getForward().getBackends(0).getBrokenStatus())
                .isEqualTo(500);
    }

    @Test
    void retriesAndPathsAreThoseOfTheMeshUnlessARuleSaysMore() {
        var mesh = """
                apiVersion: v1
                kind: ConfigMap
                metadata: {name: istio, namespace: istio-system}
                data:
                  mesh: |
                    defaultHttpRetryPolicy: {attempts: 5, retryOn: reset}
                    pathNormalization: {normalization: MERGE_SLASHES}
                """;
        var config = berth(translate(mesh));
        assertThat(config.getPathNormalization()).isEqualTo(PathNormalization.MERGE_SLASHES);
        var retry = config.getPorts(0).getRoutes(0).getForward().getRetry();
        assertThat(retry.getAttempts()).isEqualTo(5);
        assertThat(retry.getConditionsList()).containsExactly("reset");
        var plain = berth(translate("{}"));
        assertThat(plain.getPathNormalization()).isEqualTo(PathNormalization.BASE);
        assertThat(plain.getPorts(0).getRoutes(0).getForward().getRetry().getAttempts())
                .isEqualTo(2);
    }

    private static String mesh(String text) {
        return """
                apiVersion: v1
                kind: ConfigMap
                metadata: {name: istio, namespace: istio-system}
                data: {mesh: "MESH"}
                ---
                """.replace("MESH", text);
    }

    @Test
    void theMeshSaysHowLongAConnectMayTakeUnlessADestinationRuleDoes() {
        var mesh = mesh("connectTimeout: 3s");
        var rule = """
                apiVersion: networking.istio.io/v1
                kind: DestinationRule
                metadata: {name: berth, namespace: quay}
                spec: {host: berth, trafficPolicy: {connectionPool: {tcp: {connectTimeout: 1s}}}}
                """;
        assertThat(routes(translate(mesh))
                        .getFirst()
                        .getForward()
                        .getBackends(0)
                        .getTraffic()
                        .getPool()
                        .getConnectTimeout()
                        .getSeconds())
                .isEqualTo(3);
        assertThat(routes(translate(mesh + rule))
                        .getFirst()
                        .getForward()
                        .getBackends(0)
                        .getTraffic()
                        .getPool()
                        .getConnectTimeout()
                        .getSeconds())
                .isEqualTo(1);
    }

    /// A rule of the root namespace is seen by the waypoint only if it is exported to it.
    @Test
    void theMeshSaysWhereObjectsCountThatDoNotSayItThemselves() {
        var rule = """
                apiVersion: networking.istio.io/v1
                kind: DestinationRule
                metadata: {name: berth, namespace: istio-system}
                spec:
                  host: berth.quay.svc.cluster.local
                  exportTo: [EXPORT]
                  trafficPolicy: {loadBalancer: {simple: RANDOM}}
                ---
                """;
        var routes = """
                apiVersion: networking.istio.io/v1
                kind: VirtualService
                metadata: {name: berth, namespace: quay}
                spec:
                  hosts: [berth]
                  exportTo: [EXPORT]
                  http: [{name: ours, route: [{destination: {host: berth}}]}]
                """;
        var own = mesh("{defaultDestinationRuleExportTo: ['.'], defaultVirtualServiceExportTo: ['~']}");
        var objects = rule + routes;
        var unsaid = objects.replace("exportTo: [EXPORT]", "");
        var everywhere = objects.replace("EXPORT", "'*'");
        for (var shown : List.of(unsaid, everywhere, own + everywhere)) {
            var first = routes(translate(shown)).getFirst();
            assertThat(first.getName()).isEqualTo("ours");
            assertThat(first.getForward().getBackends(0).hasTraffic()).isTrue();
        }
        var first = routes(translate(own + unsaid)).getFirst();
        assertThat(first.getName()).isEqualTo("default");
        assertThat(first.getForward().getBackends(0).hasTraffic()).isFalse();
    }

    @Test
    void aSessionByHeaderIsSent() {
        var result = translate("""
                apiVersion: gateway.networking.k8s.io/v1
                kind: HTTPRoute
                metadata: {name: r, namespace: quay}
                spec:
                  parentRefs: [{group: "", kind: Service, name: berth}]
                  rules: [{backendRefs: [{name: berth, port: 80}], sessionPersistence: {type: Header, sessionName: X-Crew}}]
                """);
        var forward = routes(result).getFirst().getForward();
        assertThat(forward.getSticky()).isTrue();
        assertThat(forward.getBackends(0)
                        .getTraffic()
                        .getLoadBalancer()
                        .getHash()
                        .getSessionHeader())
                .isEqualTo("x-crew");
    }
}
