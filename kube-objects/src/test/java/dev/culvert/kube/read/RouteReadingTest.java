package dev.culvert.kube.read;

import static org.assertj.core.api.Assertions.assertThat;

import dev.culvert.kube.object.AuthorizationPolicy;
import dev.culvert.kube.object.DestinationRule;
import dev.culvert.kube.object.Gateway;
import dev.culvert.kube.object.HttpRoute;
import dev.culvert.kube.object.HttpRule;
import dev.culvert.kube.object.HttpRule.Forward;
import dev.culvert.kube.object.HttpRule.Redirect;
import dev.culvert.kube.object.HttpRule.Respond;
import dev.culvert.kube.object.HttpRule.TextKind;
import dev.culvert.kube.object.HttpRule.Unsupported;
import dev.culvert.kube.object.KubeObject;
import dev.culvert.kube.object.Problem;
import dev.culvert.kube.object.RequestAuthentication;
import dev.culvert.kube.object.RequestAuthentication.TokenPlace;
import dev.culvert.kube.object.RequestAuthentication.Where;
import dev.culvert.kube.object.TrafficPolicy;
import dev.culvert.kube.object.VirtualService;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Gateways, routes and what a policy is bound to.
class RouteReadingTest {
    private static final Path FILE = Path.of("quay.yaml");

    private static <T extends KubeObject> T only(Class<T> type, String yaml) {
        var result = YamlReader.read(FILE, yaml);
        assertThat(result.problems()).isEmpty();
        return type.cast(result.objects().getFirst());
    }

    private static List<Problem> problems(String yaml) {
        return YamlReader.read(FILE, yaml).problems();
    }

    private static String virtualService(String rules) {
        return """
                apiVersion: networking.istio.io/v1
                kind: VirtualService
                metadata: {name: berth, namespace: quay}
                spec:
                  hosts: [berth]
                  http:
                """ + rules.indent(2);
    }

    private static String route(String rule) {
        return """
                apiVersion: gateway.networking.k8s.io/v1
                kind: HTTPRoute
                metadata: {name: berth, namespace: quay}
                spec:
                  parentRefs: [{group: "", kind: Service, name: berth}]
                  rules:
                """ + rule.indent(2);
    }

    @ParameterizedTest
    @ValueSource(strings = {"v1", "v1beta1"})
    void waypointIsReadWithWhoMayUseIt(String version) {
        var gateway = only(Gateway.class, """
                apiVersion: gateway.networking.k8s.io/%s
                kind: Gateway
                metadata: {name: shared, namespace: quay}
                spec:
                  gatewayClassName: istio-waypoint
                  listeners:
                  - name: mesh
                    port: 15008
                    protocol: HBONE
                    allowedRoutes: {namespaces: {from: Selector, selector: {matchLabels: {tier: gold}}}}
                """.formatted(version));
        assertThat(gateway.isWaypoint()).isTrue();
        assertThat(gateway.admits("other", Map.of("tier", "gold"))).isTrue();
        assertThat(gateway.admits("quay", Map.of())).isFalse();
    }

    @Test
    void waypointWithAnotherListenerIsAMistake() {
        assertThat(problems("""
                apiVersion: gateway.networking.k8s.io/v1
                kind: Gateway
                metadata: {name: shared, namespace: quay}
                spec:
                  gatewayClassName: istio-waypoint
                  listeners: [{name: http, port: 80, protocol: HTTP}]
                """).getFirst().toString()).contains("quay.yaml:6", "port 15008", "HBONE");
    }

