package dev.culvert.istiod.waypoint;

import static org.assertj.core.api.Assertions.assertThat;

import dev.culvert.istiod.ambient.TranslationSettings;
import dev.culvert.istiod.ingress.EdgePods;
import dev.culvert.kube.object.Gateway;
import dev.culvert.kube.object.Kind;
import dev.culvert.kube.object.ObjectSet;
import dev.culvert.kube.object.Problem;
import dev.culvert.kube.read.YamlReader;
import dev.culvert.protos.waypoint.ByteHost;
import dev.culvert.protos.waypoint.Content;
import dev.culvert.protos.waypoint.GatewayConfig;
import dev.culvert.protos.waypoint.GatewayListener;
import dev.culvert.protos.waypoint.Policy;
import dev.culvert.protos.waypoint.Route;
import dev.culvert.protos.waypoint.VirtualHost;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// What gateways at the edge are told of Istio's own Gateways and VirtualServices.
class IstioGatewayTablesTest {
    /// Pods of a Gateway of the Gateway API that takes what Istio's ingress gateway would.
    private static final String PIER = """
            apiVersion: gateway.networking.k8s.io/v1
            kind: Gateway
            metadata: {name: pier, namespace: istio-system}
            spec:
              gatewayClassName: culvert
              infrastructure: {labels: {istio: ingressgateway}}
              listeners: [{name: own, port: 8080, protocol: HTTP}]
            ---
            apiVersion: v1
            kind: Service
            metadata: {name: berth, namespace: quay}
            spec:
              clusterIP: 198.19.0.1
              selector: {app: berth}
              ports: [{name: http, port: 80}, {name: tcp, port: 90}]
            """;

    private static ObjectSet objects(String... more) {
        var read = YamlReader.read(Path.of("pier.yaml"), PIER + String.join("", more));
        assertThat(read.problems()).filteredOn(one -> one.isError()).isEmpty();
        return ObjectSet.of(read.objects(), read.problems());
    }

    private static String gateway(String name, String servers) {
        return """
                ---
                apiVersion: networking.istio.io/v1
                kind: Gateway
                metadata: {name: %s, namespace: istio-system}
                spec: {selector: {istio: ingressgateway}, servers: [%s]}
                """.formatted(name, servers);
    }

    private static String service(String name, String spec) {
        return """
                ---
                apiVersion: networking.istio.io/v1
                kind: VirtualService
                metadata: {name: %s, namespace: quay}
                spec: {%s}
                """.formatted(name, spec);
    }

    private static final String TO_BERTH = "route: [{destination: {host: berth, port: {number: 80}}}]";

    private static String http(String hosts, String gateways) {
        return "hosts: [" + hosts + "], gateways: [" + gateways + "], http: [{" + TO_BERTH + "}]";
    }

    private static WaypointTranslator.Result translated(ObjectSet objects) {
        return WaypointTranslator.translate(objects, TranslationSettings.defaults());
    }

    private static GatewayConfig told(ObjectSet objects) {
        return Objects.requireNonNull(translated(objects).gateways().get("istio-system/pier-culvert/listeners"));
    }

    private static List<GatewayListener> listeners(ObjectSet objects, int port) {
        return told(objects).getPortsList().stream()
                .filter(one -> one.getNumber() == port)
                .flatMap(one -> one.getListenersList().stream())
                .toList();
    }

    private static GatewayListener only(ObjectSet objects, int port) {
        assertThat(listeners(objects, port)).hasSize(1);
        return listeners(objects, port).getFirst();
    }

    private static List<String> hosts(GatewayListener listener) {
        return listener.getHostsList().stream().map(VirtualHost::getHost).toList();
    }

    private static List<String> problems(ObjectSet objects) {
        return translated(objects).problems().stream().map(Problem::toString).toList();
    }

    private static String plain(String hosts) {
        return "{port: {number: 80, name: http, protocol: HTTP}, hosts: [" + hosts + "]}";
    }

    private static String secure(String hosts, String tls) {
        return "{port: {number: 443, name: https, protocol: HTTPS}, hosts: [" + hosts + "], tls: {" + tls + "}}";
    }

    private static String certificate() throws Exception {
        var key = ServerCertificates.key("EC", 256);
        return ServerCertificates.secret("istio-system", "c", key, key);
    }

    // ---- HTTP ----

