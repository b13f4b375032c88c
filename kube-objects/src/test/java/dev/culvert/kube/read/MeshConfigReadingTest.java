package dev.culvert.kube.read;

import static org.assertj.core.api.Assertions.assertThat;

import dev.culvert.kube.object.Kind;
import dev.culvert.kube.object.MeshConfig;
import dev.culvert.kube.object.MeshConfig.PathNormalization;
import dev.culvert.kube.object.ObjectKey;
import dev.culvert.kube.object.Problem;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MeshConfigReadingTest {
    private static YamlReader.Result read(String mesh) {
        return YamlReader.read(Path.of("mesh.yaml"), """
                apiVersion: v1
                kind: ConfigMap
                metadata: {name: istio, namespace: istio-system}
                data:
                  mesh: |
                """ + mesh.indent(4));
    }

    private static MeshConfig only(String mesh) {
        return (MeshConfig) read(mesh).objects().getFirst();
    }

    @Test
    void whatIstiosInstallationWritesIsReadWithoutAWord() {
        var result = read("""
                defaultConfig:
                  discoveryAddress: istiod.istio-system.svc:15012
                enablePrometheusMerge: true
                rootNamespace: istio-system
                trustDomain: cluster.local
                """);
        assertThat(result.problems()).isEmpty();
        var mesh = (MeshConfig) result.objects().getFirst();
        assertThat(mesh.trustDomain()).contains("cluster.local");
        assertThat(mesh.rootNamespace()).contains("istio-system");
        assertThat(mesh.paths()).isEqualTo(PathNormalization.BASE);
    }

    @Test
    void proxiesInFrontOfGatewaysAreCounted() {
        assertThat(only("""
                defaultConfig:
                  gatewayTopology: {numTrustedProxies: 2}
                """).trustedProxies()).isEqualTo(2);
        assertThat(only("defaultConfig: {tracing: {}}").trustedProxies()).isZero();
        var result = read("""
                defaultConfig:
                  gatewayTopology: {numTrustedProxies: 101, proxyProtocol: {}}
                """);
        assertThat(result.problems())
                .extracting(Problem::message)
                .containsExactlyInAnyOrder(
                        "data.mesh.defaultConfig.gatewayTopology.proxyProtocol has no effect here",
                        "data.mesh.defaultConfig.gatewayTopology.numTrustedProxies must be an integer 0..100, not \"101\"");
    }

    @Test
    void namespacesAreChosenByLabelsAndRequirements() {
        var mesh = only("""
                discoverySelectors:
                - matchLabels: {mesh: "yes"}
                - matchExpressions: [{key: env, operator: In, values: [prod, stage]}]
                """);
        assertThat(mesh.discovery()).hasSize(2);
        assertThat(mesh.discovery().get(0).selects(Map.of("mesh", "yes"))).isTrue();
        assertThat(mesh.discovery().get(0).selects(Map.of("mesh", "no"))).isFalse();
        assertThat(mesh.discovery().get(1).selects(Map.of("env", "stage"))).isTrue();
        assertThat(mesh.discovery().get(1).selects(Map.of())).isFalse();
    }

    @Test
    void retriesAndPathsAreThoseOfTheMesh() {
        var mesh = only("""
                defaultHttpRetryPolicy: {attempts: 3, retryOn: "reset,503"}
                pathNormalization: {normalization: DECODE_AND_MERGE_SLASHES}
                """);
        assertThat(mesh.retry()).hasValueSatisfying(retry -> {
            assertThat(retry.attempts()).isEqualTo(3);
            assertThat(retry.conditions()).containsExactly("reset");
            assertThat(retry.codes()).containsExactly(503);
        });
        assertThat(mesh.paths()).isEqualTo(PathNormalization.DECODE_AND_MERGE_SLASHES);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            defaultTrafficPolicy: {}                  | mesh.yaml:7 | has no effect here                  | write a DestinationRule
            accessLogFile: /var/log/a                 | mesh.yaml:7 | to no other file                    | write /dev/stdout
            accessLogEncoding: XML                    | mesh.yaml:7 | must be one of JSON, TEXT           | write one of these
            'extensionProviders: [{name: a, opentelemetry: {service: "a b", http: {}}}]' | mesh.yaml:7 | is no host | write a Service
            'extensionProviders: [{name: a, opentelemetry: {service: b, http: {path: "/a b"}}}]' | mesh.yaml:7 | is no path | write one such as
            'extensionProviders: [{name: a, zipkin: {service: b, port: 1}}]' | mesh.yaml:7 | zipkin has no effect here | write opentelemetry
            'extensionProviders: [{name: a, opentelemetry: {service: b, port: 4317}}]' | mesh.yaml:7 | by HTTP only | add http
            accessLogFiel: /dev/stdout                | mesh.yaml:7 | unknown field data.mesh.accessLogFiel | did you mean accessLogFile?
            pathNormalization: {normalization: NONE}  | mesh.yaml:7 | two spellings of a path             | write BASE
            pathNormalization: {normalization: SOME}  | mesh.yaml:7 | must be one of                      | write one of these
            trustDomain: [a]                          | mesh.yaml:7 | must be text, not a list            | ''
            'trustDomain: "'                          | mesh.yaml:5 | is not YAML                         | check its indentation
            """)
    void whatIsNotMeantIsNamedWithItsLine(String line, String place, String message, String fix) {
        var problems = read("enableTracing: true\n" + line + "\n").problems();
        assertThat(problems).hasSize(1);
        var problem = problems.getFirst();
        assertThat(problem.place()).hasToString(place);
        assertThat(problem.object()).isEqualTo("ConfigMap istio-system/istio");
        assertThat(problem.message()).contains(message);
        assertThat(problem.fix()).contains(fix);
    }

    @Test
    void otherConfigMapsAreNotOurs() {
        var result = YamlReader.read(
                Path.of("mesh.yaml"), "{apiVersion: v1, kind: ConfigMap, metadata: {name: app}, data: {mesh: a}}");
        assertThat(result.objects()).isEmpty();
        assertThat(result.problems()).extracting(Problem::isError).containsExactly(false);
    }

    @Test
    void inAClusterUnknownFieldsAreNamedToo() {
        var key = new ObjectKey(Kind.CONFIG_MAP, "istio-system", "istio");
        var result = ApiReader.read(
                key,
                Map.of(
                        "metadata",
                        Map.of("name", "istio", "namespace", "istio-system"),
                        "data",
                        Map.of("mesh", "rootNamespce: a", "other", "b")));
        assertThat(result.object()).isPresent();
        assertThat(result.problems()).extracting(Problem::fix).isEqualTo(List.of("did you mean rootNamespace?"));
    }
}
