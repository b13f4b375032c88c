package dev.culvert.cni;

import static org.assertj.core.api.Assertions.assertThat;

import dev.culvert.cni.ScriptedAgent.Behaviour;
import dev.culvert.json.JsonReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CniProgramTest {
    @TempDir
    Path runDir;

    private ScriptedAgent agent(Behaviour behaviour) throws Exception {
        return new ScriptedAgent(runDir.resolve("pluginevent.sock"), behaviour);
    }

    private byte[] config(String more) {
        return Fault.config(runDir.toString(), more, "10.0.0.5/24").getBytes(StandardCharsets.UTF_8);
    }

    @Test
    void addSendsWhatIstiosPluginSendsAndPassesTheResultOnByteForByte() throws Exception {
        try (var agent = agent(Behaviour.YES)) {
            var result = PluginProcess.run(PluginProcess.env("ADD"), config(""));
            assertThat(result).isEqualTo(new PluginProcess.Result(0, Fault.previous("10.0.0.5/24"), ""));
            assertThat(agent.requests).hasSize(1);
            var request = agent.requests.getFirst();
            assertThat(request).startsWith("POST /cmdadd HTTP/1.1\r\nHost: unix\r\nContent-Type: application/json\r\n");
            assertThat(request.substring(request.indexOf("\r\n\r\n") + 4))
                    .isEqualTo(
                            "{\"Netns\":\"/run/netns/web\",\"PodName\":\"web-0\",\"PodNamespace\":\"shop\",\"PodUID\":\"u-1\","
                                    + "\"Network\":\"cluster\",\"ContainerID\":\"0123456789abcdef\",\"IfName\":\"eth0\",\"IPs\":["
                                    + "{\"Interface\":0,\"Address\":{\"IP\":\"10.0.0.5\",\"Mask\":\"////AA==\"},\"Gateway\":\"10.0.0.1\"}]}");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"})
    void withoutAPreviousResultTheResultIsEmptyInTheConfigurationsVersion(String version) throws Exception {
        try (var agent = agent(Behaviour.YES)) {
            var stdin =
                    "{\"cniVersion\":\"%s\",\"name\":\"n\",\"cni_agent_run_dir\":\"%s\"}".formatted(version, runDir);
            var result = PluginProcess.run(PluginProcess.env("ADD"), stdin.getBytes(StandardCharsets.UTF_8));
            assertThat(result).isEqualTo(new PluginProcess.Result(0, "{\"cniVersion\":\"" + version + "\"}", ""));
            assertThat(agent.requests.getFirst()).endsWith("\"IPs\":[]}");
        }
    }

    @Test
    void addressesOfBothFamiliesAreSentAndAMissingVersionIsAdded() throws Exception {
        try (var agent = agent(Behaviour.YES)) {
            var stdin = "{\"cniVersion\":\"0.3.1\",\"name\":\"n\",\"cni_agent_run_dir\":\"" + runDir
                    + "\",\"prevResult\":{\"ips\":["
                    + "{\"version\":\"4\",\"address\":\"10.0.0.5/20\"},{\"version\":\"6\",\"address\":\"fd00::5/64\"}]}}";
            var result = PluginProcess.run(PluginProcess.env("ADD"), stdin.getBytes(StandardCharsets.UTF_8));
            assertThat(result.stdout())
                    .isEqualTo("{\"cniVersion\":\"0.3.1\",\"ips\":[{\"version\":\"4\",\"address\":\"10.0.0.5/20\"},"
                            + "{\"version\":\"6\",\"address\":\"fd00::5/64\"}]}");
            assertThat(agent.requests.getFirst())
                    .contains(
                            "{\"Interface\":null,\"Address\":{\"IP\":\"10.0.0.5\",\"Mask\":\"///wAA==\"},\"Gateway\":\"\"}")
                    .contains("{\"IP\":\"fd00::5\",\"Mask\":\"//////////8AAAAAAAAAAA==\"}");
        }
    }

    @Test
    void checkDelAndGcAskTheAgent() throws Exception {
        try (var agent = agent(Behaviour.YES)) {
            for (var command : new String[] {"CHECK", "DEL", "GC"}) {
                var result = PluginProcess.run(
                        PluginProcess.env(command),
                        config(",\"cni.dev/valid-attachments\":[{\"containerID\":\"c1\",\"ifname\":\"eth0\"}]"));
                assertThat(result).as(command).isEqualTo(new PluginProcess.Result(0, "", ""));
            }
            assertThat(agent.requests).hasSize(3);
            assertThat(agent.requests.get(0)).startsWith("POST /cmdcheck ");
            assertThat(agent.requests.get(1))
                    .startsWith("POST /cmddel ")
                    .contains("\"ContainerID\":\"0123456789abcdef\"");
            assertThat(agent.requests.get(2)).startsWith("POST /cmdgc ").contains("\"Network\":\"cluster\"");
            var message = agent.requests.get(2);
            var valid = JsonReader.readObject(
                            message.substring(message.indexOf("\r\n\r\n") + 4).getBytes(StandardCharsets.UTF_8))
                    .objects("Valid");
            assertThat(valid.getFirst().text("ContainerID")).contains("c1");
        }
    }

    @Test
    void statusAsksOnlyIfItIsToDependOnTheAgent() throws Exception {
        try (var agent = agent(Behaviour.YES)) {
            assertThat(PluginProcess.run(PluginProcess.env("STATUS"), config(""))
                            .exit())
                    .isZero();
            assertThat(agent.requests).isEmpty();
            assertThat(PluginProcess.run(PluginProcess.env("STATUS"), config(",\"status_requires_agent\":true"))
                            .exit())
                    .isZero();
            assertThat(agent.requests.getFirst()).startsWith("POST /cmdstatus ");
        }
    }

    @Test
    void versionNeedsNothing() throws Exception {
        var result = PluginProcess.run(Map.of("CNI_COMMAND", "VERSION"), new byte[0]);
        assertThat(result.stdout())
                .isEqualTo(
                        "{\"cniVersion\":\"1.1.0\",\"supportedVersions\":[\"0.3.0\",\"0.3.1\",\"0.4.0\",\"1.0.0\",\"1.1.0\"]}");
        assertThat(result.exit()).isZero();
    }

    @Test
    void calledByAPersonItSaysWhatItIs() throws Exception {
        for (var argument : new String[] {"--version", "--help"}) {
            var result = PluginProcess.run(Map.of(), new byte[0], argument);
            assertThat(result.stdout()).startsWith("culvert-cni: ").contains("1.1.0");
        }
        var bare = PluginProcess.run(Map.of(), new byte[0]);
        assertThat(bare.stdout()).isEmpty();
        assertThat(bare.stderr()).startsWith("culvert-cni: ");
        assertThat(PluginProcess.run(Map.of(), new byte[0], "--hlep").exit()).isEqualTo(2);
    }

    @Test
    void twoAddsAtOnceDoNotMeet() throws Exception {
        try (var agent = agent(Behaviour.YES)) {
            var other = new HashMap<>(PluginProcess.env("ADD"));
            other.put("CNI_ARGS", "K8S_POD_NAMESPACE=shop;K8S_POD_NAME=web-1");
            var first = PluginProcess.start(PluginProcess.env("ADD"));
            var second = PluginProcess.start(other);
            for (var process : new Process[] {second, first}) {
                try (var in = process.getOutputStream()) {
                    in.write(config(""));
                }
            }
            assertThat(PluginProcess.finish(first).exit()).isZero();
            assertThat(PluginProcess.finish(second).exit()).isZero();
            assertThat(agent.requests).anyMatch(it -> it.contains("web-0")).anyMatch(it -> it.contains("web-1"));
        }
    }

    @Test
    void aRuntimeThatNeverClosesStdinIsNotWaitedFor() throws Exception {
        var process = PluginProcess.start(PluginProcess.env("ADD"));
        process.getOutputStream().write('{');
        process.getOutputStream().flush();
        var result = PluginProcess.finish(process);
        assertThat(result.exit()).isEqualTo(1);
        assertThat(result.stdout()).contains("gave up reading the network configuration on stdin after 5 s");
    }
}