    @ParameterizedTest
    @ValueSource(strings = {"v1", "v1beta1", "v1alpha3"})
    void virtualServiceIsRead(String version) {
        var yaml = virtualService("""
                - name: early
                  match:
                  - uri: {prefix: /slots}
                    method: {exact: GET}
                    headers: {X-Early: {exact: "yes"}, x-there: {}}
                    withoutHeaders: {x-late: {regex: ".*"}}
                    queryParams: {lane: {prefix: a}}
                  route:
                  - destination: {host: berth, subset: swell, port: {number: 8080}}
                    weight: 15
                  - destination: {host: berth, subset: calm}
                    weight: 85
                  timeout: 1.5s
                  retries: {attempts: 2, perTryTimeout: 250ms, retryOn: "5xx,503,connect-failure"}
                  rewrite: {uri: /v2}
                  headers: {request: {remove: [x-old], set: {x-new: a}}, response: {add: {x-b: c}}}
                """);
        var rule = only(VirtualService.class, yaml.replace("io/v1\n", "io/" + version + "\n"))
                .rules()
                .getFirst();
        var match = rule.matches().getFirst();
        assertThat(match.path()).contains(new HttpRule.Text(TextKind.PREFIX, "/slots"));
        assertThat(match.headers())
                .containsExactly(
                        new HttpRule.Named("x-early", new HttpRule.Text(TextKind.EXACT, "yes")),
                        new HttpRule.Named("x-there", new HttpRule.Text(TextKind.PRESENT, "")));
        var forward = (Forward) rule.action();
        assertThat(forward.timeout()).contains(Duration.ofMillis(1500));
        assertThat(forward.destinations())
                .extracting(HttpRule.Destination::weight)
                .containsExactly(15, 85);
        assertThat(forward.newPath()).contains(new HttpRule.PathChange(true, "/v2"));
        var retry = forward.retry().orElseThrow();
        assertThat(retry.codes()).containsExactly(503);
        assertThat(retry.conditions()).containsExactly("5xx", "connect-failure");
    }

