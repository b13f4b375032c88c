package dev.culvert.istiod.app;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AnalyzeCommandTest {
    private static final String WHOLE = """
            apiVersion: v1
            kind: Namespace
            metadata: {name: quay, labels: {istio.io/dataplane-mode: ambient, istio.io/use-waypoint: gate}}
            ---
            apiVersion: gateway.networking.k8s.io/v1
            kind: Gateway
            metadata: {name: gate, namespace: quay}
            spec: {gatewayClassName: istio-waypoint, listeners: [{name: mesh, port: 15008, protocol: HBONE}]}
            ---
            apiVersion: v1
            kind: Service
            metadata: {name: berth, namespace: quay}
            spec: {selector: {app: berth}, ports: [{port: 80}]}
            ---
            apiVersion: apps/v1
            kind: Deployment
            metadata: {name: berth, namespace: quay}
            spec:
              selector: {matchLabels: {app: berth}}
              template: {metadata: {labels: {app: berth}}, spec: {containers: [{name: main, image: a}]}}
            ---
            apiVersion: security.istio.io/v1
            kind: AuthorizationPolicy
            metadata: {name: readers, namespace: quay}
            spec:
              targetRefs: [{group: "", kind: Service, name: berth}]
              rules: [{to: [{operation: {methods: [GET]}}]}]
            """;
    private static final String NOBODY = """
            apiVersion: security.istio.io/v1
            kind: AuthorizationPolicy
            metadata: {name: nobody, namespace: quay}
            spec:
              selector: {matchLabels: {app: absent}}
              rules: [{to: [{operation: {methods: [GET]}}]}]
            """;

    @TempDir
    Path folder;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    private int analyze(String... arguments) {
        var all = new String[arguments.length + 1];
        all[0] = "analyze";
        System.arraycopy(arguments, 0, all, 1, arguments.length);
        return IstiodLite.commandLine()
                .setOut(new PrintWriter(out, true))
                .setErr(new PrintWriter(err, true))
                .execute(all);
    }

    @Test
    void aMeshAsItWillBeIsFine() throws Exception {
        Files.writeString(folder.resolve("quay.yaml"), WHOLE);
        assertThat(analyze(folder.toString())).isZero();
        assertThat(out).hasToString("√ Nothing is wrong with 5 objects." + System.lineSeparator());
    }

    @Test
    void aNamespaceWithTheLabelOfSidecarsIsToldOfOurs() throws Exception {
        var namespace = """
                apiVersion: v1
                kind: Namespace
                metadata: {name: slipway, labels: {istio-injection: enabled}}
                """;
        var file = Files.writeString(folder.resolve("slipway.yaml"), namespace);
        assertThat(analyze(folder.toString())).isZero();
        assertThat(out.toString())
                .contains("Warning (Namespace slipway, ")
                .contains("istio-injection=enabled is for sidecars")
                .contains("label the namespace istio.io/dataplane-mode=ambient");
        Files.writeString(file, namespace.replace("enabled}", "enabled, istio.io/dataplane-mode: ambient}"));
        out.getBuffer().setLength(0);
        assertThat(analyze(folder.toString())).isZero();
        assertThat(out.toString()).contains("Nothing is wrong");
    }

    @Test
    void whatHasNoEffectIsAWarning() throws Exception {
        Files.writeString(folder.resolve("quay.yaml"), WHOLE);
        var file =
                Files.writeString(Files.createDirectory(folder.resolve("more")).resolve("policy.yml"), NOBODY);
        assertThat(analyze(folder.toString())).isZero();
        assertThat(out.toString())
                .contains("Warning (AuthorizationPolicy quay/nobody, " + file
                        + ":1) has no effect: no pod has the labels");
        assertThat(analyze("--failure-threshold", "Warning", folder.toString())).isEqualTo(79);
        assertThat(analyze(
                        "--failure-threshold",
                        "Warning",
                        folder.resolve("quay.yaml").toString()))
                .isZero();
    }

    @Test
    void aMistakeIsAnErrorWithPlaceAndFix() throws Exception {
        var file = Files.writeString(folder.resolve("policy.yaml"), NOBODY.replace("methods", "method"));
        assertThat(analyze("--output-threshold", "error", file.toString())).isEqualTo(79);
        assertThat(out.toString())
                .contains("Error (AuthorizationPolicy quay/nobody, " + file + ":6) unknown field")
                .contains("; did you mean methods?")
                .doesNotContain("Warning");
    }

    @Test
    void programsReadJson() throws Exception {
        Files.writeString(folder.resolve("policy.yaml"), "kind: [");
        assertThat(analyze("-o", "json", folder.toString())).isEqualTo(79);
        var all = new ObjectMapper().readTree(out.toString());
        assertThat(all.get(0).path("level").asText()).isEqualTo("Error");
        assertThat(all.get(0).path("reference").asText())
                .startsWith(folder.resolve("policy.yaml").toString());
    }

    @Test
    void whoAsksWronglyIsTold() {
        assertThat(analyze()).isEqualTo(2);
        assertThat(err.toString()).contains("name files or folders of YAML, or say --live");
        assertThat(analyze(folder.resolve("absent").toString())).isEqualTo(1);
        assertThat(err.toString()).contains("absent is not there");
    }
}
