package dev.culvert.istiod.waypoint;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.TextFormat;
import dev.culvert.istiod.ambient.TranslationSettings;
import dev.culvert.kube.object.ObjectSet;
import dev.culvert.kube.object.Problem;
import dev.culvert.kube.read.YamlReader;
import dev.culvert.protos.waypoint.Telemetry;
import java.nio.file.Path;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/// What waypoints are told to tell, of the mesh's configuration and of Telemetry objects.
class TelemetryTranslationTest {
    private static final String BERTH = "quay/w/quay/berth.quay.svc.cluster.local";

    private static WaypointTranslator.Result translate(String more) {
        var read = YamlReader.read(Path.of("quay.yaml"), WaypointTranslatorTest.QUAY + "---\n" + more);
        return WaypointTranslator.translate(
                ObjectSet.of(read.objects(), read.problems()), TranslationSettings.defaults());
    }

    private static Telemetry told(WaypointTranslator.Result result) {
        return Objects.requireNonNull(result.resources().get(BERTH)).getTelemetry();
    }

    private static String mesh(String text) {
        return """
                apiVersion: v1
                kind: ConfigMap
                metadata: {name: istio, namespace: istio-system}
                data:
                  mesh: |
                """ + text.indent(4) + "---\n";
    }

    /// @param scope of `spec`
    private static String telemetry(String place, String scope, String text) {
        return """
                apiVersion: telemetry.istio.io/v1
                kind: Telemetry
                metadata: {namespace: NAMESPACE, name: NAME}
                spec:
                  SCOPE
                """.replace("NAMESPACE", place.substring(0, place.indexOf('/')))
                        .replace("NAME", place.substring(place.indexOf('/') + 1))
                        .replace("SCOPE", scope.isEmpty() ? "selector: {}" : scope)
                + text.indent(2)
                + "---\n";
    }

    private static final String SERVICE = "targetRefs: [{group: '', kind: Service, name: berth}]";
    private static final String GATEWAY = "targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: w}]";

    private static Arguments row(String objects, String expected) {
        return Arguments.of(objects, expected);
    }

    static Stream<Arguments> logs() {
        return Stream.of(
                row(mesh("trustDomain: cluster.local"), "telemetry {}"),
                row(mesh("accessLogEncoding: JSON"), "access_logs {own {}}"),
                row(mesh("accessLogFile: /dev/stdout"), "access_logs {text: ''}"),
                row(mesh("accessLogFile: ''"), ""),
                row(
                        mesh("{accessLogFile: /dev/stdout, accessLogFormat: '%PROTOCOL%'}"),
                        "access_logs {text: '%PROTOCOL%'}"),
                row(mesh("{accessLogFile: /dev/stdout, accessLogEncoding: JSON}"), "access_logs {json: ''}"),
                row(
                        mesh("""
                        extensionProviders:
                        - {name: Lines, envoyFileAccessLog: {path: /dev/stdout, logFormat: {text: "%PROTOCOL%\\n"}}}
                        - {name: labels, envoyFileAccessLog: {logFormat: {labels: {a: "%PROTOCOL%", b: {c: 'x"y'}}}}}
                        - {name: plain, envoyFileAccessLog: {}}
                        defaultProviders: {accessLogging: [lines, labels, plain]}
                        """),
                        "access_logs {text: '%PROTOCOL%'}"
                                + " access_logs {json: '{\"a\":\"%PROTOCOL%\",\"b\":{\"c\":\"x\\\\\\\"y\"}}'} access_logs {text: ''}"),
                row(
                        telemetry("quay/a", SERVICE, "accessLogging: [{providers: [{name: envoy}]}]"),
                        "access_logs {text: ''}"),
                row(
                        telemetry("quay/a", SERVICE, "accessLogging: [{filter: {expression: response.code >= 400}}]"),
                        "access_logs {own {} filter: 'response.code >= 400'}"),
                row(telemetry("quay/a", SERVICE, "accessLogging: [{disabled: true}]"), ""),
                row(
                        telemetry("quay/a", SERVICE, "accessLogging: [{match: {mode: CLIENT}, disabled: true}]"),
                        "access_logs {own {}}"),
                row(
                        telemetry("istio-system/a", "", "accessLogging: [{disabled: true}]")
                                + telemetry("quay/b", GATEWAY, "accessLogging: [{disabled: false}]"),
                        "access_logs {own {}}"),
                row(
                        telemetry("istio-system/a", "", "accessLogging: [{providers: [{name: envoy}]}]")
                                + telemetry(
                                        "quay/b",
                                        "",
                                        "accessLogging: [{filter: {expression: request.method == 'GET'}}]"),
                        "access_logs {text: '' filter: \"request.method == 'GET'\"}"),
                row(
                        mesh("extensionProviders: [{name: a, envoyFileAccessLog: {}}]")
                                + telemetry("quay/a", "", "accessLogging: [{providers: [{name: envoy}]}]")
                                + telemetry("quay/b", SERVICE, "accessLogging: [{providers: [{name: a}]}]"),
                        "access_logs {text: ''}"),
                row(telemetry("other/a", "", "accessLogging: [{disabled: true}]"), "telemetry {}"));
    }

