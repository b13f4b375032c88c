package dev.culvert.istiod.waypoint;

import static org.assertj.core.api.Assertions.assertThat;

import dev.culvert.istiod.ambient.TranslationSettings;
import dev.culvert.kube.object.ObjectSet;
import dev.culvert.kube.read.YamlReader;
import dev.culvert.protos.waypoint.Action;
import dev.culvert.protos.waypoint.Attribute;
import dev.culvert.protos.waypoint.LoadBalancer;
import dev.culvert.protos.waypoint.Route;
import dev.culvert.protos.waypoint.ServiceConfig;
import java.nio.file.Path;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Traffic policies, delegates, routes without HTTP, grants and tokens as a waypoint gets them.
class TrafficTranslationTest {
    private static WaypointTranslator.Result translate(String more) {
        var read = YamlReader.read(Path.of("quay.yaml"), WaypointTranslatorTest.QUAY + "---\n" + more);
        return WaypointTranslator.translate(
                ObjectSet.of(read.objects(), read.problems()), TranslationSettings.defaults());
    }

    private static ServiceConfig berth(WaypointTranslator.Result result) {
        return Objects.requireNonNull(result.resources().get("quay/w/quay/berth.quay.svc.cluster.local"));
    }

    private static ServiceConfig berth(String more) {
        return berth(translate(more));
    }

    private static String rule(String name, String spec) {
        return """
                apiVersion: networking.istio.io/v1
                kind: DestinationRule
                metadata: {name: %s, namespace: quay}
                spec: {%s}
                """.formatted(name, spec);
    }

    private static final String POLICY = "host: berth, trafficPolicy: {loadBalancer: {simple: ROUND_ROBIN},"
            + " connectionPool: {tcp: {maxConnections: 7}},"
            + " portLevelSettings: [{port: {number: 81}, outlierDetection: {}}]}, subsets: [{name: calm,"
            + " labels: {tide: calm}, trafficPolicy: {loadBalancer: {simple: RANDOM}}}]";

    @Test
    void aPortsEntryReplacesTheWholePolicy() {
        var ports = berth(rule("a", POLICY)).getPortsList();
        var whole = ports.getFirst().getRoutes(0).getForward().getBackends(0).getTraffic();
        assertThat(whole.getPool().getMaxConnections()).isEqualTo(7);
        assertThat(whole.getLoadBalancer().getKind()).isEqualTo(LoadBalancer.Kind.ROUND_ROBIN);
        var ofPort = ports.get(1).getRoutes(0).getForward().getBackends(0).getTraffic();
        assertThat(ofPort.hasPool()).isFalse();
        assertThat(ofPort.hasOutlier()).isTrue();
        assertThat(ports.get(2).getRaw().getBackends(0).getTraffic()).isEqualTo(whole);
    }

