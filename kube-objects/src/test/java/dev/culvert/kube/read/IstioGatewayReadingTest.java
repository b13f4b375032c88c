package dev.culvert.kube.read;

import static org.assertj.core.api.Assertions.assertThat;

import dev.culvert.kube.object.IstioGateway;
import dev.culvert.kube.object.IstioGateway.Host;
import dev.culvert.kube.object.IstioGateway.Protocol;
import dev.culvert.kube.object.IstioGateway.TlsMode;
import dev.culvert.kube.object.Kind;
import dev.culvert.kube.object.ObjectKey;
import dev.culvert.kube.object.VirtualService;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Istio's own Gateways, and VirtualServices that name them.
class IstioGatewayReadingTest {
    private static YamlReader.Result read(String text) {
        return YamlReader.read(Path.of("gate.yaml"), text);
    }

    private static String gateway(String version, String servers) {
        return """
                apiVersion: networking.istio.io/%s
                kind: Gateway
                metadata: {name: gate, namespace: quay}
                spec:
                  selector: {istio: ingressgateway}
                  servers: [%s]
                """.formatted(version, servers);
    }

    private static IstioGateway.Server only(String server) {
        var result = read(gateway("v1", server));
        assertThat(result.problems()).filteredOn(problem -> problem.isError()).isEmpty();
        return ((IstioGateway) result.objects().getFirst()).servers().getFirst();
    }

    @ParameterizedTest
    @ValueSource(strings = {"v1", "v1beta1", "v1alpha3"})
    void isReadInEachVersion(String version) {
        var result = read(gateway(version, """
                {port: {number: 443, name: https, protocol: HTTPS}, hosts: ["a.Example", "quay/*.b.example", "./*"],
                 tls: {mode: SIMPLE, credentialName: c, minProtocolVersion: TLSV1_3}}"""));
        assertThat(result.problems()).isEmpty();
        var gateway = (IstioGateway) result.objects().getFirst();
        assertThat(gateway.key()).isEqualTo(new ObjectKey(Kind.ISTIO_GATEWAY, "quay", "gate"));
        assertThat(gateway.key().toString()).isEqualTo("Istio Gateway quay/gate");
        assertThat(gateway.selector()).containsEntry("istio", "ingressgateway");
        var server = gateway.servers().getFirst();
        assertThat(server.protocol()).isEqualTo(Protocol.HTTPS);
        assertThat(server.broken()).isEmpty();
        assertThat(server.hosts())
                .containsExactly(new Host("*", "a.example"), new Host("quay", "*.b.example"), new Host("quay", ""));
        assertThat(server.tls().orElseThrow().mode()).isEqualTo(TlsMode.SIMPLE);
        assertThat(server.tls().orElseThrow().credentials()).containsExactly("c");
        assertThat(server.tls().orElseThrow().minVersion()).isEqualTo("TLSv1.3");
    }

    @Test
    void itAndAGatewayOfTheGatewayApiMayHaveOneName() {
        var result = read(gateway("v1", "{port: {number: 80, protocol: HTTP}, hosts: ['*']}") + """
                ---
                apiVersion: gateway.networking.k8s.io/v1
                kind: Gateway
                metadata: {name: gate, namespace: quay}
                spec: {gatewayClassName: culvert, listeners: [{name: a, port: 80, protocol: HTTP}]}
                """);
        assertThat(result.problems()).isEmpty();
        assertThat(result.objects()).extracting(one -> one.kind()).containsExactly(Kind.ISTIO_GATEWAY, Kind.GATEWAY);
    }

    @ParameterizedTest
    @CsvSource({"HTTP,HTTP", "http2,HTTP", "GRPC,HTTP", "TCP,TCP"})
    void protocolsWithoutTls(String written, Protocol protocol) {
        assertThat(only("{port: {number: 80, protocol: " + written + "}, hosts: ['*']}")
                        .protocol())
                .isEqualTo(protocol);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "port: {number: 1, protocol: MONGO} | protocol MONGO",
                "port: {number: 1, protocol: HTTPS} | needs tls",
                "port: {number: 1, protocol: TLS}, tls: {mode: ISTIO_MUTUAL} | ISTIO_MUTUAL",
                "port: {number: 1, protocol: TLS}, tls: {mode: AUTO_PASSTHROUGH} | AUTO_PASSTHROUGH",
                "port: {number: 1, protocol: HTTPS}, tls: {mode: SIMPLE} | credentialName",
                "port: {number: 1, protocol: HTTPS}, tls: {mode: SIMPLE, serverCertificate: /a, privateKey: /b} | files",
                "port: {number: 1, protocol: HTTPS}, tls: {mode: MUTUAL, credentialName: c, verifyCertificateHash: [a]} | verifyCertificateHash",
                "port: {number: 1, protocol: HTTP}, bind: 127.0.0.1 | bind"
            })
    void whatWouldLetOthersInClosesItsServerOnly(String server, String why) {
        assertThat(only("{" + server + ", hosts: ['*']}").broken()).contains(why);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{port: {number: 80, protocol: HTTP}} | hosts is missing",
                "{port: {protocol: HTTP}, hosts: ['*']} | number is missing",
                "{port: {number: 80, protocol: HTTP}, hosts: ['a/b/c']} | namespace/host",
                "{port: {number: 80, protocol: HTTP}, hosts: ['a*']} | namespace/host",
                " | servers is missing"
            })
    void whatIsMissingOrMalformedIsTold(String server, String message) {
        var result = read(gateway("v1", server == null ? "" : server));
        assertThat(result.objects()).isEmpty();
        assertThat(result.problems().toString()).contains(message);
    }

    @Test
    void gatewaysOfAVirtualServiceAreNamedWhole() {
        var read = read("""
                apiVersion: networking.istio.io/v1
                kind: VirtualService
                metadata: {name: v, namespace: quay}
                spec:
                  hosts: [a.example]
                  gateways: [gate, ./door, sea/gate, gate.sea.svc.cluster.local, mesh]
                  http:
                  - match: [{gateways: [gate]}, {gateways: [mesh]}]
                    route: [{destination: {host: a}}]
                  - route: [{destination: {host: b}}]
                  tls:
                  - match: [{port: 1, sniHosts: [A.example], gateways: [gate]}, {port: 2, sniHosts: [b.example]}]
                    route: [{destination: {host: a}}]
                """);
        assertThat(read.problems()).isEmpty();
        var service = (VirtualService) read.objects().getFirst();
        assertThat(service.gateways()).containsExactly("quay/gate", "quay/door", "sea/gate", "sea/gate", "mesh");
        assertThat(service.inMesh()).isTrue();
        var first = service.rules().getFirst();
        assertThat(first.by("quay/gate").orElseThrow().matches()).hasSize(1);
        assertThat(first.by("sea/gate")).isEmpty();
        assertThat(service.rules().getLast().by("sea/gate")).isPresent();
        var raw = service.raw().getFirst();
        assertThat(raw.matches("quay/gate", 1)).hasSize(1);
        assertThat(raw.matches("quay/gate", 1).getFirst().serverNames()).containsExactly("a.example");
        assertThat(raw.matches("sea/gate", 1)).isEmpty();
        assertThat(raw.matches("sea/gate", 2)).hasSize(1);
    }
}