    @ParameterizedTest
    @MethodSource("logs")
    void accessLogsAreMergedAsIstioDoes(String objects, String expected) throws Exception {
        var told = told(translate(objects));
        assertThat(told.getAccessLogsList())
                .isEqualTo(TextFormat.parse(expected.equals("telemetry {}") ? "" : expected, Telemetry.class)
                        .getAccessLogsList());
    }

    @Test
    void whereNobodySaysAnythingNothingIsSent() {
        assertThat(Objects.requireNonNull(translate("").resources().get(BERTH)).hasTelemetry())
                .isFalse();
        assertThat(Objects.requireNonNull(translate(telemetry("other/a", "", "accessLogging: [{disabled: true}]"))
                                .resources()
                                .get(BERTH))
                        .hasTelemetry())
                .isFalse();
    }

    private static final String COLLECTOR = mesh("""
            enableTracing: true
            defaultConfig: {tracing: {sampling: 25.0}}
            defaultProviders: {tracing: [otel]}
            extensionProviders:
            - name: otel
              opentelemetry: {service: ops/otel.ops.svc.cluster.local, port: 4318, http: {path: /v1/traces, timeout: 2s}}
            - name: other
              opentelemetry: {service: otel.other.svc.cluster.local, port: 80, http: {path: /t}}
            - name: zipkin
              zipkin: {service: zipkin.ops.svc.cluster.local, port: 9411}
            """);
    private static final String OTEL =
            "collector {url: 'http://otel.ops.svc.cluster.local:4318/v1/traces' timeout {seconds: 2}}";

    static Stream<Arguments> spans() {
        return Stream.of(
                row(mesh("enableTracing: false"), "disabled: true"),
                row(mesh("defaultConfig: {tracing: {sampling: 0.5}}"), "share: 5000"),
                row(COLLECTOR, "share: 250000 " + OTEL),
                row(
                        COLLECTOR + telemetry("istio-system/a", "", "tracing: [{randomSamplingPercentage: 100}]"),
                        "share: 1000000 " + OTEL),
                row(
                        COLLECTOR
                                + telemetry("quay/a", "", "tracing: [{disableSpanReporting: true}]")
                                + telemetry("quay/b", SERVICE, "tracing: [{providers: [{name: Other}]}]"),
                        "share: 250000 disabled: true collector {url: 'http://otel.other.svc.cluster.local:80/t'}"),
                row(
                        COLLECTOR + telemetry("quay/b", SERVICE, "tracing: [{providers: [{name: zipkin}]}]"),
                        "share: 250000 disabled: true"),
                row(
                        telemetry(
                                        "quay/a",
                                        "",
                                        "tracing: [{customTags: {pier: {literal: {value: nine}}, a: {literal: {value: b}}}}]")
                                + telemetry("quay/b", SERVICE, """
                                        tracing:
                                        - match: {mode: SERVER}
                                          customTags:
                                            pier: {header: {name: x-pier, defaultValue: none}}
                                            node: {environment: {name: NODE_NAME}}
                                        - match: {mode: CLIENT}
                                          customTags: {c: {literal: {value: d}}}
                                        """),
                        "tags {name: 'pier' header {name: 'x-pier' otherwise: 'none'}} tags {name: 'a' literal: 'b'}"
                                + " tags {name: 'node' environment {name: 'NODE_NAME'}}"));
    }

    @ParameterizedTest
    @MethodSource("spans")
    void tracesAreMergedAsIstioDoes(String objects, String expected) throws Exception {
        assertThat(told(translate(objects)).getSpans())
                .isEqualTo(TextFormat.parse("spans {" + expected + "}", Telemetry.class)
                        .getSpans());
    }

    @Test
    void labelsAddUpFromTheMeshToTheService() throws Exception {
        var told = told(translate(telemetry("istio-system/mesh", "", """
                metrics:
                - providers: [{name: prometheus}]
                  overrides:
                  - tagOverrides: {response_flags: {operation: REMOVE}}
                """) + telemetry("quay/berth", SERVICE, """
                metrics:
                - overrides:
                  - match: {metric: REQUEST_COUNT, mode: SERVER}
                    tagOverrides: {pier: {operation: UPSERT, value: "'nine'"}, bad: {value: order-service}}
                  - match: {metric: REQUEST_SIZE, mode: CLIENT}
                    disabled: true
                  - match: {metric: RESPONSE_SIZE}
                    disabled: true
                - providers: [{name: stackdriver}]
                  overrides: [{disabled: true}]
                """)));
        assertThat(told.getMetricsList())
                .isEqualTo(TextFormat.parse("""
                        metrics {labels {name: 'response_flags'}}
                        metrics {metrics: REQUEST_COUNT labels {name: 'pier' value: "'nine'"}}
                        metrics {metrics: RESPONSE_SIZE disabled: true}
                        """, Telemetry.class).getMetricsList());
    }