    @Test
    void aSubsetsBlocksReplaceThoseOfTheWhole() {
        var to = berth(rule("a", POLICY) + """
                        ---
                        apiVersion: networking.istio.io/v1
                        kind: VirtualService
                        metadata: {name: v, namespace: quay}
                        spec: {hosts: [berth], http: [{route: [{destination: {host: berth, subset: calm}}]}]}
                        """)
                .getPorts(0)
                .getRoutes(0)
                .getForward()
                .getBackends(0)
                .getTraffic();
        assertThat(to.getLoadBalancer().getKind()).isEqualTo(LoadBalancer.Kind.RANDOM);
        assertThat(to.getPool().getMaxConnections()).isEqualTo(7);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "berth.quay.svc.cluster.local | *.quay.svc.cluster.local | 1",
                "*.quay.svc.cluster.local | berth.quay.svc.cluster.local | 2",
                "*.svc.cluster.local | *.quay.svc.cluster.local | 2",
                "berth | berth.quay.svc.cluster.local | 1",
                "other | *.local | 2",
            })
    void theWholeNameComesBeforeWildcards(String first, String second, int wins) {
        var policy = ", trafficPolicy: {connectionPool: {tcp: {maxConnections: %d}}}";
        var found = berth(rule("a", "host: \"" + first + "\"" + policy.formatted(1)) + "---\n"
                + rule("b", "host: \"" + second + "\"" + policy.formatted(2)));
        assertThat(found.getPorts(0)
                        .getRoutes(0)
                        .getForward()
                        .getBackends(0)
                        .getTraffic()
                        .getPool()
                        .getMaxConnections())
                .isEqualTo(wins);
    }

    /// The waypoint `w` and the Service `berth` are in namespace quay.
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "['*']      | true",
                "['.']      | true",
                "[quay]     | true",
                "[pay]      | false",
                "['~']      | false",
                "[pay, '.'] | true",
                "[]         | true",
            })
    void exportToHidesRulesFromWaypointsOfOtherNamespaces(String exportTo, boolean counts) {
        var limited = ", trafficPolicy: {connectionPool: {tcp: {maxConnections: 7}}}";
        var result = translate(rule("a", "host: berth, exportTo: " + exportTo + limited) + """
                ---
                apiVersion: networking.istio.io/v1
                kind: VirtualService
                metadata: {name: v, namespace: quay}
                spec: {hosts: [berth], exportTo: %s, http: [{name: mine, route: [{destination: {host: berth}}]}]}
                """.formatted(exportTo));
        var route = berth(result).getPorts(0).getRoutes(0);
        assertThat(route.getName()).isEqualTo(counts ? "mine" : "default");
        assertThat(route.getForward().getBackends(0).getTraffic().getPool().getMaxConnections())
                .isEqualTo(counts ? 7 : 0);
        var told = result.problems().toString();
        if (counts) {
            assertThat(told).doesNotContain("quay/a: has no effect", "quay/v: has no effect");
        } else {
            assertThat(told).contains("DestinationRule quay/a: has no effect", "exportTo hides it from that waypoint");
        }
    }

    @Test
    void aSessionChoosesBackendAndEndpointByItsCookie() {
        var forward = berth(rule(
                                "a",
                                "host: berth, trafficPolicy: {loadBalancer: {simple: RANDOM},"
                                        + " connectionPool: {tcp: {maxConnections: 7}}}")
                        + """
                        ---
                        apiVersion: gateway.networking.k8s.io/v1
                        kind: HTTPRoute
                        metadata: {name: r, namespace: quay}
                        spec:
                          parentRefs: [{group: "", kind: Service, name: berth}]
                          rules:
                          - backendRefs: [{name: berth, port: 80, weight: 1}, {name: berth, port: 80, weight: 3}]
                            sessionPersistence:
                              sessionName: crew
                              absoluteTimeout: 1h
                              cookieConfig: {lifetimeType: Permanent}
                        """)
                .getPorts(0)
                .getRoutes(0)
                .getForward();
        assertThat(forward.getSticky()).isTrue();
        assertThat(forward.getBackendsList()).hasSize(2).allSatisfy(backend -> {
            var balancer = backend.getTraffic().getLoadBalancer();
            assertThat(balancer.getKind()).isEqualTo(LoadBalancer.Kind.RING_HASH);
            assertThat(balancer.getHash().getCookie().getName()).isEqualTo("crew");
            assertThat(balancer.getHash().getCookie().getTtl().getSeconds()).isEqualTo(3600);
            assertThat(backend.getTraffic().getPool().getMaxConnections()).isEqualTo(7);
        });
    }

    @Test
    void aRuleForNobodyIsNamed() {
        assertThat(translate(rule("a", "host: brth")).problems().toString())
                .contains("DestinationRule quay/a: has no effect: there is no Service brth");
    }

    @Test
    void delegatesLieWithinTheRuleThatDelegates() {
        var result = translate("""
                apiVersion: networking.istio.io/v1
                kind: VirtualService
                metadata: {name: root, namespace: quay}
                spec:
                  hosts: [berth]
                  http:
                  - match: [{uri: {prefix: /slots}, method: {exact: GET}}]
                    delegate: {name: slots}
                  - route: [{destination: {host: berth}}]
                ---
                apiVersion: networking.istio.io/v1
                kind: VirtualService
                metadata: {name: slots, namespace: quay}
                spec:
                  http:
                  - name: in
                    match: [{uri: {prefix: /slots/7}}]
                    directResponse: {status: 207}
                  - name: out
                    match: [{uri: {prefix: /other}}]
                    directResponse: {status: 208}
                  - name: rest
                    route: [{destination: {host: berth}}]
                """);
        var routes = berth(result).getPorts(0).getRoutesList();
        assertThat(routes).extracting(Route::getName).containsExactly("in", "rest", "quay.root.1");
        assertThat(routes.getFirst().getMatches(0).getPath().getPrefix()).isEqualTo("/slots/7");
        assertThat(routes.getFirst().getMatches(0).getMethod().getExact()).isEqualTo("GET");
        assertThat(routes.get(1).getMatches(0).getPath().getPrefix()).isEqualTo("/slots");
        assertThat(result.problems().toString()).contains("VirtualService quay/slots: has no effect: its conditions");
    }

    @Test
    void callersAreToldByUidAndNamespace() {
        var match = berth("""
                        apiVersion: networking.istio.io/v1
                        kind: VirtualService
                        metadata: {name: v, namespace: quay}
                        spec:
                          hosts: [berth]
                          http:
                          - match: [{sourceLabels: {tide: swell}, sourceNamespace: quay}]
                            route: [{destination: {host: berth}}]
                        """).getPorts(0).getRoutes(0).getMatches(0);
        assertThat(match.getSources().getWorkloadsList()).containsExactly("Kubernetes//Pod/quay/berth-swell-0");
        assertThat(match.getSourceNamespace()).isEqualTo("quay");
    }

    @Test
    void whatDoesLessThanItSeemsToIsNamed() {
        assertThat(translate("""
                        apiVersion: networking.istio.io/v1
                        kind: VirtualService
                        metadata: {name: v, namespace: quay}
                        spec:
                          hosts: [berth]
                          http:
                          - name: takes-all
                            route: [{destination: {host: berth}, weight: 20}]
                          - name: never-reached
                            route: [{destination: {host: berth}}]
                        ---
                        apiVersion: security.istio.io/v1
                        kind: AuthorizationPolicy
                        metadata: {name: p, namespace: quay}
                        spec:
                          targetRefs: [{kind: Service, name: berth}]
                          rules: [{to: [{operation: {paths: ["/slots/*/clear"]}}]}]
                        """).problems().toString())
                .contains(
                        "rule never-reached is never reached: takes-all before it takes every request",
                        "its weight 20 is no share",
                        "write {*} for one segment: /slots/{*}/clear");
    }

    @Test
    void tcpRoutesLeadWhereTheySay() {
        var ports = berth("""
                        apiVersion: gateway.networking.k8s.io/v1alpha2
                        kind: TCPRoute
                        metadata: {name: t, namespace: quay}
                        spec:
                          parentRefs: [{group: "", kind: Service, name: berth, port: 82}]
                          rules: [{backendRefs: [{name: berth, port: 83, weight: 3}, {name: gone, port: 1}]}]
                        ---
                        apiVersion: networking.istio.io/v1
                        kind: VirtualService
                        metadata: {name: v, namespace: quay}
                        spec:
                          hosts: [berth]
                          tls: [{match: [{sniHosts: [x.test]}], route: [{destination: {host: gone}}]}]
                          tcp: [{match: [{port: 83}], route: [{destination: {host: berth, port: {number: 82}}}]}]
                        """).getPortsList();
        assertThat(ports.get(2).getRaw().getBackends(0).getPort()).isEqualTo(83);
        assertThat(ports.get(2).getRaw().getBackends(1).getBrokenStatus()).isEqualTo(500);
        assertThat(ports.get(3).getRaw().getBackends(0).getPort()).isEqualTo(82);
        assertThat(ports.get(1).hasRaw()).isFalse();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "HTTPRoute | quay | berth2 | 0",
                "HTTPRoute | quay | '' | 0",
                "HTTPRoute | other | '' | 500",
                "GRPCRoute | quay | '' | 500",
                "HTTPRoute | quay | berth3 | 500",
            })
    void backendsElsewhereNeedAGrant(String kind, String namespace, String name, int broken) {
        var backend = berth("""
                        apiVersion: v1
                        kind: Service
                        metadata: {name: berth2, namespace: far}
                        spec: {clusterIP: 198.19.0.2, ports: [{port: 80}]}
                        ---
                        apiVersion: gateway.networking.k8s.io/v1beta1
                        kind: ReferenceGrant
                        metadata: {name: g, namespace: far}
                        spec:
                          from: [{group: gateway.networking.k8s.io, kind: %s, namespace: %s}]
                          to: [{group: "", kind: Service, name: "%s"}]
                        ---
                        apiVersion: gateway.networking.k8s.io/v1
                        kind: HTTPRoute
                        metadata: {name: r, namespace: quay}
                        spec:
                          parentRefs: [{group: "", kind: Service, name: berth}]
                          rules: [{backendRefs: [{name: berth2, namespace: far, port: 80}]}]
                        """.formatted(kind, namespace, name))
                .getPorts(0)
                .getRoutes(0)
                .getForward()
                .getBackends(0);
        assertThat(backend.getBrokenStatus()).isEqualTo(broken);
    }

    @Test
    void tokensAndWhatPoliciesAskOfThem() {
        var config = berth("""
                apiVersion: security.istio.io/v1
                kind: RequestAuthentication
                metadata: {name: pass, namespace: quay}
                spec:
                  targetRefs: [{kind: Service, name: berth}]
                  jwtRules: [{issuer: i, jwks: "{}", outputClaimToHeaders: [{header: x-a, claim: a.b}]}]
                ---
                apiVersion: security.istio.io/v1
                kind: AuthorizationPolicy
                metadata: {name: p, namespace: quay}
                spec:
                  targetRefs: [{kind: Service, name: berth}]
                  action: AUDIT
                  rules:
                  - from: [{source: {requestPrincipals: ["i/*"]}}]
                    when: [{key: "request.auth.claims[a][b]", values: [c]}, {key: request.auth.audiences, values: [d]}]
                """);
        assertThat(config.getJwtRules(0).getIssuer()).isEqualTo("i");
        assertThat(config.getJwtRules(0).getClaimHeaders(0).getClaimList()).containsExactly("a", "b");
        var policy = config.getPolicies(0);
        assertThat(policy.getAction()).isEqualTo(Action.AUDIT);
        var rule = policy.getRules(0);
        assertThat(rule.getFrom(0).getAttributes(0).getKind()).isEqualTo(Attribute.Kind.REQUEST_PRINCIPAL);
        assertThat(rule.getWhen(0).getAttributes(0).getPathList()).containsExactly("a", "b");
        assertThat(rule.getWhen(1).getAttributes(0).getKind()).isEqualTo(Attribute.Kind.AUDIENCE);
    }
}
