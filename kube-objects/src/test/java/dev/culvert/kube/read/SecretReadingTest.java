package dev.culvert.kube.read;

import static org.assertj.core.api.Assertions.assertThat;

import dev.culvert.kube.object.Gateway;
import dev.culvert.kube.object.TlsSecret;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Base64;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Secrets with certificates, and the listeners that name them.
class SecretReadingTest {
    private static final String KEY = "the key of keys";

    private static YamlReader.Result read(String text) {
        return YamlReader.read(Path.of("secret.yaml"), text);
    }

    private static String secret(String type, String data) {
        return "apiVersion: v1\nkind: Secret\ntype: " + type + "\nmetadata: {name: s, namespace: quay}\n" + data + "\n";
    }

    private static String base64(String text) {
        return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void bothFormsOfDataAreRead() {
        for (var data : Map.of(
                        "a",
                        "data: {tls.crt: " + base64("c") + ", tls.key: " + base64(KEY) + "}",
                        "b",
                        "stringData: {tls.crt: c, tls.key: " + KEY + "}")
                .values()) {
            var result = read(secret("kubernetes.io/tls", data));
            assertThat(result.problems()).isEmpty();
            var secret = (TlsSecret) result.objects().getFirst();
            assertThat(secret.certificate()).isEqualTo("c");
            assertThat(secret.privateKey()).isEqualTo(KEY);
            assertThat(secret.toString()).doesNotContain(KEY);
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "cert: c, key: the key of keys | c | true | ''",
                "tls.crt: c, tls.key: the key of keys, ca.crt: a | c | true | a",
                "cert: c, key: the key of keys, cacert: a | c | true | a",
                "cacert: a | '' | false | a"
            })
    void secretsOfNoTypeAreReadByIstiosNames(String data, String certificate, boolean hasKey, String authorities) {
        var result = read(secret("Opaque", "stringData: {" + data + "}"));
        assertThat(result.problems()).isEmpty();
        var secret = (TlsSecret) result.objects().getFirst();
        assertThat(secret.certificate()).isEqualTo(certificate);
        assertThat(secret.privateKey()).isEqualTo(hasKey ? KEY : "");
        assertThat(secret.authorities()).isEqualTo(authorities);
        assertThat(secret.isTls()).isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "data: {tls.crt: YQ==}",
                "data: {tls.crt: YQ==, tls.key: the*key*of*keys*=a}",
                "stringData: {tls.key: the key of keys}"
            })
    void whatIsMissingOrBrokenIsToldWithoutTheKey(String data) {
        var result = read(secret("kubernetes.io/tls", data));
        assertThat(result.objects()).isEmpty();
        assertThat(result.problems())
                .isNotEmpty()
                .allSatisfy(one -> assertThat(one.toString()).doesNotContain(KEY, "the*key"));
    }

    @ParameterizedTest
    @CsvSource({
        "kubernetes.io/service-account-token, 'tls.crt: c, tls.key: k, ca.crt: a'",
        "Opaque, 'password: k'",
        "Opaque, 'cert: c, tls.key: k'",
        "Opaque, 'key: k'"
    })
    void othersAreNotRead(String type, String data) {
        var result = read(secret(type, "stringData: {" + data + "}"));
        assertThat(result.objects()).isEmpty();
        assertThat(result.problems())
                .singleElement()
                .satisfies(one -> assertThat(one.isError()).isFalse());
    }

    private static String gateway(String rest) {
        return """
                apiVersion: gateway.networking.k8s.io/v1
                kind: Gateway
                metadata: {name: g, namespace: quay}
                spec:
                  gatewayClassName: istio
                """ + rest.indent(2);
    }

    @Test
    void aListenerIsReadWithItsCertificates() {
        var result = read(
                gateway(
                        "listeners: [{name: a, port: 443, protocol: HTTPS, hostname: A.Example,"
                                + " tls: {certificateRefs: [{name: c}, {name: d, namespace: ship}]}, allowedRoutes: {kinds: [{kind: HTTPRoute}]}}]"));
        assertThat(result.problems()).isEmpty();
        var listener = ((Gateway) result.objects().getFirst()).listeners().getFirst();
        assertThat(listener.hostname()).isEqualTo("a.example");
        assertThat(listener.tls().orElseThrow().certificates())
                .containsExactly(
                        new Gateway.ObjectRef("", "Secret", "quay", "c"),
                        new Gateway.ObjectRef("", "Secret", "ship", "d"));
        assertThat(listener.allowed().kinds())
                .containsExactly(new Gateway.RouteKind("gateway.networking.k8s.io", "HTTPRoute"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "listeners: [{name: a, port: 443, protocol: HTTPS, tls: {frontendValidation: {}}}]",
                "listeners: [{name: a, port: 443, protocol: HTTPS, tls: {options: {gateway.istio.io/tls-terminate-mode: MUTUAL}}}]",
                "tls: {frontend: {}}",
                "tls: {frontend: {default: {validation: {}}}}",
                "tls: {frontend: {default: {validation: {mode: AllowInsecureFallback, caCertificateRefs: [{group: '', kind: ConfigMap, name: a}]}}}}",
                "tls: {frontend: {default: {}, perPort: [{port: 1, tls: {}}, {port: 1, tls: {}}]}}",
                "tls: {backend: {}}",
                "listeners: [{name: a, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: Selector, selector: {matchExpressions: [{key: a, operator: Is}]}}}}]",
                "listeners: [{name: a, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: Selector, selector: {matchExpressions: [{key: a, operator: In}]}}}}]",
                "listeners: [{name: a, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: Selector, selector: {matchExpressions: [{key: a}]}}}}]",
                "listeners: [{name: a, port: 80, protocol: HTTP, hostname: '*'}]"
            })
    void whatWouldLetInMoreThanIsMeantIsRefused(String rest) {
        assertThat(read(gateway(rest)).objects()).isEmpty();
    }
}
