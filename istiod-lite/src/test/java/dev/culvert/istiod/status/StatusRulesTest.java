package dev.culvert.istiod.status;

import static org.assertj.core.api.Assertions.assertThat;

import dev.culvert.istiod.ambient.TranslationSettings;
import dev.culvert.istiod.ambient.Translator;
import dev.culvert.istiod.kube.Outcome;
import dev.culvert.istiod.waypoint.WaypointTranslator;
import dev.culvert.kube.object.Gap;
import dev.culvert.kube.object.Gateway;
import dev.culvert.kube.object.Kind;
import dev.culvert.kube.object.ObjectKey;
import dev.culvert.kube.object.ObjectSet;
import dev.culvert.kube.object.Place;
import dev.culvert.kube.read.ApiReader;
import dev.culvert.kube.read.YamlReader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class StatusRulesTest {
    private static final String WAYPOINT = """
            apiVersion: gateway.networking.k8s.io/v1
            kind: Gateway
            metadata: {name: wp, namespace: shop, uid: u1, generation: 3}
            spec: {gatewayClassName: istio-waypoint, listeners: [{name: mesh, port: 15008, protocol: HBONE}]}
            ---
            apiVersion: v1
            kind: Service
            metadata: {name: wp, namespace: shop, labels: {gateway.networking.k8s.io/gateway-name: wp}}
            spec: {clusterIP: 198.19.0.9, selector: {a: b}, ports: [{port: 15008}]}
            ---
            """;
    private static final String CART = """
            apiVersion: v1
            kind: Service
            metadata: {name: cart, namespace: shop, labels: {istio.io/use-waypoint: wp}}
            spec: {clusterIP: 198.19.0.1, selector: {app: cart}, ports: [{port: 80}]}
            ---
            apiVersion: v1
            kind: Pod
            metadata: {name: c, namespace: shop, labels: {app: cart}, annotations: {ambient.istio.io/redirection: enabled}}
            spec: {nodeName: n, containers: [{name: c}]}
            status: {phase: Running, podIP: 198.18.65.2}
            ---
            apiVersion: v1
            kind: Namespace
            metadata: {name: shop, labels: {istio.io/dataplane-mode: ambient}}
            ---
            """;

    private static final String ENTRY = """
            apiVersion: networking.istio.io/v1
            kind: ServiceEntry
            metadata: {name: pier, namespace: shop, labels: {istio.io/use-waypoint: wp}}
            spec:
              hosts: [pier.example]
              ports: [{number: 80, name: http, protocol: HTTP}]
              resolution: DNS
            ---
            """;
    private static final String OF_ENTRY =
            "{targetRefs: [{kind: ServiceEntry, group: networking.istio.io, name: pier}], rules: [{}]}";

    private static String entryRoute(String host) {
        return """
                apiVersion: gateway.networking.k8s.io/v1
                kind: HTTPRoute
                metadata: {name: r, namespace: shop}
                spec:
                  parentRefs: [{group: networking.istio.io, kind: ServiceEntry, name: pier}]
                  rules: [{backendRefs: [{group: networking.istio.io, kind: Hostname, name: %s, port: 80}]}]
                """.formatted(host);
    }

    private static String policy(String spec) {
        return """
                apiVersion: security.istio.io/v1
                kind: AuthorizationPolicy
                metadata: {name: p, namespace: shop}
                spec: %s
                """.formatted(spec);
    }

    private static String route(String service, String backend) {
        return """
                apiVersion: gateway.networking.k8s.io/v1
                kind: HTTPRoute
                metadata: {name: r, namespace: shop}
                spec:
                  parentRefs: [{group: "", kind: Service, name: %s, port: 80}]
                  rules: [{backendRefs: [{name: %s, port: 80}]}]
                """.formatted(service, backend);
    }

    /// @param said `type status reason`, in order
    record Row(String name, String yaml, String object, boolean ready, List<String> said) {
        @Override
        public String toString() {
            return name;
        }
    }

    static Stream<Row> rows() {
        var l4 = "{action: DENY, rules: [{from: [{source: {principals: [td/ns/a/sa/b]}}]}]}";
        var l7 = "{rules: [{to: [{operation: {methods: [GET]}}]}]}";
        var bound = "{targetRefs: [{kind: Service, group: '', name: cart}], rules: [{}]}";
        return Stream.of(
                new Row(
                        "waypoint runs",
                        WAYPOINT,
                        "Gateway shop/wp",
                        true,
                        List.of("Accepted True Accepted", "Programmed True Programmed")),
                new Row(
                        "waypoint without a ready pod",
                        WAYPOINT,
                        "Gateway shop/wp",
                        false,
                        List.of("Accepted True Accepted", "Programmed False AddressNotUsable")),
                new Row(
                        "waypoint without a Service",
                        WAYPOINT.substring(0, WAYPOINT.indexOf("---")),
                        "Gateway shop/wp",
                        true,
                        List.of("Accepted True Accepted", "Programmed False AddressNotAssigned")),
                new Row(
                        "Service with its waypoint",
                        WAYPOINT + CART,
                        "Service shop/cart",
                        true,
                        List.of("istio.io/WaypointBound True WaypointAccepted")),
                new Row(
                        "Service without its waypoint",
                        CART,
                        "Service shop/cart",
                        true,
                        List.of("istio.io/WaypointBound False WaypointIsNotReady")),
                new Row(
                        "ServiceEntry with its waypoint",
                        WAYPOINT + ENTRY,
                        "ServiceEntry shop/pier",
                        true,
                        List.of("ZtunnelAccepted True Accepted", "istio.io/WaypointBound True WaypointAccepted")),
                new Row(
                        "ServiceEntry without its waypoint",
                        ENTRY,
                        "ServiceEntry shop/pier",
                        true,
                        List.of(
                                "ZtunnelAccepted True UnsupportedValue",
                                "istio.io/WaypointBound False WaypointIsNotReady")),
                new Row(
                        "policy of a ServiceEntry",
                        WAYPOINT + ENTRY + policy(OF_ENTRY),
                        "AuthorizationPolicy shop/p",
                        true,
                        List.of("WaypointAccepted True Accepted")),
                new Row(
                        "policy of a ServiceEntry without its waypoint",
                        ENTRY + policy(OF_ENTRY),
                        "AuthorizationPolicy shop/p",
                        true,
                        List.of("WaypointAccepted False AncestorNotBound")),
                new Row(
                        "policy of a ServiceEntry that is not there",
                        WAYPOINT + policy(OF_ENTRY),
                        "AuthorizationPolicy shop/p",
                        true,
                        List.of("WaypointAccepted False TargetNotFound")),
                new Row(
                        "L4 policy",
                        CART + policy(l4),
                        "AuthorizationPolicy shop/p",
                        true,
                        List.of("ZtunnelAccepted True Accepted")),
                new Row(
                        "L7 policy for a node proxy",
                        CART + policy(l7),
                        "AuthorizationPolicy shop/p",
                        true,
                        List.of("ZtunnelAccepted True UnsupportedValue")),
                new Row(
                        "action that nobody does",
                        CART + policy("{action: AUDIT, rules: [{}]}"),
                        "AuthorizationPolicy shop/p",
                        true,
                        List.of("ZtunnelAccepted False UnsupportedValue")),
                new Row(
                        "policy of a Service with a waypoint",
                        WAYPOINT + CART + policy(bound),
                        "AuthorizationPolicy shop/p",
                        true,
                        List.of("WaypointAccepted True Accepted")),
                new Row(
                        "policy of a Service without one",
                        CART + policy(bound),
                        "AuthorizationPolicy shop/p",
                        true,
                        List.of("WaypointAccepted False AncestorNotBound")),
                new Row(
                        "policy of nothing",
                        CART + policy(bound.replace("cart", "crat")),
                        "AuthorizationPolicy shop/p",
                        true,
                        List.of("WaypointAccepted False TargetNotFound")));
    }

    @ParameterizedTest
    @MethodSource("rows")
    void conditionsSayWhatBecameOfIt(Row row) {
        assertThat(conditions(wanted(row.yaml, row.ready, row.object).fields().get("conditions")))
                .isEqualTo(row.said);
    }

    private static String traffic(String kind, String spec) {
        return """
                apiVersion: networking.istio.io/v1
                kind: %s
                metadata: {name: t, namespace: shop}
                spec: %s
                """.formatted(kind, spec);
    }

    private static final String TO_CART = "route: [{destination: {host: cart}}]";

    /// Each row that has an effect beside its nearest that has none.
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "VirtualService | {hosts: [cart], http: [{@}]} | True Accepted | in force",
                "VirtualService | {hosts: [crat], http: [{@}]} | False AncestorNotBound | for no Service that has a waypoint",
                "VirtualService | {hosts: [cart], http: [{@}, {name: late, @}]} | True PartiallyInvalid | late is never reached",
                "VirtualService | {hosts: [cart], http: [{route: [{destination: {host: cart}, weight: 20}]}]} |"
                        + " True PartiallyInvalid | write all destinations that share",
                "VirtualService | {hosts: [cart], http: [{route: [{destination: {host: cart, subset: x}}]}]} |"
                        + " False PartiallyInvalid | no DestinationRule declares subset x",
                "DestinationRule | {host: cart, trafficPolicy: {loadBalancer: {simple: RANDOM}}} | True Accepted | in force",
                "DestinationRule | {host: crat} | False AncestorNotBound | there is no Service crat",
                "DestinationRule | {host: cart, exportTo: [pay]} | False AncestorNotBound | look at exportTo",
            })
    void trafficRulesSayWhatHasNoEffectAndWhatToWrite(String kind, String spec, String said, String message) {
        var yaml = WAYPOINT + CART + traffic(kind, spec.replace("@", TO_CART));
        var conditions = Objects.requireNonNull(
                wanted(yaml, true, kind + " shop/t").fields().get("conditions"));
        assertThat(conditions(conditions)).containsExactly("WaypointAccepted " + said);
        assertThat(conditions.toString()).contains(message);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            true  | response.code >= 400 | True Accepted          | in force
            true  | response.code >=     | False PartiallyInvalid | it ends too early: everything is logged
            false | response.code >= 400 | False AncestorNotBound | no waypoint and no gateway serves what targetRefs name
            """)
    void whoseTelemetryHasNoEffectIsTold(boolean waypoint, String filter, String said, String message) {
        var conditions = Objects.requireNonNull(
                wanted((waypoint ? WAYPOINT : "") + CART + """
                        apiVersion: telemetry.istio.io/v1
                        kind: Telemetry
                        metadata: {name: t, namespace: shop}
                        spec:
                          targetRefs: [{group: "", kind: Service, name: cart}]
                          accessLogging: [{filter: {expression: "%s"}}]
                        """.formatted(filter), true, "Telemetry shop/t")
                        .fields()
                        .get("conditions"));
        assertThat(conditions(conditions)).containsExactly("WaypointAccepted " + said);
        assertThat(conditions.toString()).contains(message);
    }

    @Test
    void whatIsOfAnotherRevisionIsThatOnesToSpeakOf() {
        var all = WAYPOINT + CART + policy("{action: DENY, rules: [{}]}");
        var theirs = all.replace(
                "labels: {istio.io/dataplane-mode: ambient}",
                "labels: {istio.io/dataplane-mode: ambient, istio.io/rev: blue}");
        assertThat(said(all)).contains("AuthorizationPolicy shop/p", "Gateway shop/wp", "Service shop/cart");
        assertThat(said(theirs)).isEmpty();
    }

    private static List<String> said(String yaml) {
        var read = YamlReader.read(Path.of("mesh.yaml"), yaml);
        var objects = ObjectSet.of(read.objects(), read.problems());
        var settings = TranslationSettings.defaults();
        return new StatusRules(settings, deployed(true, ""))
                .of(Outcome.of(objects, List.of(), settings)).stream()
                        .map(one -> one.key().toString())
                        .toList();
    }

    private static final String EDGE = """
            ---
            apiVersion: gateway.networking.k8s.io/v1
            kind: Gateway
            metadata: {name: door, namespace: shop}
            spec:
              gatewayClassName: istio
              infrastructure: {labels: {door: front}}
              listeners: [{name: mesh, port: 81, protocol: HTTP}]
            ---
            apiVersion: networking.istio.io/v1
            kind: Gateway
            metadata: {name: g, namespace: shop}
            spec:
              selector: {door: front}
              servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: [a.example]}]
            """;

    @Test
    void whatIsForTheEdgeIsToldWhetherItIsInForceThere() {
        var routes = traffic("VirtualService", "{hosts: [a.example], gateways: [g], http: [{" + TO_CART + "}]}");
        var yaml = WAYPOINT + CART + routes + EDGE;
        assertThat(conditions(yaml, "VirtualService shop/t")).containsExactly("GatewayAccepted True Accepted");
        assertThat(conditions(yaml, "Istio Gateway shop/g")).containsExactly("GatewayAccepted True Accepted");
        var nowhere = yaml.replace("selector: {door: front}", "selector: {door: back}");
        assertThat(conditions(nowhere, "VirtualService shop/t"))
                .containsExactly("GatewayAccepted False AncestorNotBound");
        assertThat(conditions(nowhere, "Istio Gateway shop/g"))
                .containsExactly("GatewayAccepted False AncestorNotBound");
        assertThat(conditions(WAYPOINT + CART + routes, "VirtualService shop/t"))
                .containsExactly("GatewayAccepted False PartiallyInvalid");
    }

    private static List<String> conditions(String yaml, String object) {
        return conditions(wanted(yaml, true, object).fields().get("conditions"));
    }

    @Test
    void whatDoesNothingHereIsToldWhatToWriteInstead() {
        var yaml = CART + """
                apiVersion: networking.istio.io/v1
                kind: Sidecar
                metadata: {name: s, namespace: shop}
                spec: {egress: [{hosts: [./*]}]}
                ---
                apiVersion: extensions.istio.io/v1alpha1
                kind: WasmPlugin
                metadata: {name: w, namespace: shop}
                spec: {url: "oci://a/b"}
                """;
        for (var object : new String[] {"Sidecar shop/s", "WasmPlugin shop/w"}) {
            assertThat(conditions(yaml, object)).containsExactly("Accepted False UnsupportedKind");
            assertThat(String.valueOf(wanted(yaml, true, object).fields()))
                    .as(object)
                    .contains("has no effect", "AuthorizationPolicy");
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "PeerAuthentication | {mtls: {mode: STRICT}} | ZtunnelAccepted True Accepted",
                "PeerAuthentication | {selector: {matchLabels: {app: cat}}} | ZtunnelAccepted True UnsupportedValue",
                "RequestAuthentication | {jwtRules: [{issuer: a, jwks: '{}'}]} | WaypointAccepted False AncestorNotBound",
            })
    void policiesWithoutAWaypointAreToldWhatBecameOfThem(String kind, String spec, String said) {
        var yaml = CART + """
                apiVersion: security.istio.io/v1
                kind: %s
                metadata: {name: p, namespace: shop}
                spec: %s
                """.formatted(kind, spec);
        assertThat(conditions(yaml, kind + " shop/p")).containsExactly(said);
    }

    @Test
    void aWorkloadEntryIsToldThatItIsKnown() {
        var yaml = CART + """
                apiVersion: networking.istio.io/v1
                kind: WorkloadEntry
                metadata: {name: vm, namespace: shop}
                spec: {address: 198.18.0.9}
                """;
        assertThat(conditions(yaml, "WorkloadEntry shop/vm")).containsExactly("ZtunnelAccepted True Accepted");
    }

    @Test
    void aGatewayIsToldItsAddressesAndListeners() {
        var wanted = wanted(WAYPOINT, true, "Gateway shop/wp");
        assertThat(wanted.generation()).isEqualTo(3);
        assertThat(String.valueOf(wanted.fields().get("addresses")))
                .contains("198.19.0.9")
                .contains("wp.shop.svc.cluster.local");
        assertThat((List<?>) wanted.fields().get("listeners")).hasSize(1);
    }

    @Test
    void aGatewayOfAnothersClassIsNotOurs() {
        var theirs = WAYPOINT + """
                apiVersion: gateway.networking.k8s.io/v1
                kind: GatewayClass
                metadata: {name: istio-waypoint}
                spec: {controllerName: istio.io/mesh-controller}
                ---
                """ + CART;
        assertThat(all(theirs, true)).extracting(one -> one.key().toString()).containsExactly("Service shop/cart");
    }

    @Test
    void aRouteIsToldOfItsServiceItsBackendsAndItsWaypoint() {
        assertThat(parent(WAYPOINT + CART + route("cart", "cart")))
                .containsExactly(
                        "Accepted True Accepted",
                        "ResolvedRefs True ResolvedRefs",
                        "ResolvedWaypoints True ResolvedWaypoints");
        assertThat(parent(CART + route("cart", "gone")))
                .containsExactly(
                        "Accepted True Accepted",
                        "ResolvedRefs False BackendNotFound",
                        "ResolvedWaypoints False ResolvedWaypoints");
        assertThat(parent(CART + route("gone", "cart")))
                .containsExactly("Accepted False NoMatchingParent", "ResolvedRefs True ResolvedRefs");
    }

    private static final String DOOR = """
            apiVersion: gateway.networking.k8s.io/v1
            kind: Gateway
            metadata: {name: door, namespace: shop, uid: u2, generation: 4}
            spec:
              gatewayClassName: istio
              listeners:
              - {name: web, port: 80, protocol: HTTP, hostname: "*.example"}
              - {name: secure, port: 443, protocol: HTTPS, tls: {certificateRefs: [{name: gone}]}}
              - {name: raw, port: 90, protocol: UDP}
              - {name: names, port: 91, protocol: TLS, hostname: "*.test", tls: {mode: Passthrough}}
            ---
            apiVersion: v1
            kind: Service
            metadata: {name: door-istio, namespace: shop, labels: {gateway.networking.k8s.io/gateway-name: door}}
            spec: {type: LoadBalancer, clusterIP: 198.19.0.8, selector: {a: b}, ports: [{port: 80}]}
            status: {loadBalancer: {ingress: [{ip: 192.0.2.8}]}}
            ---
            """;

    private static String edgeRoute(String parent, String host) {
        return """
                apiVersion: gateway.networking.k8s.io/v1
                kind: HTTPRoute
                metadata: {name: r, namespace: shop}
                spec:
                  parentRefs: [{name: door%s}]
                  hostnames: [%s]
                  rules: [{backendRefs: [{name: cart, port: 80}]}]
                """.formatted(parent, host);
    }

    @Test
    void aGatewayAtTheEdgeAndItsRoutesAreTold() {
        var fields = wanted(CART + DOOR + edgeRoute("", "a.example"), true, "Gateway shop/door")
                .fields();
        assertThat(conditions(fields.get("conditions")))
                .containsExactly("Accepted True ListenersNotValid", "Programmed True Programmed");
        assertThat(String.valueOf(fields.get("addresses")))
                .contains("192.0.2.8")
                .doesNotContain("198.19.0.8");
        var listeners = (List<?>) Objects.requireNonNull(fields.get("listeners"));
        assertThat(told(listeners, 0))
                .containsExactly(
                        "Accepted True Accepted",
                        "Conflicted False NoConflicts",
                        "Programmed True Programmed",
                        "ResolvedRefs True ResolvedRefs");
        assertThat(told(listeners, 1)).contains("Programmed False Invalid", "ResolvedRefs False InvalidCertificateRef");
        assertThat(told(listeners, 2)).contains("Accepted False UnsupportedProtocol");
        assertThat(listeners.stream().map(one -> String.valueOf(((Map<?, ?>) one).get("attachedRoutes"))))
                .containsExactly("1", "1", "0", "0");
        assertThat(String.valueOf(((Map<?, ?>) listeners.getFirst()).get("supportedKinds")))
                .contains("HTTPRoute")
                .contains("GRPCRoute");
    }

    @ParameterizedTest
    @CsvSource({"a.test, Accepted True Accepted, 1", "a.example, Accepted False NoMatchingListenerHostname, 0"})
    void aRouteByServerNameIsToldWhetherAListenerTakesIt(String name, String accepted, String attached) {
        var yaml = CART + DOOR + edgeRoute(", sectionName: names", name).replace("kind: HTTPRoute", "kind: TLSRoute");
        assertThat(parents(wanted(yaml, true, "TLSRoute shop/r")))
                .containsExactly(accepted, "ResolvedRefs True ResolvedRefs");
        var listeners = (List<?>) Objects.requireNonNull(
                wanted(yaml, true, "Gateway shop/door").fields().get("listeners"));
        var names = (Map<?, ?>) listeners.getLast();
        assertThat(String.valueOf(names.get("attachedRoutes"))).isEqualTo(attached);
        assertThat(String.valueOf(names.get("supportedKinds")))
                .contains("TLSRoute")
                .doesNotContain("TCPRoute");
        assertThat(told(listeners, 3)).contains("Programmed True Programmed");
    }

    private static List<String> told(List<?> listeners, int number) {
        return conditions(((Map<?, ?>) listeners.get(number)).get("conditions"));
    }

    @Test
    void withoutAnAddressAGatewayAtTheEdgeIsNotProgrammed() {
        var pending = DOOR.replace("ingress: [{ip: 192.0.2.8}]", "ingress: []");
        assertThat(conditions(
                        wanted(pending, true, "Gateway shop/door").fields().get("conditions")))
                .contains("Programmed False AddressNotAssigned");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "'' | a.example | Accepted True Accepted",
                "', sectionName: web' | a.test | Accepted False NoMatchingListenerHostname",
                "', sectionName: web' | b.example | Accepted True Accepted",
                "', sectionName: other' | a.example | Accepted False NoMatchingParent",
                "', port: 81' | a.example | Accepted False NoMatchingParent",
                "', sectionName: raw' | a.example | Accepted False NotAllowedByListeners"
            })
    void aRouteIsToldWhetherAListenerTakesIt(String parent, String host, String accepted) {
        assertThat(parent(CART + DOOR + edgeRoute(parent, host)))
                .containsExactly(accepted, "ResolvedRefs True ResolvedRefs");
    }

    @Test
    void aRouteOfAServiceEntryIsToldOfItsHosts() {
        var bound = "ResolvedWaypoints True ResolvedWaypoints";
        assertThat(parent(WAYPOINT + ENTRY + entryRoute("pier.example")))
                .containsExactly("Accepted True Accepted", "ResolvedRefs True ResolvedRefs", bound);
        assertThat(parent(WAYPOINT + ENTRY + entryRoute("jetty.example")))
                .containsExactly("Accepted True Accepted", "ResolvedRefs False BackendNotFound", bound);
        assertThat(parent(WAYPOINT + entryRoute("wp.shop.svc.cluster.local")))
                .containsExactly("Accepted False NoMatchingParent", "ResolvedRefs True ResolvedRefs");
    }

    /// Its callers are at that Service already; another one of the same namespace is theirs to name by a grant only.
    @Test
    void aRouteOfAnotherNamespaceMayLeadToTheServiceThatWasCalled() {
        var theirs = route("cart", "%s").replace("name: cart,", "name: cart, namespace: mall,");
        var mall = CART.replace("namespace: shop", "namespace: mall");
        assertThat(parent(mall + theirs.formatted("cart, namespace: mall"))).contains("ResolvedRefs True ResolvedRefs");
        assertThat(parent(mall + theirs.formatted("desk, namespace: mall")))
                .contains("ResolvedRefs False RefNotPermitted");
    }

    private static List<String> parent(String yaml) {
        return parents(wanted(yaml, true, "HTTPRoute shop/r"));
    }

    private static List<String> parents(Wanted route) {
        var parents = (List<?>) Objects.requireNonNull(route.fields().get("parents"));
        return conditions(((Map<?, ?>) parents.getFirst()).get("conditions"));
    }

    private static List<String> conditions(@Nullable Object all) {
        return ((List<?>) Objects.requireNonNull(all))
                .stream()
                        .map(one -> (Map<?, ?>) one)
                        .map(one -> one.get("type") + " " + one.get("status") + " " + one.get("reason"))
                        .toList();
    }

    /// What stands for it has no condition of its own.
    @Test
    void aPolicyThatCannotBeReadIsInvalid() {
        var key = new ObjectKey(Kind.AUTHORIZATION_POLICY, "shop", "p");
        var spec = Map.of("rules", List.of(Map.of("to", List.of())));
        var read = ApiReader.read(key, Map.of("metadata", Map.of("name", "p", "namespace", "shop"), "spec", spec));
        var gap = new Gap(Place.inCluster(key), Optional.of(key));
        var objects = new ObjectSet(Map.of(key, read.closed().orElseThrow()), read.problems(), List.of(gap));
        var wanted = new StatusRules(TranslationSettings.defaults(), deployed(true, ""))
                .of(Outcome.of(objects, read.problems(), TranslationSettings.defaults()));
        assertThat(wanted)
                .singleElement()
                .satisfies(one -> assertThat(conditions(one.fields().get("conditions")))
                        .containsExactly("ZtunnelAccepted False Invalid"));
    }

    @Test
    void aGatewayWhoseParametersCannotBeUsedIsNotAccepted() {
        var gateway = """
                apiVersion: gateway.networking.k8s.io/v1
                kind: Gateway
                metadata: {name: wp, namespace: shop}
                spec:
                  gatewayClassName: culvert-waypoint
                  listeners: [{name: mesh, port: 15008, protocol: HBONE}]
                """;
        var objects = ObjectSet.of(YamlReader.read(Path.of("wp.yaml"), gateway).objects(), List.of());
        var wanted = new StatusRules(TranslationSettings.defaults(), deployed(true, "unknown key x"))
                .of(Outcome.of(objects, List.of(), TranslationSettings.defaults()));
        assertThat(wanted)
                .singleElement()
                .satisfies(one -> assertThat(conditions(one.fields().get("conditions")))
                        .contains("Accepted False InvalidParameters"));
    }

    private static Deployed deployed(boolean ready, String problem) {
        return new Deployed() {
            @Override
            public boolean isReady(Gateway gateway) {
                return ready;
            }

            @Override
            public Optional<String> problem(Gateway gateway) {
                return Optional.of(problem).filter(text -> !text.isEmpty());
            }
        };
    }

    private static Wanted wanted(String yaml, boolean ready, String object) {
        return all(yaml, ready).stream()
                .filter(one -> one.key().toString().equals(object))
                .findFirst()
                .orElseThrow();
    }

    private static List<Wanted> all(String yaml, boolean ready) {
        var read = YamlReader.read(Path.of("shop.yaml"), yaml);
        var objects = ObjectSet.of(read.objects(), read.problems());
        var settings = TranslationSettings.defaults();
        var problems = new ArrayList<>(read.problems());
        problems.addAll(Translator.translate(objects, settings).problems());
        problems.addAll(WaypointTranslator.translate(objects, settings).problems());
        return new StatusRules(settings, deployed(ready, ""))
                .of(Outcome.of(objects, problems, TranslationSettings.defaults()));
    }
}