    @Test
    void hostsThatAServerAndAVirtualServiceHaveInCommonAreServed() {
        var objects = objects(
                gateway("gate", plain("'*.example', b.test")),
                service("v", http("A.example, '*.c.example', b.test, d.test", "istio-system/gate")));
        assertThat(hosts(only(objects, 80))).containsExactly("*.c.example", "a.example", "b.test");
        var backend = only(objects, 80).getHosts(0).getRoutes(0).getForward().getBackends(0);
        assertThat(backend.getHostname()).isEqualTo("berth.quay.svc.cluster.local");
        assertThat(backend.getPort()).isEqualTo(80);
        assertThat(problems(objects)).isEmpty();
    }

    @Test
    void severalGatewaysOfAPortAreOneTable() {
        var objects = objects(
                gateway("gate", plain("'*'")),
                gateway("other", plain("a.example")),
                service("v", http("a.example", "istio-system/gate")),
                service("w", http("a.example", "istio-system/other")));
        assertThat(only(objects, 80).getHosts(0).getRoutesList())
                .extracting(Route::getName)
                .containsExactly("quay.v.0", "quay.w.0");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {"\"quay/*\" | 1", "\"*/a.example\" | 1", "\"./*\" | 0", "\"other/*\" | 0"})
    void aHostIsForTheNamespaceThatItNames(String host, int served) {
        var objects = objects(gateway("gate", plain(host)), service("v", http("a.example", "istio-system/gate")));
        assertThat(only(objects, 80).getHostsCount()).isEqualTo(served);
    }

    @Test
    void rulesAreForTheGatewaysThatTheyName() {
        var objects = objects(
                gateway("gate", plain("'*'")),
                gateway("other", "{port: {number: 81, protocol: HTTP}, hosts: ['*']}"),
                service("v", """
                        hosts: [a.example], gateways: [istio-system/gate, istio-system/other, mesh], http: [
                          {name: of-gate, match: [{gateways: [istio-system/gate]}], %s},
                          {name: of-mesh, match: [{gateways: [mesh]}], %s},
                          {name: of-port, match: [{port: 81}], %s},
                          {name: of-all, %s}]""".formatted(TO_BERTH, TO_BERTH, TO_BERTH, TO_BERTH)));
        assertThat(only(objects, 80).getHosts(0).getRoutesList())
                .extracting(Route::getName)
                .containsExactly("of-gate", "of-all");
        assertThat(only(objects, 81).getHosts(0).getRoutesList())
                .extracting(Route::getName)
                .containsExactly("of-port", "of-all");
    }

    @Test
    void plainRequestsAreSentToHttpsWhereAServerSaysSo() {
        var objects = objects(
                gateway(
                        "gate",
                        "{port: {number: 80, protocol: HTTP}, hosts: ['*.example'], tls: {httpsRedirect: true}}"),
                service("v", http("a.example", "istio-system/gate")));
        assertThat(hosts(only(objects, 80))).containsExactly("*.example", "a.example");
        assertThat(only(objects, 80).getHostsList()).allSatisfy(host -> {
            assertThat(host.getRoutesCount()).isEqualTo(1);
            assertThat(host.getRoutes(0).getRedirect().getStatus()).isEqualTo(301);
            assertThat(host.getRoutes(0).getRedirect().getScheme()).isEqualTo("https");
        });
    }

    @Test
    void aVirtualServiceThatIsHiddenFromTheGatewaysNamespaceIsNotServed() {
        var objects = objects(
                gateway("gate", plain("'*'")),
                service("v", http("a.example", "istio-system/gate") + ", exportTo: ['.']"));
        assertThat(only(objects, 80).getHostsCount()).isZero();
        assertThat(problems(objects)).anySatisfy(one -> assertThat(one).contains("VirtualService quay/v", "exportTo"));
    }

    @Test
    void rulesOfADelegateAreServedAtTheEdge() {
        var objects = objects(
                gateway("gate", plain("'*'")),
                service(
                        "v",
                        "hosts: [a.example], gateways: [istio-system/gate], http: [{match: [{uri: {prefix: /a}}], delegate: {name: d}}]"),
                service("d", "http: [{name: of-delegate, " + TO_BERTH + "}]"));
        assertThat(only(objects, 80).getHosts(0).getRoutesList())
                .extracting(Route::getName)
                .containsExactly("of-delegate");
        assertThat(problems(objects)).isEmpty();
    }

    // ---- TLS ----

