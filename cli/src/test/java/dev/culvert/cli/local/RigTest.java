package dev.culvert.cli.local;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import com.fasterxml.jackson.databind.JsonNode;
import dev.culvert.cli.local.Rig.RigConfig;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

/// Two nodes without a mesh: only the network, the pods and what Kubernetes would do.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class RigTest {
    private static final Logger LOG = (Logger) LoggerFactory.getLogger(Rig.class);

    private static final String YAML = """
            apiVersion: v1
            kind: Service
            metadata: {name: server, namespace: shop}
            spec:
              selector: {app: server}
              ports: [{name: http, port: 80, targetPort: http}]
            ---
            apiVersion: apps/v1
            kind: Deployment
            metadata: {name: server, namespace: shop}
            spec:
              replicas: 2
              selector: {matchLabels: {app: server}}
              template:
                metadata: {labels: {app: server}}
                spec:
                  serviceAccountName: server
                  containers:
                  - name: server
                    command: [culvert, app, serve, --http, "8080", --tcp, "9000"]
                    ports: [{name: http, containerPort: 8080}]
                    readinessProbe: {httpGet: {path: /, port: http}}
            ---
            apiVersion: v1
            kind: Pod
            metadata: {name: client, namespace: shop}
            spec:
              nodeName: node-1
              containers: [{name: client, command: [sleep, infinity]}]
            """;

    @TempDir
    static Path directory;

    private Rig rig;
    private Supervisor supervisor;
    private SupervisorClient client;

    @BeforeAll
    void start() throws Exception {
        var folder = Files.createDirectories(directory.resolve("yaml"));
        Files.writeString(folder.resolve("shop.yaml"), YAML);
        var state = Files.createDirectories(directory.resolve("state"));
        var java = Path.of(System.getProperty("java.home"), "bin/java").toString();
        var culvert = List.of(
                java,
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "-cp",
                System.getProperty("java.class.path"),
                "dev.culvert.cli.Culvert");
        var programs = new Programs(List.of(), List.of(), List.of(), List.of(), culvert);
        rig = Rig.start(new RigConfig(state, folder, List.of("node-1", "node-2"), programs));
        supervisor = Supervisor.listen(rig);
        client = new SupervisorClient(state);
        await(() -> pods().stream().allMatch(pod -> pod.path("ready").asBoolean()));
    }

    @AfterAll
    void closeLeavesNothing() throws Exception {
        supervisor.close();
        rig.close();
        try (var left = Files.list(Path.of("/run/netns"))) {
            assertThat(left).isEmpty();
        }
        assertThat(ProcessHandle.current().descendants()).isEmpty();
        var links = new ProcessBuilder("ip", "-o", "link").start();
        assertThat(new String(links.getInputStream().readAllBytes(), StandardCharsets.UTF_8))
                .doesNotContain("wire");
    }

    private List<JsonNode> pods() throws IOException {
        var pods = new ArrayList<JsonNode>();
        client.status().path("pods").forEach(pods::add);
        return pods;
    }

    private JsonNode pod(String name) throws IOException {
        return pods().stream()
                .filter(pod -> pod.path("name").asText().equals(name))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void deploymentIsSpreadOverTheNodesAndReady() throws Exception {
        assertThat(List.of(
                        pod("server-0").path("node").asText(),
                        pod("server-1").path("node").asText()))
                .containsExactlyInAnyOrder("node-1", "node-2");
        assertThat(pod("server-1").path("serviceAccount").asText()).isEqualTo("server");
    }

    @Test
    void podsReachEachOtherAcrossNodesInBothFamiliesWithTheirOwnAddress() throws Exception {
        for (var server : List.of("server-0", "server-1")) {
            for (var family = 0; family < 2; family++) {
                var address = pod(server).path("addresses").path(family).asText();
                var host = address.contains(":") ? "[" + address + "]" : address;
                var own = pod("client").path("addresses").path(family).asText();
                var answer = fetch("http://" + host + ":8080/");
                assertThat(answer.path("body").asText()).contains("pod: " + server);
                assertThat(InetAddress.getByName(peer(answer))).isEqualTo(InetAddress.getByName(own));
            }
        }
    }

    private static String peer(JsonNode answer) {
        return answer.path("body")
                .asText()
                .lines()
                .filter(line -> line.startsWith("peer: "))
                .findFirst()
                .orElseThrow()
                .substring(6);
    }

    private JsonNode fetch(String url) throws IOException {
        return client.ask(client.request("fetch").put("pod", "shop/client").put("url", url));
    }

    @Test
    void serviceNameAndAddressReachReadyPodsOnBothNodes() throws Exception {
        var output = new StringBuilder();
        var exit = client.exec(
                "client",
                List.of(
                        "culvert",
                        "app",
                        "load",
                        "http://server/",
                        "--connections",
                        "4",
                        "--seconds",
                        "2",
                        "--requests-per-connection",
                        "1"),
                output::append);
        assertThat(output.toString()).contains(" failures=0 ");
        assertThat(exit).isZero();
        assertThat(Files.readString(directory.resolve("state/pods/shop-client/hosts")))
                .contains("server.shop.svc");
    }

    @Test
    void objectsHaveWhatTheClusterDecided() throws Exception {
        var pod = Files.readString(directory.resolve("state/objects/pod-shop-server-1.yaml"));
        assertThat(pod)
                .contains("podIP: 198.18.6", "culvert.dev/netns: /run/netns/pod-shop-server-1", "phase: Running");
        assertThat(Files.readString(directory.resolve("state/objects/service-shop-server.yaml")))
                .contains("clusterIP: 198.19.0.", "2001:2:0:ffff::");
        assertThat(directory.resolve("state/objects/node-node-2.yaml")).exists();
    }

    @Test
    void captureOnTheWireFindsACanaryThatCrossesInClear() throws Exception {
        client.ask(client.request("capture-start").put("node", "node-2"));
        var remote = pods().stream()
                .filter(pod -> pod.path("name").asText().startsWith("server"))
                .filter(pod -> pod.path("node").asText().equals("node-2"))
                .findFirst()
                .orElseThrow();
        fetch("http://" + remote.path("addresses").path(0).asText() + ":8080/canary-4711");
        var found =
                client.ask(client.request("capture-find").put("node", "node-2").put("canary", "canary-4711"));
        assertThat(found.path("found").asBoolean()).isTrue();
        assertThat(found.path("complete").asBoolean()).isTrue();
        client.ask(client.request("capture-stop").put("node", "node-2"));
    }

    @Test
    void killedContainerIsStartedAgain() throws Exception {
        client.ask(client.request("kill").put("pod", "shop/client"));
        await(() -> pod("client").path("restarts").asInt() == 1
                && pod("client").path("ready").asBoolean());
    }

    /// Many rounds go by while the other pod starts.
    @Test
    void aPodWithoutItsNodeIsToldOnce() throws Exception {
        var lines = lines();
        var file = directory.resolve("yaml/nowhere.yaml");
        try {
            Files.writeString(file, pod("lost", "node-9") + "---\n" + pod("placed", "node-2"));
            await(() -> isReady("placed"));
            Files.writeString(file, pod("placed", "node-2") + "---\n" + pod("lost", "node-1"));
            await(() -> isReady("lost"));
            assertThat(List.copyOf(lines.list))
                    .extracting(ILoggingEvent::getFormattedMessage)
                    .filteredOn(line -> line.contains("waits"))
                    .containsExactly("pod shop/lost waits: there is no node node-9; there are [node-1, node-2]");
        } finally {
            LOG.detachAppender(lines);
            Files.delete(file);
            await(() -> pods().size() == 3);
        }
    }

    /// Its probe fails twice and passes again; then it fails for good.
    @Test
    void aPodIsReadyUntilItsProbeHasFailedAsOftenAsItAllows() throws Exception {
        var lines = lines();
        var file = directory.resolve("yaml/moody.yaml");
        var asked = directory.resolve("asked");
        var broken = directory.resolve("broken");
        try {
            Files.writeString(file, """
                    apiVersion: v1
                    kind: Pod
                    metadata: {name: moody, namespace: shop}
                    spec:
                      nodeName: node-1
                      containers:
                      - name: client
                        command: [sleep, infinity]
                        readinessProbe:
                          failureThreshold: 3
                          exec:
                            command:
                            - sh
                            - -c
                            - 'echo >> %s; n=$(wc -l < %s); [ $n -ne 4 ] && [ $n -ne 5 ] && [ ! -e %s ]'
                    """.formatted(asked, asked, broken));
            await(() -> Files.exists(asked) && Files.size(asked) > 8);
            assertThat(changes(lines)).containsExactly("pod shop/moody is ready");
            Files.createFile(broken);
            await(() -> !isReady("moody"));
            assertThat(changes(lines)).containsExactly("pod shop/moody is ready", "pod shop/moody is not ready");
        } finally {
            LOG.detachAppender(lines);
            Files.delete(file);
            await(() -> pods().size() == 3);
        }
    }

    /// What the rig says from now on, until it is detached.
    private static ListAppender<ILoggingEvent> lines() {
        var lines = new ListAppender<ILoggingEvent>();
        lines.start();
        LOG.addAppender(lines);
        return lines;
    }

    private static List<String> changes(ListAppender<ILoggingEvent> lines) {
        return List.copyOf(lines.list).stream()
                .map(ILoggingEvent::getFormattedMessage)
                .filter(line -> line.startsWith("pod shop/moody is "))
                .toList();
    }

    private static String pod(String name, String node) {
        return """
                apiVersion: v1
                kind: Pod
                metadata: {name: %s, namespace: shop}
                spec:
                  nodeName: %s
                  containers: [{name: client, command: [sleep, infinity]}]
                """.formatted(name, node);
    }

    private boolean isReady(String name) throws IOException {
        return pods().stream()
                .anyMatch(pod -> pod.path("name").asText().equals(name)
                        && pod.path("ready").asBoolean());
    }

    private interface Condition {
        boolean holds() throws IOException;
    }

    private static void await(Condition condition) throws Exception {
        var deadline = System.nanoTime() + Duration.ofMinutes(1).toNanos();
        while (!condition.holds()) {
            assertThat(System.nanoTime()).isLessThan(deadline);
            TimeUnit.MILLISECONDS.sleep(50);
        }
    }
}
