package dev.culvert.linux.netns;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/// Runs `ip` for a test. The test JVM is in namespaces of its own, so nothing is left behind.
public final class Namespaces {
    private Namespaces() {}

    public static Path add(String name) throws Exception {
        run("ip", "netns", "add", name);
        run("ip", "-n", name, "link", "set", "lo", "up");
        return Path.of("/run/netns", name);
    }

    public static void run(String... command) throws IOException, InterruptedException {
        var process = new ProcessBuilder(command).redirectErrorStream(true).start();
        var output = new String(process.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
        if (process.waitFor() != 0) {
            throw new IOException(List.of(command) + ": " + output);
        }
    }
}
