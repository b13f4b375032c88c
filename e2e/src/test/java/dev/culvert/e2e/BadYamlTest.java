package dev.culvert.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Mistakes in the folder are named with file, line and fix; everything else stays applied.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class BadYamlTest {
    @TempDir(cleanup = CleanupMode.ON_SUCCESS)
    static Path directory;

    private TestMesh mesh;
    private TestPod web;
    private TestPod batch;
    private TestPod server;
    private Server echo;

    @BeforeAll
    void start() throws Exception {
        mesh = TestMesh.start(directory, Map.of("namespace.yaml", Yaml.ENROLLED, "only-web.yaml", Yaml.ONLY_WEB));
        web = mesh.pod("shop/web");
        batch = mesh.pod("shop/batch");
        server = mesh.pod("shop/server");
        echo = server.echo();
        mesh.enrol();
        mesh.awaitTunnel(web, server);
        Await.until("only-web is in force", this::batchIsRefused);
        Await.until("no problem is told", () -> mesh.problems().isEmpty());
    }

    @AfterAll
    void close() throws Exception {
        echo.close();
        mesh.close();
    }

    private boolean batchIsRefused() {
        try {
            batch.say(server.v4(), "hello");
            return false;
        } catch (IOException e) {
            return true;
        }
    }

    private void assertTheRestStaysApplied() throws IOException {
        var pods = Map.of("web", web, "batch", batch, "server", server);
        for (var pod : pods.entrySet()) {
            assertThat(mesh.pod("shop/" + pod.getKey())).isEqualTo(pod.getValue());
        }
        web.say(server.v4(), "hello");
        web.say(server.v6(), "hello");
        assertThatThrownBy(() -> batch.say(server.v4(), "hello")).isInstanceOf(IOException.class);
    }

    /// What users get wrong, and what they are told.
    enum Mistake {
        SYNTAX(3, "YAML syntax", "indentation", """
            apiVersion: v1
            kind: ServiceAccount
            metadata: {name: [broken, namespace: shop
            """),
        UNKNOWN_KIND(2, "unknown kind AuthorizationPolicie", "did you mean AuthorizationPolicy?", """
            apiVersion: security.istio.io/v1
            kind: AuthorizationPolicie
            metadata: {name: mistaken, namespace: shop}
            """),
        WRONG_FIELD(5, "selecter", "did you mean selector?", """
            apiVersion: security.istio.io/v1
            kind: AuthorizationPolicy
            metadata: {name: mistaken, namespace: shop}
            spec:
              selecter: {matchLabels: {app: server}}
              action: DENY
              rules: [{}]
            """),
        DUPLICATE_IP(1, "duplicate IP 198.18.66.3", "address of its own", """
            apiVersion: v1
            kind: Pod
            metadata: {name: twin, namespace: shop, labels: {app: twin}}
            spec:
              nodeName: node-9
              containers: [{name: twin, command: [sleep, infinity]}]
            status: {phase: Running, podIP: 198.18.66.3}
            """),
        NO_EFFECT(1, "has no effect", "matchLabels", """
            apiVersion: security.istio.io/v1
            kind: AuthorizationPolicy
            metadata: {name: mistaken, namespace: shop}
            spec:
              selector: {matchLabels: {app: nobody}}
              action: DENY
              rules: [{}]
            """);

        final int line;
        final String message;
        final String fix;
        final String yaml;

        Mistake(int line, String message, String fix, String yaml) {
            this.line = line;
            this.message = message;
            this.fix = fix;
            this.yaml = yaml;
        }
    }

    @ParameterizedTest
    @EnumSource(Mistake.class)
    void mistakeInANewFileIsNamedAndGoesWithIt(Mistake mistake) throws Exception {
        var file = mesh.write("mistake.yaml", mistake.yaml);
        Await.until("a problem of " + file + " is told", () -> problem(file).isPresent());
        var told = problem(file).orElseThrow();
        assertThat(told.path("place").asText()).isEqualTo(file + ":" + mistake.line);
        assertThat(told.path("message").asText()).contains(mistake.message);
        assertThat(told.path("fix").asText()).contains(mistake.fix);
        assertTheRestStaysApplied();
        mesh.delete("mistake.yaml");
        Await.until("the problem has gone", () -> mesh.problems().isEmpty());
        assertTheRestStaysApplied();
    }

    private Optional<JsonNode> problem(Path file) throws IOException {
        for (var problem : mesh.problems()) {
            if (problem.path("place").asText().startsWith(file + ":")) {
                return Optional.of(problem);
            }
        }
        return Optional.empty();
    }

    @Test
    void policyWhoseFileIsBrokenStaysAsItLastWas() throws Exception {
        var file = mesh.write("only-web.yaml", Yaml.ONLY_WEB + "\t- broken\n");
        Await.until("the problem is told", () -> problem(file).isPresent());
        assertTheRestStaysApplied();
        mesh.write("only-web.yaml", Yaml.ONLY_WEB);
        Await.until("the problem has gone", () -> mesh.problems().isEmpty());
        assertTheRestStaysApplied();
    }
}