    @Test
    void eachHostOfAServerHasItsCertificate() throws Exception {
        var objects = objects(
                gateway(
                        "gate",
                        secure(
                                "a.example, '*.b.example'",
                                "mode: SIMPLE, credentialName: c, minProtocolVersion: TLSV1_3")),
                service("v", http("a.example, x.b.example", "istio-system/gate")),
                certificate());
        assertThat(told(objects).getPortsList())
                .filteredOn(port -> port.getNumber() == 443)
                .allSatisfy(port -> assertThat(port.getTls()).isTrue());
        assertThat(listeners(objects, 443))
                .extracting(GatewayListener::getHostname)
                .containsExactly("a.example", "*.b.example");
        assertThat(listeners(objects, 443)).allSatisfy(listener -> {
            assertThat(listener.getCertificatesCount()).isEqualTo(1);
            assertThat(listener.getMinVersion()).isEqualTo("TLSv1.3");
            assertThat(listener.getContent()).isEqualTo(Content.HTTP);
            assertThat(listener.hasClients()).isFalse();
        });
        assertThat(hosts(listeners(objects, 443).getLast())).containsExactly("x.b.example");
        assertThat(problems(objects)).isEmpty();
    }

    @Test
    void aSecretThatIsMissingIsToldAndLeavesTheOtherServersUp() {
        var objects = objects(
                gateway("gate", secure("a.example", "mode: SIMPLE, credentialName: gone") + ", " + plain("'*'")),
                service("v", http("a.example", "istio-system/gate")));
        assertThat(only(objects, 443).getCertificatesCount()).isZero();
        assertThat(hosts(only(objects, 80))).containsExactly("a.example");
        assertThat(problems(objects))
                .anySatisfy(one -> assertThat(one)
                        .contains("Istio Gateway istio-system/gate", "there is no Secret istio-system/gone"));
    }

    @Test
    void aServerThatCannotBeServedLeavesTheOthersUp() {
        var objects = objects(gateway(
                "gate",
                secure("a.example", "mode: ISTIO_MUTUAL") + ", {port: {number: 15021, protocol: HTTP}, hosts: ['*']}, "
                        + "{port: {number: 8080, protocol: TCP}, hosts: ['*']}, " + plain("'*'")));
        assertThat(told(objects).getPortsList())
                .extracting(port -> port.getNumber())
                .containsExactly(80, 8080);
        assertThat(problems(objects))
                .anySatisfy(one -> assertThat(one).contains("ISTIO_MUTUAL"))
                .anySatisfy(one -> assertThat(one).contains("port 15021 is the gateway's own"))
                .anySatisfy(
                        one -> assertThat(one).contains("another Gateway takes something else than TCP on port 8080"));
    }

    @Test
    void aHostThatAnotherServerHasIsToldAndTheOlderStays() throws Exception {
        var objects = objects(
                gateway("gate", secure("a.example", "mode: SIMPLE, credentialName: c")),
                gateway("gate2", secure("a.example", "mode: PASSTHROUGH")),
                certificate());
        assertThat(only(objects, 443).getContent()).isEqualTo(Content.HTTP);
        assertThat(problems(objects))
                .anySatisfy(one -> assertThat(one).contains("gate2", "another server has host a.example of port 443"));
    }

    @ParameterizedTest
    @CsvSource({"MUTUAL,false", "OPTIONAL_MUTUAL,true"})
    void clientsAreAskedForCertificatesOfTheSecretsAuthorities(String mode, boolean optional) throws Exception {
        var objects = objects(
                gateway(
                        "gate",
                        secure("a.example", "mode: " + mode + ", credentialName: c, subjectAltNames: [spiffe://a]")),
                certificate(),
                authorities("c-cacert"));
        var clients = only(objects, 443).getClients();
        assertThat(clients.getAuthoritiesCount()).isEqualTo(1);
        assertThat(clients.getOptional()).isEqualTo(optional);
        assertThat(clients.getNamesList()).containsExactly("spiffe://a");
    }

    private static String authorities(String name) throws Exception {
        var key = ServerCertificates.key("EC", 256);
        return ServerCertificates.secret("istio-system", name, key, key)
                .replace("type: kubernetes.io/tls", "type: Opaque")
                .replace("tls.crt:", "cacert:");
    }

