package dev.culvert.istiod.waypoint;

import static org.assertj.core.api.Assertions.assertThat;

import dev.culvert.istiod.ambient.TranslationSettings;
import dev.culvert.istiod.ingress.EdgeGateway;
import dev.culvert.istiod.ingress.EdgeListener;
import dev.culvert.kube.object.ObjectSet;
import dev.culvert.kube.read.YamlReader;
import dev.culvert.protos.waypoint.ByteHost;
import dev.culvert.protos.waypoint.ConnectionPool;
import dev.culvert.protos.waypoint.Content;
import dev.culvert.protos.waypoint.GatewayConfig;
import dev.culvert.protos.waypoint.GatewayListener;
import dev.culvert.protos.waypoint.Policy;
import dev.culvert.protos.waypoint.Route;
import dev.culvert.protos.waypoint.VirtualHost;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// What gateways at the edge are told.
class GatewayTablesTest {
    private static final String PIER = """
            apiVersion: v1
            kind: Namespace
            metadata: {name: quay}
            ---
            apiVersion: v1
            kind: Namespace
            metadata: {name: ship, labels: {may: dock}}
            ---
            apiVersion: v1
            kind: Service
            metadata: {name: berth, namespace: ship}
            spec:
              clusterIP: 198.19.0.1
              selector: {app: berth}
              ports: [{name: http, port: 80}, {name: grpc, port: 81}, {name: any, port: 82}]
            """;

    private static ObjectSet objects(String more) {
        var read = YamlReader.read(Path.of("pier.yaml"), PIER + more);
        assertThat(read.problems()).filteredOn(one -> one.isError()).isEmpty();
        return ObjectSet.of(read.objects(), read.problems());
    }

    private static String gateway(String listeners) {
        return """
                ---
                apiVersion: gateway.networking.k8s.io/v1
                kind: Gateway
                metadata: {name: pier, namespace: quay}
                spec:
                  gatewayClassName: culvert
                  listeners: %s
                """.formatted(listeners);
    }

    private static String route(String name, String parent, String hosts, int port) {
        return """
                ---
                apiVersion: gateway.networking.k8s.io/v1
                kind: HTTPRoute
                metadata: {name: %s, namespace: ship}
                spec:
                  parentRefs: [{name: pier, namespace: quay%s}]
                  hostnames: [%s]
                  rules: [{backendRefs: [{name: berth, port: %s}]}]
                """.formatted(name, parent, hosts, port);
    }

    private static GatewayConfig told(ObjectSet objects) {
        var result = WaypointTranslator.translate(objects, TranslationSettings.defaults());
        return Objects.requireNonNull(result.gateways().get("quay/pier-culvert/listeners"));
    }

    private static EdgeListener only(ObjectSet objects) {
        return EdgeGateway.all(objects).getFirst().listeners().getFirst();
    }

    @Test
    void listenersTakeTheHostsThatTheyHaveInCommonWithRoutes() {
        var config = told(objects(gateway("""
                [{name: a, port: 80, protocol: HTTP, hostname: a.example, allowedRoutes: {namespaces: {from: All}}},
                 {name: w, port: 80, protocol: HTTP, hostname: "*.example", allowedRoutes: {namespaces: {from: All}}},
                 {name: o, port: 8080, protocol: HTTP, allowedRoutes: {namespaces: {from: All}}}]
                """)
                + route("all", "", "", 80)
                + route("both", "", "a.example, b.example, other.test", 80)
                + route("one", ", sectionName: w", "c.example", 80)
                + route("two", ", port: 8080", "d.example", 80)));
        assertThat(config.getPortsList()).extracting(port -> port.getNumber()).containsExactly(80, 8080);
        assertThat(config.getPorts(0).getListenersList())
                .extracting(GatewayListener::getName)
                .containsExactly("a", "w");
        assertThat(hosts(config, 0, 0)).containsExactly("a.example");
        assertThat(config.getPorts(0).getListeners(0).getHosts(0).getRoutesList())
                .extracting(Route::getName)
                .containsExactlyInAnyOrder("ship.all.0", "ship.both.0");
        assertThat(hosts(config, 0, 1)).containsExactly("*.example", "a.example", "b.example", "c.example");
        assertThat(hosts(config, 1, 0)).containsExactly("", "a.example", "b.example", "d.example", "other.test");
    }