    @Test
    void bothVersionsSayTheSame() {
        var object = telemetry("quay/a", SERVICE, "accessLogging: [{disabled: true}]");
        assertThat(told(translate(object.replace("/v1", "/v1alpha1")))).isEqualTo(told(translate(object)));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            selector: {matchLabels: {app: berth}}                | accessLogging: [{disabled: true}] | node proxies are not configured by it
            targetRefs: [{group: '', kind: Service, name: bert}] | accessLogging: [{disabled: true}] | TargetNotFound
            targetRefs: [{group: '', kind: Service, name: berth}]| accessLogging: [{filter: {expression: response.code >=}}] | it ends too early: everything is logged
            targetRefs: [{group: '', kind: Service, name: berth}]| accessLogging: [{providers: [{name: otel}]}] | otel is told nothing
            targetRefs: [{group: '', kind: Service, name: berth}]| tracing: [{providers: [{name: zipkin}]}] | zipkin is told nothing
            targetRefs: [{group: '', kind: Service, name: berth}]| metrics: [{providers: [{name: stackdriver}]}] | stackdriver is told nothing
            targetRefs: [{group: '', kind: Service, name: berth}]| metrics: [{overrides: [{tagOverrides: {a: {value: order-service}}}]}] | order is not known here
            targetRefs: [{group: '', kind: Service, name: berth}]| accessLogging: [{filter: {expression: "request.path.matches('(')"}}] | missing closing )
            targetRefs: [{group: '', kind: Service, name: berth}]| metrics: [{reportingInterval: 1s}] | reportingInterval is not supported yet
            targetRefs: [{group: '', kind: Service, name: berth}]| accessLogging: [{match: {mode: CLIENT}}] | a waypoint stands on the side of the server
            targetRefs: [{group: '', kind: Service, name: berth}]| tracing: [{customTags: {a: {formatter: {value: x}}}}] | formatter is not supported yet
            """)
    void whatHasNoEffectIsNamed(String scope, String text, String message) {
        var object = telemetry("quay/a", scope, text);
        var read = YamlReader.read(Path.of("quay.yaml"), WaypointTranslatorTest.QUAY + "---\n" + object);
        var problems = Stream.concat(read.problems().stream(), translate(object).problems().stream());
        assertThat(problems).singleElement().satisfies(problem -> {
            assertThat(problem.object()).isEqualTo("Telemetry quay/a");
            assertThat(problem.message()).contains(message);
            assertThat(problem.fix()).isNotBlank();
        });
    }

    @Test
    void theMeshIsToldOfFormatsAndProvidersThatAreNone() {
        assertThat(translate(mesh("""
                        accessLogFile: /dev/stdout
                        accessLogFormat: "%HOSTNAME% %REQ(X)%"
                        extensionProviders: [{name: a, envoyFileAccessLog: {logFormat: {labels: {a: "100%"}}}}]
                        defaultProviders: {accessLogging: [a, nobody], tracing: [nobody]}
                        """)).problems())
                .extracting(Problem::message)
                .containsExactlyInAnyOrder(
                        "accessLogFormat: HOSTNAME is not known here and is printed as -",
                        "provider a: \"%\" begins no operator of the form %NAME%, %NAME(argument)% or"
                                + " %NAME(argument):LENGTH%: Istio's default format is used",
                        "defaultProviders.accessLogging: nobody is told nothing: there is no such provider that can be"
                                + " served",
                        "defaultProviders.tracing: nobody is told nothing: there is no such provider that can be served");
    }

    @Test
    void gatewaysAtTheEdgeAreToldToo() {
        var result = translate("""
                apiVersion: gateway.networking.k8s.io/v1
                kind: Gateway
                metadata: {name: pier, namespace: quay}
                spec: {gatewayClassName: istio, listeners: [{name: a, port: 80, protocol: HTTP}]}
                ---
                """
                + telemetry("quay/a", GATEWAY.replace("name: w", "name: pier"), "accessLogging: [{disabled: true}]"));
        var gateway = result.gateways().values().iterator().next();
        assertThat(gateway.hasTelemetry()).isTrue();
        assertThat(gateway.getTelemetry().getAccessLogsList()).isEmpty();
        assertThat(Objects.requireNonNull(result.resources().get(BERTH)).hasTelemetry())
                .isFalse();
    }

    /// 003-07 of the corpus.
    @Test
    void theCorpusFileIsTold() throws Exception {
        var told = told(translate("""
                apiVersion: telemetry.istio.io/v1
                kind: Telemetry
                metadata:
                  name: berth-numbers
                  namespace: quay
                spec:
                  targetRefs:
                    - {group: "", kind: Service, name: berth}
                  metrics:
                    - providers:
                        - name: prometheus
                      overrides:
                        - match:
                            metric: REQUEST_COUNT
                            mode: SERVER
                          tagOverrides:
                            pier:
                              operation: UPSERT
                              value: "'nine'"
                  accessLogging:
                    - providers:
                        - name: envoy
                      filter:
                        expression: "response.code >= 400"
                """));
        assertThat(told).isEqualTo(TextFormat.parse("""
                access_logs {text: '' filter: 'response.code >= 400'}
                spans {}
                metrics {metrics: REQUEST_COUNT labels {name: 'pier' value: "'nine'"}}
                """, Telemetry.class));
    }
}