    @Test
    void redirectsAndAnswersOfVirtualServicesAreRead() {
        var rules = only(VirtualService.class, virtualService("""
                - match: [{uri: {exact: /old}}]
                  redirect: {uri: /new, redirectCode: 308}
                - directResponse: {status: 451, body: {string: sealed}}
                """)).rules();
        assertThat(((Redirect) rules.getFirst().action()).code()).isEqualTo(308);
        assertThat(rules.get(1).action()).isEqualTo(new Respond(451, "sealed"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "fault: {abort: {httpStatus: 500}}|fault.abort.percentage is missing: it happens to no request",
                "fault: {delay: {percentage: {value: 101}, fixedDelay: 1s}}|must be a number 0.0..100.0",
                "fault: {abort: {grpcStatus: LATE, percentage: {value: 1}}}|is not a gRPC code",
                "headers: {request: {set: {x-a: \"%START_TIME%\"}}}|substitutions are not supported yet",
                "headers: {request: {set: {content-length: \"1\"}}}|header content-length cannot be changed",
                "timeout: soon|is not a duration",
            })
    void whatAVirtualServiceCannotHaveYetIsNamed(String field, String message) {
        var yaml = virtualService("- route: [{destination: {host: berth}}]\n  " + field + "\n");
        assertThat(problems(yaml).toString()).contains(message).contains("quay.yaml:8");
    }

    @Test
    void conditionsThatAreNotSupportedNeverWidenARule() {
        var result = YamlReader.read(FILE, virtualService("""
                - match: [{gateways: [edge]}]
                  route: [{destination: {host: a}}]
                - match: [{headers: {"@weather": {exact: a}}}, {uri: {exact: /b}}]
                  route: [{destination: {host: b}}]
                """));
        var rules = ((VirtualService) result.objects().getFirst()).rules();
        assertThat(rules.getFirst().by(VirtualService.MESH)).isEmpty();
        assertThat(rules.getLast().matches()).hasSize(1);
        assertThat(result.problems()).hasSize(1);
    }

    @Test
    void whatHappensBesidesForwardingIsRead() {
        var rule = only(VirtualService.class, virtualService("""
                - match: [{sourceLabels: {app: a}, sourceNamespace: quay}]
                  route: [{destination: {host: berth}}]
                  fault:
                    delay: {percentage: {value: 2.0}, fixedDelay: 400ms}
                    abort: {percentage: {value: 0.00019}, grpcStatus: UNAVAILABLE}
                  mirror: {host: berth, subset: swell}
                  mirrorPercentage: {value: 20}
                  rewrite: {uriRegexRewrite: {match: "/a(.*)", rewrite: '/b\\1'}}
                  corsPolicy:
                    allowOrigins: [{exact: "*"}]
                    allowMethods: [GET]
                    maxAge: 1h
                    unmatchedPreflights: IGNORE
                """)).rules().getFirst();
        assertThat(rule.matches().getFirst().source()).isEqualTo(new HttpRule.Source(Map.of("app", "a"), "quay"));
        assertThat(rule.extras().fault())
                .contains(new HttpRule.Fault(Duration.ofMillis(400), 20_000, 0, Optional.of(14), 1));
        assertThat(rule.extras().mirrors().getFirst().share()).isEqualTo(200_000);
        assertThat(rule.extras().cors().orElseThrow().answerAll()).isTrue();
        assertThat(((Forward) rule.action()).newPath()).contains(new HttpRule.PathChange(false, "/a(.*)", "/b\\1"));
    }

    @Test
    void destinationRuleIsRead() {
        var rule = only(DestinationRule.class, """
                apiVersion: networking.istio.io/v1
                kind: DestinationRule
                metadata: {name: berth, namespace: quay}
                spec:
                  host: berth
                  trafficPolicy:
                    connectionPool: {tcp: {maxConnections: 40, connectTimeout: 800ms}, http: {h2UpgradePolicy: UPGRADE}}
                    outlierDetection: {consecutive5xxErrors: 4, baseEjectionTime: 2m}
                    loadBalancer: {consistentHash: {httpCookie: {name: crew, ttl: 0s}, maglev: {}}}
                    portLevelSettings: [{port: {number: 90}, loadBalancer: {simple: RANDOM}}]
                  subsets: [{name: calm, labels: {tide: calm}, trafficPolicy: {loadBalancer: {simple: ROUND_ROBIN}}}]
                """);
        var all = rule.policies().all();
        assertThat(all.pool().orElseThrow().maxConnections()).isEqualTo(40);
        assertThat(all.pool().orElseThrow().version()).isEqualTo(TrafficPolicy.Version.HTTP2);
        assertThat(all.outlier().orElseThrow().baseEjection()).isEqualTo(Duration.ofMinutes(2));
        assertThat(all.outlier().orElseThrow().maxPercent()).isEqualTo(10);
        assertThat(all.loadBalancer().orElseThrow().algorithm()).isEqualTo(TrafficPolicy.Algorithm.MAGLEV);
        assertThat(Objects.requireNonNull(rule.policies().ports().get(90)).outlier())
                .isEmpty();
        assertThat(Objects.requireNonNull(rule.subsets().get("calm")).labels()).containsEntry("tide", "calm");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "loadBalancer: {simple: LEAST_CONN}|LEAST_CONN is the old name of LEAST_REQUEST",
                "outlierDetection: {consecutiveErrors: 2}|2 is taken for consecutive5xxErrors",
                "loadBalancer: {consistentHash: {useSourceIp: true, httpHeaderName: a}}|exactly one key",
                "loadBalancer: {localityLbSetting: {distribute: [{from: a, to: {b: 90}}]}}|must add up to 100",
                "tls: {mode: SIMPLE}|tls is not supported yet",
            })
    void whatADestinationRuleSaysInVainIsNamed(String policy, String message) {
        assertThat(problems("""
                apiVersion: networking.istio.io/v1
                kind: DestinationRule
                metadata: {name: berth, namespace: quay}
                spec: {host: berth, trafficPolicy: {%s}}
                """.formatted(policy)).toString()).contains(message);
    }

    @Test
    void requestAuthenticationIsRead() {
        var rule = only(RequestAuthentication.class, """
                apiVersion: security.istio.io/v1
                kind: RequestAuthentication
                metadata: {name: pass, namespace: quay}
                spec:
                  targetRefs: [{kind: Service, name: berth}]
                  jwtRules:
                  - issuer: https://issuer.test
                    jwksUri: http://keys/jwks.json
                    audiences: [office]
                    fromHeaders: [{name: X-Pass, prefix: "Pass "}]
                    fromParams: [pass]
                    outputClaimToHeaders: [{header: X-Sub, claim: sub}]
                """).rules().getFirst();
        assertThat(rule.places())
                .containsExactly(
                        new TokenPlace(Where.HEADER, "x-pass", "Pass "),
                        new TokenPlace(Where.QUERY_PARAMETER, "pass", ""));
        assertThat(rule.claimHeaders()).containsEntry("x-sub", "sub");
    }