    @Test
    void withoutAuthoritiesNobodyGetsIn() throws Exception {
        var objects = objects(gateway("gate", secure("a.example", "mode: MUTUAL, credentialName: c")), certificate());
        assertThat(only(objects, 443).hasClients()).isTrue();
        assertThat(only(objects, 443).getClients().getAuthoritiesCount()).isZero();
        assertThat(problems(objects)).anySatisfy(one -> assertThat(one).contains("nobody gets in"));
    }

    // ---- bytes ----

    private static final String RAW = """
            hosts: ["*"], gateways: [istio-system/gate],
            tls: [{match: [{sniHosts: [a.example], port: 443}], route: [{destination: {host: berth, port: {number: 80}}}]},
                  {match: [{sniHosts: ["*.b.example"]}], route: [{destination: {host: berth, port: {number: 90}}}]}],
            tcp: [{match: [{port: 1}], route: [{destination: {host: berth, port: {number: 80}}}]},
                  {route: [{destination: {host: berth, port: {number: 90}}}]}]""";

    @Test
    void namesThatArePassedOnHaveTheRulesOfTls() {
        var objects = objects(
                gateway("gate", "{port: {number: 443, protocol: TLS}, hosts: ['*.example'], tls: {mode: PASSTHROUGH}}"),
                service("v", RAW));
        var passed = only(objects, 443);
        assertThat(passed.getContent()).isEqualTo(Content.TLS);
        assertThat(passed.getByteHostsList()).extracting(ByteHost::getHost).containsExactly("a.example", "*.b.example");
        assertThat(passed.getByteHosts(1).getForward().getBackends(0).getPort()).isEqualTo(90);
    }

    @Test
    void bytesHaveTheRulesOfTcp() throws Exception {
        var objects = objects(
                gateway(
                        "gate",
                        "{port: {number: 90, protocol: TCP}, hosts: ['*']}, {port: {number: 443, protocol: TLS}, hosts: [a.example], tls: {mode: SIMPLE, credentialName: c}}"),
                service("v", RAW),
                certificate());
        var port = told(objects).getPortsList().stream()
                .filter(one -> one.getNumber() == 90)
                .findFirst()
                .orElseThrow();
        assertThat(port.getBytes().getBackends(0).getPort()).isEqualTo(90);
        var ended = only(objects, 443);
        assertThat(ended.getContent()).isEqualTo(Content.BYTES_IN_TLS);
        assertThat(ended.getByteHosts(0).getForward().getBackends(0).getPort()).isEqualTo(90);
    }

    // ---- through waypoints ----

