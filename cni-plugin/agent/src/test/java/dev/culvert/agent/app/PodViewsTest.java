package dev.culvert.agent.app;

import static org.assertj.core.api.Assertions.assertThat;

import dev.culvert.agent.pods.PodView;
import dev.culvert.agent.pods.Selection;
import dev.culvert.agent.pods.Wish;
import dev.culvert.kube.folder.FolderSource;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// An agent that starts over a folder that another one has read.
class PodViewsTest {
    private static final String POD = """
            apiVersion: v1
            kind: Pod
            metadata:
              name: web
              namespace: shop
              uid: u1
              labels: {app: web}
              annotations: {culvert.dev/netns: /run/netns/web}
            spec: {nodeName: node-1, serviceAccountName: web, containers: [{name: web}]}
            status: {phase: Running, podIP: 198.18.65.3, podIPs: [{ip: 198.18.65.3}, {ip: "2001:2:0:41::3"}]}
            """;
    private static final String AMBIENT =
            "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {istio.io/dataplane-mode: ambient}}\n";
    private static final String PLAIN = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n";
    private static final String BROKEN = "apiVersion: v1\nkind: [broken\n";

    @TempDir
    Path directory;

    private Path objects;
    private Path config;

    @BeforeEach
    void makeFolders() throws IOException {
        objects = Files.createDirectories(directory.resolve("objects"));
        config = Files.createDirectories(directory.resolve("config"));
        Files.writeString(objects.resolve("pod-web.yaml"), POD);
        var elsewhere =
                POD.replace("name: web", "name: else").replace("u1", "u2").replace("node-1", "node-2");
        Files.writeString(
                objects.resolve("pod-else.yaml"),
                elsewhere.replace("65.3", "66.3").replace("41::3", "42::3"));
    }

    private PodView start() throws IOException {
        var where = new FolderSource.Where(List.of(config, objects), null, directory.resolve("copies"));
        try (var source = FolderSource.open(where, _ -> {})) {
            var pods = PodViews.of(source.current(), "node-1");
            assertThat(pods).hasSize(1);
            return pods.getFirst();
        }
    }

    private Wish wish() throws IOException {
        return new Selection(Set.of(), "istio-system", false).wish(start());
    }

    private void namespace(String text) throws IOException {
        Files.writeString(config.resolve("namespace.yaml"), text);
    }

    private void damageCopies() throws IOException {
        try (var tree = Files.walk(directory.resolve("copies"))) {
            for (var copy : tree.filter(Files::isRegularFile).toList()) {
                Files.writeString(copy, "damaged");
            }
        }
    }

    /// A file asks for it before the local engine has given it a uid.
    @Test
    void podThatIsOnlyWantedIsNotSeen() throws IOException {
        namespace(AMBIENT);
        Files.writeString(
                config.resolve("wanted.yaml"),
                POD.replace("name: web", "name: wanted").replace("uid: u1", ""));
        assertThat(start().name()).hasToString("shop/web");
    }

    @Test
    void podsOfThisNodeHaveTheLabelsOfTheirNamespace() throws Exception {
        namespace(AMBIENT);
        var pod = start();
        assertThat(pod.uid()).isEqualTo("u1");
        assertThat(pod.serviceAccount()).isEqualTo("web");
        assertThat(pod.labels()).isEqualTo(Map.of("app", "web"));
        assertThat(pod.ips())
                .containsExactly(InetAddress.getByName("198.18.65.3"), InetAddress.getByName("2001:2:0:41::3"));
        assertThat(pod.netns()).isEqualTo(Optional.of(Path.of("/run/netns/web")));
        assertThat(pod.surroundings().namespaceLabels())
                .isEqualTo(Optional.of(Map.of("istio.io/dataplane-mode", "ambient")));
        assertThat(pod.surroundings().doubts()).isEmpty();
    }

    /// By number and by name, of containers and of sidecars; what asks elsewhere is told apart.
    @Test
    void declaredProbePorts() throws Exception {
        namespace(AMBIENT);
        Files.writeString(
                objects.resolve("pod-web.yaml"), POD.replace("containers: [{name: web}]", """
                        containers: [
                        {name: web, ports: [{name: http, containerPort: 8080}],
                        readinessProbe: {httpGet: {path: "/?a=b", port: http}},
                        livenessProbe: {httpGet: {host: 198.18.65.3, port: 8081}},
                        startupProbe: {grpc: {port: 9000}}},
                        {name: other, readinessProbe: {tcpSocket: {host: db.test, port: 5432}},
                        livenessProbe: {tcpSocket: {port: absent}}, lifecycle: {preStop: {httpGet: {port: 8082}}}}],
                        initContainers: [{name: side, restartPolicy: Always, startupProbe: {tcpSocket: {port: 7000}}},
                        {name: early, image: a}]""".replace("\n", " ")));
        var declared = start().declared();
        assertThat(declared.probePorts()).containsExactlyInAnyOrder(8080, 8081, 8082, 9000, 7000);
        assertThat(declared.foreignProbes()).containsExactly("db.test:5432");
    }

    @Test
    void theNextAgentCapturesOverABrokenNamespaceAndReleasesOverAMendedOne() throws Exception {
        namespace(AMBIENT);
        start();
        namespace(BROKEN);
        assertThat(wish()).isEqualTo(new Wish.Captured());
        namespace(PLAIN);
        assertThat(wish()).isEqualTo(new Wish.Released());
        namespace(BROKEN);
        assertThat(wish()).isEqualTo(new Wish.Released());
    }

    @Test
    void withoutAGoodCopyNobodyKnowsWhateverElseIsRead() throws Exception {
        namespace(AMBIENT);
        start();
        namespace(BROKEN);
        damageCopies();
        assertThat(wish())
                .isEqualTo(new Wish.Unknown(
                        "what is written at " + config.resolve("namespace.yaml") + ":2 cannot be read; mend it"));
        Files.writeString(config.resolve("other.yaml"), PLAIN);
        assertThat(wish()).isInstanceOf(Wish.Unknown.class);
        namespace(PLAIN.replace("shop", "outside"));
        assertThat(wish()).isEqualTo(new Wish.Released());
    }

    @Test
    void anInvalidNamespaceIsADoubtAndAnInvalidPolicyIsNone() throws Exception {
        namespace(PLAIN.replace("shop}", "shop, labels: {istio.io/dataplane-mode: [ambient]}}"));
        assertThat(wish()).isInstanceOf(Wish.Unknown.class);
        namespace(PLAIN + """
                ---
                apiVersion: security.istio.io/v1
                kind: AuthorizationPolicy
                metadata: {name: mistaken, namespace: shop}
                spec: {selecter: {}}
                """);
        assertThat(wish()).isEqualTo(new Wish.Released());
    }

    @Test
    void aDeletedNamespaceReleasesNobody() throws Exception {
        namespace(AMBIENT);
        start();
        Files.delete(config.resolve("namespace.yaml"));
        assertThat(wish()).isInstanceOf(Wish.Unknown.class);
    }
}
