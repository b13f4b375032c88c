package dev.culvert.istiod.app;

import static org.assertj.core.api.Assertions.assertThat;

import dev.culvert.daemon.config.Env;
import dev.culvert.daemon.log.LogFilter;
import dev.culvert.daemon.log.LogFormat;
import dev.culvert.daemon.log.LogSetup;
import dev.culvert.proxy.mesh.MeshState;
import dev.culvert.proxy.xds.ControlPlane;
import dev.culvert.proxy.xds.MeshResources;
import dev.culvert.proxy.xds.XdsClient;
import dev.culvert.proxy.xds.XdsMetrics;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.io.OutputStream;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// A controller that starts again over a folder that it has read before, as its clients see it.
@Timeout(240)
class RestartTest {
    private static final String MESH = """
            apiVersion: v1
            kind: Node
            metadata: {name: node-1, uid: n1}
            ---
            apiVersion: v1
            kind: Namespace
            metadata: {name: shop, labels: {istio.io/dataplane-mode: ambient}}
            ---
            apiVersion: v1
            kind: Pod
            metadata: {name: server, namespace: shop, uid: u1, labels: {app: server}}
            spec: {nodeName: node-1, containers: [{name: server}]}
            status: {phase: Running, podIP: 198.18.65.3, conditions: [{type: Ready, status: "True"}]}
            """;
    private static final String POLICY = """
            apiVersion: security.istio.io/v1
            kind: AuthorizationPolicy
            metadata: {name: only-web, namespace: shop}
            spec:
              selector: {matchLabels: {app: server}}
              rules: [{from: [{source: {principals: [cluster.local/ns/shop/sa/web]}}]}]
            """;

    @TempDir
    private Path directory;

    private Path folder;
    private Path state;

    @BeforeEach
    void writeMesh() throws IOException {
        folder = Files.createDirectory(directory.resolve("folder"));
        state = Files.createDirectory(directory.resolve("state"));
        Files.writeString(folder.resolve("mesh.yaml"), MESH);
    }

    private void policy(String text) throws IOException {
        Files.writeString(folder.resolve("policy.yaml"), text);
    }

    private String problems() throws IOException {
        return Files.readString(state.resolve("problems.json"));
    }

    /// Starts the controller, asks it as node-1's proxy, and ends it.
    /// @return the policies of the server
    private List<String> policiesOfTheServer() throws Exception {
        return policiesOfTheServer(Map.of());
    }

    private List<String> policiesOfTheServer(Map<String, String> more) throws Exception {
        var env = new HashMap<>(Map.of("CULVERT_GRPC_PORT", "0"));
        env.putAll(more);
        var settings = IstiodSettings.from(new Env(env));
        var where = new LocalPlatform.Where(List.of(folder), null, null, state, List.of());
        try (var log = LogSetup.install(LogFormat.PLAIN, LogFilter.parse("warn"), OutputStream.nullOutputStream());
                var istiod =
                        new IstiodProcess(settings, new LocalPlatform(where, settings.signerDir()), log.levels())) {
            var port = istiod.serve(IstiodProcess.Listen.NOWHERE);
            var token = state.resolve("tokens/node-1/istio-token");
            while (!Files.exists(token)) {
                TimeUnit.MILLISECONDS.sleep(10);
            }
            var controlPlane = new ControlPlane(
                    URI.create("https://127.0.0.1:" + port),
                    state.resolve("root-cert.pem").toString(),
                    token.toString(),
                    "",
                    "Kubernetes",
                    Map.of());
            var mesh = new MeshState();
            var synced = new CountDownLatch(1);
            var id = new XdsClient.NodeId("ztunnel~1~a.istio-system~b", Map.of());
            var resources = new MeshResources(mesh, null);
            var metrics = new XdsMetrics(new SimpleMeterRegistry());
            try (var client = new XdsClient(controlPlane, id, resources, metrics, synced::countDown)) {
                client.start();
                assertThat(synced.await(20, TimeUnit.SECONDS)).isTrue();
            }
            var server = mesh.current().workload("Kubernetes//Pod/shop/server").orElseThrow();
            assertThat(mesh.current().policies()).hasSameSizeAs(server.authorizationPolicies());
            return server.authorizationPolicies();
        }
    }

    @Test
    void thePolicyOfABrokenFileStandsAndThatOfADeletedOneIsGone() throws Exception {
        policy(POLICY);
        assertThat(policiesOfTheServer()).containsExactly("shop/only-web");
        assertThat(problems()).doesNotContain("policy.yaml");

        policy(POLICY + "\t- broken\n");
        assertThat(policiesOfTheServer()).containsExactly("shop/only-web");
        assertThat(problems())
                .contains("policy.yaml:7", "AuthorizationPolicy shop/only-web stands as read earlier", "mend the file");

        policy(POLICY.replace("selector", "selecter"));
        assertThat(policiesOfTheServer()).containsExactly("shop/only-web");

        Files.delete(folder.resolve("policy.yaml"));
        assertThat(policiesOfTheServer()).isEmpty();
        policy(POLICY + "\t- broken\n");
        assertThat(policiesOfTheServer()).isEmpty();
    }

    /// Its own certificate is signed elsewhere, too, and proxies find the roots where they always are.
    @Test
    void aFolderReplacesTheKey() throws Exception {
        var shared = Files.createDirectory(directory.resolve("shared"));
        var keys = Files.createDirectory(directory.resolve("keys"));
        var make = new ProcessBuilder(
                        "openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out ../shared/root-cert.pem -subj /O=mesh"
                                .split(" "))
                .directory(keys.toFile())
                .redirectErrorStream(true)
                .redirectOutput(keys.resolve("log").toFile())
                .start();
        assertThat(make.waitFor()).isZero();
        var signer = new ProcessBuilder(
                        Path.of("../examples/signer/sign").toRealPath().toString(),
                        shared.toString(),
                        shared.resolve("root-cert.pem").toString(),
                        keys.resolve("key.pem").toString())
                .inheritIO()
                .start();
        try {
            assertThat(policiesOfTheServer(Map.of("CULVERT_SIGNER_DIR", shared.toString())))
                    .isEmpty();
            assertThat(state.resolve("root-cert.pem")).hasSameTextualContentAs(shared.resolve("root-cert.pem"));
            assertThat(state.resolve("ca-key.pem")).doesNotExist();
        } finally {
            signer.descendants().forEach(ProcessHandle::destroy);
            signer.destroy();
            signer.waitFor();
        }
    }
}