    /// @param labels of the namespace
    private static String waypoint(String labels) {
        return """
                ---
                apiVersion: gateway.networking.k8s.io/v1
                kind: Gateway
                metadata: {name: wp, namespace: quay}
                spec: {gatewayClassName: istio-waypoint, listeners: [{name: mesh, port: 15008, protocol: HBONE}]}
                ---
                apiVersion: v1
                kind: Service
                metadata: {name: wp, namespace: quay, labels: {gateway.networking.k8s.io/gateway-name: wp}}
                spec: {clusterIP: 198.19.0.9, selector: {a: b}, ports: [{port: 15008}]}
                ---
                apiVersion: v1
                kind: Namespace
                metadata: {name: quay, labels: {%s}}
                """.formatted(labels);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "istio.io/use-waypoint: wp, istio.io/ingress-use-waypoint: true | '' | true",
                "istio.io/use-waypoint: wp | istio.io/ingress-use-waypoint: true | true",
                "istio.io/use-waypoint: wp, istio.io/ingress-use-waypoint: true | istio.io/ingress-use-waypoint: false | false",
                "istio.io/use-waypoint: wp | '' | false",
                "istio.io/ingress-use-waypoint: true | '' | false"
            })
    void aServiceIsReachedThroughItsWaypointIfItsLabelsSaySo(String ofNamespace, String ofService, boolean through) {
        var text = PIER.replace(
                        "metadata: {name: berth, namespace: quay}",
                        "metadata: {name: berth, namespace: quay, labels: {"
                                + ofService.replace(": true", ": 'true'").replace(": false", ": 'false'") + "}}")
                + waypoint(ofNamespace.replace(": true", ": 'true'"))
                + gateway("gate", plain("'*'") + ", {port: {number: 90, protocol: TCP}, hosts: ['*']}")
                + service("v", http("a.example", "istio-system/gate") + ", tcp: [{" + TO_BERTH + "}]");
        var read = YamlReader.read(Path.of("pier.yaml"), text);
        assertThat(read.problems()).isEmpty();
        var objects = ObjectSet.of(read.objects(), read.problems());
        var http = only(objects, 80).getHosts(0).getRoutes(0).getForward().getBackends(0);
        assertThat(http.getThroughWaypoint()).isEqualTo(through);
        var tcp = told(objects).getPortsList().stream()
                .filter(port -> port.getNumber() == 90)
                .findFirst()
                .orElseThrow();
        assertThat(tcp.getBytes().getBackends(0).getThroughWaypoint()).isEqualTo(through);
    }

    // ---- pods ----

    private static String pod(String name, String labels, String annotations) {
        return """
                ---
                apiVersion: v1
                kind: Pod
                metadata: {name: %s, namespace: sea, labels: {%s}, annotations: {%s}}
                spec: {serviceAccountName: ingress, containers: [{name: c}]}
                """.formatted(name, labels, annotations);
    }

    private static final String BY_HAND = "inject.istio.io/templates: gateway";

    @Test
    void podsThatSomebodyDeploysHimselfAreToldByTheirAccount() {
        var objects = objects(
                gateway("gate", plain("'*'")),
                service("v", http("a.example", "istio-system/gate")),
                pod("one", "istio: ingressgateway", BY_HAND),
                pod("two", "istio: ingressgateway, pod: two", BY_HAND),
                pod("app", "istio: ingressgateway", ""),
                """
                ---
                apiVersion: security.istio.io/v1
                kind: AuthorizationPolicy
                metadata: {name: p, namespace: sea}
                spec: {selector: {matchLabels: {istio: ingressgateway}}}
                """);
        assertThat(translated(objects).gateways().keySet())
                .containsExactlyInAnyOrder("istio-system/pier-culvert/listeners", "sea/ingress/listeners");
        var config = Objects.requireNonNull(translated(objects).gateways().get("sea/ingress/listeners"));
        assertThat(config.getPorts(0).getListeners(0).getHosts(0).getHost()).isEqualTo("a.example");
        assertThat(config.getPoliciesList()).extracting(Policy::getName).containsExactly("p");
    }

    @Test
    void labelsThatNotAllPodsOfAnAccountHaveDoNotCount() {
        var objects = objects(
                gateway("gate", plain("'*'")),
                pod("one", "istio: ingressgateway", BY_HAND),
                pod("two", "istio: egressgateway", BY_HAND));
        assertThat(Objects.requireNonNull(translated(objects).gateways().get("sea/ingress/listeners"))
                        .getPortsCount())
                .isZero();
    }

    @Test
    void portsOfServersAreClientsPorts() {
        var objects = objects(gateway(
                "gate",
                plain("'*'") + ", {port: {number: 8080, protocol: HTTP}, hosts: ['*']}, "
                        + secure("a.example", "mode: ISTIO_MUTUAL")));
        var pier = objects.find(Gateway.class, Kind.GATEWAY, "istio-system", "pier")
                .orElseThrow();
        assertThat(EdgePods.morePorts(pier, objects)).containsExactly(80);
    }

    // ---- findings ----

    @ParameterizedTest
    @ValueSource(strings = {"istio-system/gone", "gate", "istio-system/pier"})
    void aGatewayThatIsNotThereIsTold(String name) {
        var objects = objects(gateway("gate", plain("'*'")), service("v", http("a.example", name)));
        assertThat(problems(objects))
                .anySatisfy(one -> assertThat(one)
                        .contains("VirtualService quay/v")
                        .containsAnyOf("there is no Gateway", "one of the Gateway API"));
        assertThat(only(objects, 80).getHostsCount()).isZero();
    }

    @Test
    void aHostThatNoServerHasIsTold() {
        var objects =
                objects(gateway("gate", plain("b.example")), service("v", http("a.example", "istio-system/gate")));
        assertThat(problems(objects))
                .anySatisfy(one -> assertThat(one).contains("VirtualService quay/v", "none of its hosts [a.example]"));
    }

    @Test
    void aSelectorThatFindsNothingIsTold() {
        var objects = objects(gateway("gate", plain("'*'")).replace("ingressgateway", "elsewhere"));
        assertThat(listeners(objects, 80)).isEmpty();
        assertThat(problems(objects))
                .anySatisfy(one -> assertThat(one).contains("no gateway's pods have the labels", "elsewhere"));
    }
}
