package dev.culvert.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The built agent installs the built plugin as on a node, and the installed plugin is called as a container runtime
/// would.
class CniPluginTest {
    private static final Path ROOT = Path.of(System.getProperty("culvert.root"));
    private static final String NETNS = "/run/netns/starting";
    private static final String RESULT = "{\"cniVersion\":\"1.0.0\",\"ips\":[{\"address\":\"198.18.99.2/24\"}]}";
    private static final String OBJECTS = """
            apiVersion: v1
            kind: Namespace
            metadata: {name: shop, labels: {istio.io/dataplane-mode: ambient}}
            ---
            apiVersion: v1
            kind: Namespace
            metadata: {name: outside, labels: {}}
            ---
            apiVersion: v1
            kind: Pod
            metadata: {name: web, namespace: shop, uid: u-1}
            spec: {nodeName: n, containers: [{name: c, command: [sleep]}]}
            ---
            apiVersion: v1
            kind: Pod
            metadata: {name: web, namespace: outside, uid: u-2}
            spec: {nodeName: n, containers: [{name: c, command: [sleep]}]}
            """;

    @TempDir
    Path directory;

    private final List<Process> started = new ArrayList<>();

    /// How a command ended.
    private record Ended(int exit, String output) {}

    @BeforeEach
    void makeNode() throws Exception {
        run(List.of("ip", "netns", "add", "starting"), Map.of(), "");
        for (var folder : List.of("objects", "state", "redirection", "conf", "run")) {
            Files.createDirectory(directory.resolve(folder));
        }
        Files.writeString(directory.resolve("objects/all.yaml"), OBJECTS);
        Files.writeString(
                directory.resolve("conf/10-net.conflist"),
                "{\"cniVersion\":\"1.0.0\",\"name\":\"net\",\"plugins\":[{\"type\":\"bridge\"}]}");
    }

    @AfterEach
    void end() throws Exception {
        for (var process : started) {
            process.destroy();
            assertThat(process.waitFor(20, TimeUnit.SECONDS)).isTrue();
        }
        run(List.of("ip", "netns", "del", "starting"), Map.of(), "");
    }

    private String folder(String name) {
        return directory.resolve(name).toString();
    }

    private Process startAgent() throws IOException {
        var agent = ROOT.resolve("cni-plugin/agent/target/dist/bin/culvert-cni-agent");
        var process = new ProcessBuilder(List.of(
                        agent.toString(),
                        "--node=n",
                        "--objectsDir=" + folder("objects"),
                        "--redirectionDir=" + folder("redirection"),
                        "--stateDir=" + folder("state"),
                        "--zdsSocket=" + folder("run/z.sock"),
                        "--healthPort=0",
                        "--monitoringPort=0",
                        "--cniAgentRunDir=" + folder("run"),
                        "--cniConfDir=" + folder("conf"),
                        "--cniBinDir=" + folder("bin"),
                        "--cniPluginDir=" + ROOT.resolve("cni-plugin/plugin/target/dist"),
                        "--hostRoot=/",
                        "--removeOnExit"))
                .redirectErrorStream(true)
                .redirectOutput(directory.resolve("agent.log").toFile())
                .start();
        started.add(process);
        return process;
    }

    private Ended cni(String command, String namespace) throws Exception {
        var config = "{\"cniVersion\":\"1.0.0\",\"name\":\"net\",\"cni_agent_run_dir\":\"" + folder("run")
                + "\",\"prevResult\":" + RESULT + "}";
        var env = Map.of(
                "CNI_COMMAND",
                command,
                "CNI_CONTAINERID",
                "c1",
                "CNI_NETNS",
                NETNS,
                "CNI_IFNAME",
                "eth0",
                "CNI_ARGS",
                "K8S_POD_NAMESPACE=" + namespace + ";K8S_POD_NAME=web");
        return run(List.of(folder("bin/culvert-cni")), env, config);
    }

    private static Ended run(List<String> command, Map<String, String> env, String stdin) throws Exception {
        var builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().putAll(env);
        var process = builder.start();
        try (var in = process.getOutputStream()) {
            in.write(stdin.getBytes(StandardCharsets.UTF_8));
        }
        var output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
        return new Ended(process.exitValue(), output);
    }

    @Test
    void installedPluginStartsPodsOutsideTheMeshAndKeepsOthersClosedWhileNobodyServesThem() throws Exception {
        var agent = startAgent();
        var conf = directory.resolve("conf/10-net.conflist");
        Await.until("the plugin is in the chain", () -> Files.readString(conf).contains("culvert-cni"));
        assertThat(cni("ADD", "outside")).isEqualTo(new Ended(0, RESULT));
        assertThat(cni("ADD", "kube-system")).isEqualTo(new Ended(0, RESULT));

        var refused = cni("ADD", "shop");
        assertThat(refused.exit()).isEqualTo(1);
        assertThat(refused.output()).contains("\"code\":11", "no ztunnel connection");
        assertThat(ruleset()).contains("culvert-fence");
        assertThat(cni("DEL", "shop")).isEqualTo(new Ended(0, ""));
        assertThat(ruleset()).as("until the namespace is gone").contains("culvert-fence");

        agent.destroy();
        assertThat(agent.waitFor(20, TimeUnit.SECONDS)).isTrue();
        assertThat(conf).content().doesNotContain("culvert-cni").contains("bridge");
        assertThat(directory.resolve("bin")).isEmptyDirectory();
        assertThat(directory.resolve("run/pluginevent.sock")).doesNotExist();
        assertThat(run(List.of("nft", "list", "tables"), Map.of(), "").output()).doesNotContain("culvert-probes");
    }

    private static String ruleset() throws Exception {
        return run(List.of("nsenter", "--net=" + NETNS, "nft", "list", "ruleset"), Map.of(), "")
                .output();
    }
}