    @Test
    void grpcRoutesAreRoutesOfPaths() {
        var route = only(HttpRoute.class, """
                apiVersion: gateway.networking.k8s.io/v1
                kind: GRPCRoute
                metadata: {name: r, namespace: quay}
                spec:
                  parentRefs: [{group: "", kind: Service, name: berth}]
                  rules:
                  - matches: [{method: {service: a.B, method: C}}, {method: {service: a.B}}, {method: {method: C}}]
                    filters: [{type: RequestMirror, requestMirror: {backendRef: {name: m, port: 1}, percent: 25}}]
                    backendRefs: [{name: berth, port: 90}]
                """);
        var rule = route.rules().getFirst();
        assertThat(rule.matches())
                .extracting(match -> match.path().orElseThrow())
                .containsExactly(
                        new HttpRule.Text(TextKind.EXACT, "/a.B/C"),
                        new HttpRule.Text(TextKind.PREFIX, "/a.B/"),
                        new HttpRule.Text(TextKind.REGEX, "/[^/]+/\\QC\\E"));
        assertThat(rule.extras().mirrors().getFirst().share()).isEqualTo(250_000);
    }

    @Test
    void httpRouteIsRead() {
        var route = only(HttpRoute.class, route("""
                - matches:
                  - path: {value: /slots}
                    headers: [{name: X-Lane, value: a}, {name: x-lane, value: b}]
                    method: GET
                  filters:
                  - type: URLRewrite
                    urlRewrite: {hostname: b.test, path: {type: ReplacePrefixMatch, replacePrefixMatch: /v2}}
                  - type: RequestHeaderModifier
                    requestHeaderModifier: {set: [{name: x-a, value: b}], remove: [x-c]}
                  backendRefs: [{name: berth-calm, port: 8080, weight: 9}, {name: berth-swell, port: 8080}]
                  timeouts: {request: 2s, backendRequest: 500ms}
                  retry: {attempts: 1, codes: [503]}
                """));
        assertThat(route.parents().getFirst().isService()).isTrue();
        var rule = route.rules().getFirst();
        assertThat(rule.matches().getFirst().path()).contains(new HttpRule.Text(TextKind.SEGMENTS, "/slots"));
        assertThat(rule.matches().getFirst().headers()).hasSize(1);
        var forward = (Forward) rule.action();
        assertThat(forward.destinations())
                .extracting(HttpRule.Destination::weight)
                .containsExactly(9, 1);
        assertThat(forward.newAuthority()).contains("b.test");
        assertThat(forward.timeout()).contains(Duration.ofSeconds(2));
        assertThat(forward.retry().orElseThrow().perTryTimeout()).contains(Duration.ofMillis(500));
    }

    @Test
    void httpRouteWithAForeignFilterRefuses() {
        var result = YamlReader.read(FILE, route("""
                - filters: [{type: ExternalAuth, externalAuth: {}}]
                  backendRefs: [{name: berth, port: 8080}]
                """));
        var rule = ((HttpRoute) result.objects().getFirst()).rules().getFirst();
        assertThat(rule.action()).isEqualTo(new Unsupported("filter ExternalAuth"));
        assertThat(result.problems().toString()).contains("refused with 500");
    }

    @Test
    void backendThatIsNoServiceKeepsItsShare() {
        var result = YamlReader.read(FILE, route("- backendRefs: [{kind: Bucket, group: x.io, name: b, weight: 3}]\n"));
        var rule = ((HttpRoute) result.objects().getFirst()).rules().getFirst();
        var backend = ((Forward) rule.action()).destinations().getFirst();
        assertThat(backend.weight()).isEqualTo(3);
        assertThat(backend.broken()).contains("kind Bucket");
    }

    @Test
    void policyNamesWhatItIsBoundTo() {
        var policy = only(AuthorizationPolicy.class, """
                apiVersion: security.istio.io/v1
                kind: AuthorizationPolicy
                metadata: {name: a, namespace: quay}
                spec:
                  targetRefs: [{group: "", kind: Service, name: berth}, {group: gateway.networking.k8s.io, kind: Gateway, name: w}]
                """);
        assertThat(policy.targetRefs())
                .containsExactly(
                        new AuthorizationPolicy.Target("", "Service", "berth"),
                        new AuthorizationPolicy.Target("gateway.networking.k8s.io", "Gateway", "w"));
    }
}
