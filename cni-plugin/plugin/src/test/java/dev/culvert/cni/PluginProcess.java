package dev.culvert.cni;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/// The program, as a runtime starts it: environment, stdin, stdout, exit code.
final class PluginProcess {
    private PluginProcess() {}

    /// How it ended.
    record Result(int exit, String stdout, String stderr) {}

    /// The environment of a good call.
    static Map<String, String> env(String command) {
        return Map.of(
                "CNI_COMMAND", command,
                "CNI_CONTAINERID", "0123456789abcdef",
                "CNI_NETNS", "/run/netns/web",
                "CNI_IFNAME", "eth0",
                "CNI_PATH", "/opt/cni/bin",
                "CNI_ARGS", "IgnoreUnknown=1;K8S_POD_NAMESPACE=shop;K8S_POD_NAME=web-0;K8S_POD_UID=u-1");
    }

    static Process start(Map<String, String> env, String... arguments) throws IOException {
        var java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        var command = new java.util.ArrayList<>(List.of(
                java,
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "-Xmx16m",
                "-cp",
                System.getProperty("java.class.path"),
                "dev.culvert.cni.CniProgram"));
        command.addAll(List.of(arguments));
        var builder = new ProcessBuilder(command);
        builder.environment().clear();
        builder.environment().putAll(env);
        return builder.start();
    }

    static Result run(Map<String, String> env, byte[] stdin, String... arguments) throws Exception {
        var process = start(env, arguments);
        try (var in = process.getOutputStream()) {
            in.write(stdin);
        } catch (IOException e) {
            // It did not want to read it all.
        }
        return finish(process);
    }

    static Result finish(Process process) throws Exception {
        var stdout = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        var stderr = new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
        if (!process.waitFor(60, TimeUnit.SECONDS)) {
            process.destroyForcibly();
            throw new IOException("it does not end");
        }
        return new Result(process.exitValue(), stdout, stderr);
    }
}