    @Test
    void proxiesInFrontAreCountedByTheGatewayElseByTheMesh() {
        var listeners = gateway("[{name: a, port: 80, protocol: HTTP}]");
        var mesh = """
                ---
                apiVersion: v1
                kind: ConfigMap
                metadata: {name: istio, namespace: istio-system}
                data:
                  mesh: "defaultConfig: {gatewayTopology: {numTrustedProxies: 1}}"
                """;
        var own = "annotations: {proxy.istio.io/config: \"gatewayTopology: {numTrustedProxies: 2}\"}";
        assertThat(told(objects(listeners)).getTrustedProxies()).isZero();
        assertThat(told(objects(listeners + mesh)).getTrustedProxies()).isEqualTo(1);
        assertThat(told(objects(listeners.replace("namespace: quay}", "namespace: quay, " + own + "}") + mesh))
                        .getTrustedProxies())
                .isEqualTo(2);
        assertThat(told(objects(listeners.replace("spec:", "spec:\n  infrastructure: {" + own + "}") + mesh))
                        .getTrustedProxies())
                .isEqualTo(2);
    }

    private static Iterable<String> hosts(GatewayConfig config, int port, int listener) {
        return config.getPorts(port).getListeners(listener).getHostsList().stream()
                .map(VirtualHost::getHost)
                .toList();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "from: All | 1",
                "from: Same | 0",
                "from: Selector, selector: {matchLabels: {may: dock}} | 1",
                "from: Selector, selector: {matchLabels: {may: not}} | 0",
                "from: Selector, selector: {matchExpressions: [{key: may, operator: In, values: [dock, sail]}]} | 1",
                "from: Selector, selector: {matchExpressions: [{key: may, operator: In, values: [sail]}]} | 0",
                "from: Selector, selector: {matchExpressions: [{key: may, operator: NotIn, values: [sail]}]} | 1",
                "from: Selector, selector: {matchExpressions: [{key: may, operator: NotIn, values: [dock]}]} | 0",
                "from: Selector, selector: {matchExpressions: [{key: not, operator: NotIn, values: [dock]}]} | 1",
                "from: Selector, selector: {matchExpressions: [{key: may, operator: Exists}]} | 1",
                "from: Selector, selector: {matchExpressions: [{key: not, operator: Exists}]} | 0",
                "from: Selector, selector: {matchExpressions: [{key: not, operator: DoesNotExist}]} | 1",
                "from: Selector, selector: {matchLabels: {may: dock}, matchExpressions: [{key: may, operator: DoesNotExist}]} | 0"
            })
    void aListenerTakesRoutesOfTheNamespacesThatItAllows(String from, int taken) {
        var config = told(
                objects(gateway("[{name: a, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {" + from + "}}}]")
                        + route("r", "", "", 80)));
        assertThat(config.getPorts(0).getListeners(0).getHostsCount()).isEqualTo(taken);
    }

    @ParameterizedTest
    @CsvSource({"80,HTTP1", "81,HTTP2", "82,HTTP1"})
    void aBackendIsSpokenToAsItsPortSays(int port, ConnectionPool.Version version) {
        var config =
                told(objects(gateway("[{name: a, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: All}}}]")
                        + route("r", "", "", port)));
        var backend = config.getPorts(0)
                .getListeners(0)
                .getHosts(0)
                .getRoutes(0)
                .getForward()
                .getBackends(0);
        assertThat(backend.getTraffic().getPool().getVersion()).isEqualTo(version);
    }

    private static String https(String ref) {
        return "[{name: s, port: 443, protocol: HTTPS, tls: {certificateRefs: [{name: c" + ref + "}]}}]";
    }

    @ParameterizedTest
    @CsvSource({"EC,256", "RSA,2048"})
    void aCertificateIsSentWithItsKey(String algorithm, int size) throws Exception {
        var key = ServerCertificates.key(algorithm, size);
        var config = told(objects(gateway(https("")) + ServerCertificates.secret("quay", "c", key, key)));
        assertThat(config.getPorts(0).getTls()).isTrue();
        var sent = config.getPorts(0).getListeners(0).getCertificates(0);
        assertThat(sent.getChainCount()).isEqualTo(1);
        assertThat(KeyFactory.getInstance(algorithm)
                        .generatePrivate(
                                new PKCS8EncodedKeySpec(sent.getPrivateKey().toByteArray())))
                .isEqualTo(key.getPrivate());
    }

    @Test
    void aCertificateThatCannotBeHadLetsNobodyIn() throws Exception {
        var key = ServerCertificates.key("EC", 256);
        var missing = objects(gateway(https("")));
        assertThat(only(missing).resolved().reason()).isEqualTo("InvalidCertificateRef");
        assertThat(only(missing).programmed().holds()).isFalse();
        assertThat(told(missing).getPorts(0).getTls()).isTrue();
        assertThat(told(missing).getPorts(0).getListeners(0).getCertificatesCount())
                .isZero();
        var mixed = objects(
                gateway(https("")) + ServerCertificates.secret("quay", "c", key, ServerCertificates.key("EC", 256)));
        assertThat(only(mixed).resolved().reason()).isEqualTo("InvalidCertificateRef");
        assertThat(only(mixed).resolved().message()).contains("tls.key is not the key");
        assertThat(mixed.toString() + only(mixed)).doesNotContain("PRIVATE KEY");
    }

    @Test
    void aCertificateOfAnotherNamespaceNeedsAGrant() throws Exception {
        var key = ServerCertificates.key("EC", 256);
        var foreign = gateway(https(", namespace: ship")) + ServerCertificates.secret("ship", "c", key, key);
        assertThat(only(objects(foreign)).resolved().reason()).isEqualTo("RefNotPermitted");
        assertThat(told(objects(foreign)).getPorts(0).getListeners(0).getCertificatesCount())
                .isZero();
        var granted = objects(foreign + """
                ---
                apiVersion: gateway.networking.k8s.io/v1beta1
                kind: ReferenceGrant
                metadata: {name: g, namespace: ship}
                spec:
                  from: [{group: gateway.networking.k8s.io, kind: Gateway, namespace: quay}]
                  to: [{group: "", kind: Secret, name: c}]
                """);
        assertThat(only(granted).resolved().holds()).isTrue();
        assertThat(told(granted).getPorts(0).getListeners(0).getCertificatesCount())
                .isEqualTo(1);
    }

    // ---- clients' certificates ----

    private static String asking(String frontend) {
        return gateway(
                        "[{name: s, port: 443, protocol: HTTPS, tls: {certificateRefs: [{name: c}]}}, {name: t, port: 444, protocol: HTTPS, tls: {certificateRefs: [{name: c}]}}]")
                + "  tls: {frontend: " + frontend + "}\n";
    }

    private static String authorities(String namespace, String name) throws Exception {
        var key = ServerCertificates.key("EC", 256);
        var secret = ServerCertificates.secret(namespace, name, key, key);
        return secret.substring(0, secret.indexOf("  tls.key:"))
                .replace("kind: Secret\ntype: kubernetes.io/tls", "kind: ConfigMap")
                .replace("stringData:", "data:")
                .replace("tls.crt:", "ca.crt:");
    }

    private static String refs(String refs) {
        return "{validation: {caCertificateRefs: [" + refs + "]}}";
    }

    private static final String OWN = "{group: '', kind: ConfigMap, name: signers}";

    @Test
    void clientsAreAskedForCertificatesOfTheNamedAuthorities() throws Exception {
        var key = ServerCertificates.key("EC", 256);
        var all = authorities("quay", "signers") + ServerCertificates.secret("quay", "c", key, key);
        var everywhere = told(objects(asking("{default: " + refs(OWN) + "}") + all));
        assertThat(everywhere.getPortsList()).allSatisfy(port -> {
            assertThat(port.getListeners(0).getClients().getAuthoritiesCount()).isEqualTo(1);
            assertThat(port.getListeners(0).getClients().getOptional()).isFalse();
        });
        var one = told(objects(asking("{default: {}, perPort: [{port: 443, tls: " + refs(OWN) + "}]}") + all));
        assertThat(one.getPorts(0).getListeners(0).hasClients()).isTrue();
        assertThat(one.getPorts(1).getListeners(0).hasClients()).isFalse();
        var other = told(objects(asking("{default: " + refs(OWN) + ", perPort: [{port: 443, tls: {}}]}") + all));
        assertThat(other.getPorts(0).getListeners(0).hasClients()).isFalse();
        assertThat(other.getPorts(1).getListeners(0).hasClients()).isTrue();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{group: '', kind: ConfigMap, name: gone} | InvalidCACertificateRef",
                "{group: '', kind: Secret, name: c} | InvalidCACertificateKind",
                "{group: '', kind: ConfigMap, name: theirs, namespace: ship} | RefNotPermitted"
            },
            quoteCharacter = '`')
    void withoutAuthoritiesAListenerIsNotServed(String ref, String reason) throws Exception {
        var key = ServerCertificates.key("EC", 256);
        var rest = authorities("quay", "signers")
                + authorities("ship", "theirs")
                + ServerCertificates.secret("quay", "c", key, key);
        var none = objects(asking("{default: " + refs(ref) + "}") + rest);
        assertThat(only(none).accepted().reason()).isEqualTo("NoValidCACertificate");
        assertThat(only(none).resolved().reason()).isEqualTo(reason);
        assertThat(told(none).getPortsCount()).isZero();
        var some = objects(asking("{default: " + refs(ref + ", " + OWN) + "}") + rest);
        assertThat(only(some).accepted().holds()).isTrue();
        assertThat(only(some).resolved().reason()).isEqualTo(reason);
        assertThat(told(some).getPorts(0).getListeners(0).getClients().getAuthoritiesCount())
                .isEqualTo(1);
    }

    @Test
    void authoritiesOfAnotherNamespaceNeedAGrant() throws Exception {
        var key = ServerCertificates.key("EC", 256);
        var granted =
                objects(asking("{default: " + refs("{group: '', kind: ConfigMap, name: theirs, namespace: ship}") + "}")
                        + authorities("ship", "theirs")
                        + ServerCertificates.secret("quay", "c", key, key)
                        + """
                        ---
                        apiVersion: gateway.networking.k8s.io/v1beta1
                        kind: ReferenceGrant
                        metadata: {name: g, namespace: ship}
                        spec:
                          from: [{group: gateway.networking.k8s.io, kind: Gateway, namespace: quay}]
                          to: [{group: "", kind: ConfigMap}]
                        """);
        assertThat(only(granted).resolved().holds()).isTrue();
        assertThat(told(granted).getPorts(0).getListeners(0).getClients().getAuthoritiesCount())
                .isEqualTo(1);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "[{name: a, port: 80, protocol: UDP}] | UnsupportedProtocol",
                "[{name: a, port: 80, protocol: TCP, tls: {mode: Passthrough}}] | UnsupportedValue",
                "[{name: a, port: 80, protocol: TLS, tls: {mode: Other}}] | UnsupportedValue",
                "[{name: a, port: 15008, protocol: HTTP}] | PortUnavailable",
                "[{name: a, port: 443, protocol: HTTPS, tls: {mode: Passthrough}}] | UnsupportedValue"
            })
    void whatCannotBeServedIsNotListenedTo(String listeners, String reason) {
        var objects = objects(gateway(listeners));
        assertThat(only(objects).accepted().reason()).isEqualTo(reason);
        assertThat(told(objects).getPortsCount()).isZero();
    }

    @ParameterizedTest
    @CsvSource({
        "HTTP,HTTP,HostnameConflict",
        "HTTP,HTTPS,ProtocolConflict",
        "TLS,HTTPS,HostnameConflict",
        "TCP,TLS,ProtocolConflict"
    })
    void listenersThatAreInEachOthersWayAreNotServed(String first, String second, String reason) {
        var objects = objects(gateway("[{name: a, port: 80, protocol: " + first + "}, {name: b, port: 80, protocol: "
                + second + ", tls: {certificateRefs: [{name: c}]}}]"));
        assertThat(EdgeGateway.all(objects).getFirst().listeners())
                .allSatisfy(one -> assertThat(one.conflicted().reason()).isEqualTo(reason));
        assertThat(told(objects).getPortsCount()).isZero();
    }

    // ---- bytes ----

    private static String raw(String kind, String name, String parent, String more) {
        return """
                ---
                apiVersion: gateway.networking.k8s.io/v1
                kind: %s
                metadata: {name: %s, namespace: ship}
                spec:
                  parentRefs: [{name: pier, namespace: quay%s}]
                  %s
                """.formatted(kind, name, parent, more);
    }

    private static String to(String backends) {
        return "rules: [{backendRefs: [" + backends + "]}]";
    }

    @Test
    void aListenerOfTcpHasTheBackendsOfItsOldestRoute() {
        var port = "[{name: a, port: 90, protocol: TCP, allowedRoutes: {namespaces: {from: All}}}]";
        assertThat(told(objects(gateway(port))).getPorts(0).hasBytes()).isTrue();
        assertThat(told(objects(gateway(port))).getPorts(0).getBytes().getBackendsCount())
                .isZero();
        var forward = told(objects(gateway(port)
                        + raw("TCPRoute", "b", "", to("{name: berth, port: 82}"))
                        + raw("TCPRoute", "a", "", to("{name: berth, port: 80, weight: 3}, {name: gone, port: 1}"))))
                .getPorts(0)
                .getBytes();
        assertThat(forward.getBackends(0).getPort()).isEqualTo(80);
        assertThat(forward.getBackends(0).getWeight()).isEqualTo(3);
        assertThat(forward.getBackends(1).getBrokenStatus()).isNotZero();
    }

    @Test
    void aListenerThatPassesTlsOnHasBackendsByName() {
        var config = told(objects(gateway("""
                [{name: p, port: 443, protocol: TLS, hostname: "*.example", tls: {mode: Passthrough}, allowedRoutes: {namespaces: {from: All}}},
                 {name: h, port: 443, protocol: HTTPS, hostname: "h.example", tls: {certificateRefs: [{name: c}]}}]
                """)
                + raw(
                        "TLSRoute",
                        "a",
                        "",
                        "hostnames: [A.example, '*.b.example', other.test]\n  " + to("{name: berth, port: 80}"))
                + raw("TLSRoute", "b", "", "hostnames: [a.example]\n  " + to("{name: berth, port: 82}"))
                + raw("TCPRoute", "c", "", to("{name: berth, port: 82}"))));
        assertThat(config.getPortsCount()).isEqualTo(1);
        assertThat(config.getPorts(0).getTls()).isTrue();
        var passed = config.getPorts(0).getListenersList().stream()
                .filter(one -> one.getName().equals("p"))
                .findFirst()
                .orElseThrow();
        assertThat(passed.getContent()).isEqualTo(Content.TLS);
        assertThat(passed.getByteHostsList()).extracting(ByteHost::getHost).containsExactly("*.b.example", "a.example");
        assertThat(passed.getByteHosts(1).getForward().getBackends(0).getPort()).isEqualTo(80);
        assertThat(passed.getHostsCount()).isZero();
    }

    @ParameterizedTest
    @CsvSource({"TLSRoute, a.example", "TCPRoute, '*.example'"})
    void aListenerThatEndsTlsTakesRoutesOfBytes(String kind, String host) throws Exception {
        var key = ServerCertificates.key("EC", 256);
        var config = told(objects(gateway("""
                [{name: t, port: 443, protocol: TLS, hostname: "*.example", tls: {certificateRefs: [{name: c}]}, allowedRoutes: {namespaces: {from: All}}}]
                """)
                + ServerCertificates.secret("quay", "c", key, key)
                + raw(
                        kind,
                        "a",
                        "",
                        (kind.equals("TLSRoute") ? "hostnames: [a.example]\n  " : "")
                                + to("{name: berth, port: 80}"))));
        var listener = config.getPorts(0).getListeners(0);
        assertThat(listener.getContent()).isEqualTo(Content.BYTES_IN_TLS);
        assertThat(listener.getCertificatesCount()).isEqualTo(1);
        assertThat(listener.getByteHostsList()).extracting(ByteHost::getHost).containsExactly(host);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "metadata: {name: p, namespace: quay}\nspec: {}",
                "metadata: {name: p, namespace: istio-system}\nspec: {}",
                "metadata: {name: p, namespace: quay}\nspec: {selector: {matchLabels: {gateway.networking.k8s.io/gateway-name: pier}}}",
                "metadata: {name: p, namespace: quay}\nspec: {targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: pier}]}",
                "metadata: {name: p, namespace: istio-system}\nspec: {targetRefs: [{group: gateway.networking.k8s.io, kind: GatewayClass, name: culvert}]}"
            })
    void policiesOfTheGatewayAreEnforcedThere(String policy) {
        assertThat(policies(policy)).extracting(Policy::getName).containsExactly("p");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "metadata: {name: p, namespace: ship}\nspec: {}",
                "metadata: {name: p, namespace: quay}\nspec: {selector: {matchLabels: {app: berth}}}",
                "metadata: {name: p, namespace: quay}\nspec: {targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: other}]}",
                "metadata: {name: p, namespace: istio-system}\nspec: {targetRefs: [{group: gateway.networking.k8s.io, kind: GatewayClass, name: istio-waypoint}]}"
            })
    void policiesOfOthersAreNot(String policy) {
        assertThat(policies(policy)).isEmpty();
    }

    private static Iterable<Policy> policies(String policy) {
        return told(objects(gateway("[{name: a, port: 80, protocol: HTTP}]")
                        + "---\napiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\n" + policy + "\n"))
                .getPoliciesList();
    }

    @Test
    void aClassThatAnotherControllerServesIsLeftAlone() {
        var objects = objects(gateway("[{name: a, port: 80, protocol: HTTP}]") + """
                ---
                apiVersion: gateway.networking.k8s.io/v1
                kind: GatewayClass
                metadata: {name: culvert}
                spec: {controllerName: istio.io/gateway-controller}
                """);
        assertThat(WaypointTranslator.translate(objects, TranslationSettings.defaults())
                        .gateways())
                .isEmpty();
    }
}
