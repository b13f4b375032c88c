package dev.culvert.testkit.netns;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/// Runs commands of the system, at home or inside a network namespace.
final class Shell {
    private Shell() {}

    static Path netns(String namespace) {
        return Path.of("/run/netns", namespace);
    }

    static void inside(String namespace, String script) throws IOException {
        run("nsenter --net=" + netns(namespace) + " sh -e <<'SCRIPT'\n" + script + "\nSCRIPT\n");
    }

    /// @throws IOException with the script and what it printed
    static String run(String script) throws IOException {
        var process = new ProcessBuilder("sh", "-e", "-c", script)
                .redirectErrorStream(true)
                .start();
        try {
            process.getOutputStream().close();
            var output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (process.waitFor() != 0) {
                throw new IOException(script + "\n" + output);
            }
            return output;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException(script);
        }
    }
}
