package dev.culvert.e2e.kube.cluster;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// Runs programs of this machine.
final class Commands {
    private static final Duration MOST = Duration.ofMinutes(5);

    private Commands() {}

    /// What came of one.
    record Result(int code, String output) {
        String succeeded() {
            if (code != 0) {
                throw new AssertionError("exit code " + code + ": " + output);
            }
            return output;
        }
    }

    /// @return a command of the environment, with more arguments
    static List<String> configured(String variable, String... arguments) {
        var command = System.getenv(variable);
        if (command == null || command.isBlank()) {
            throw new AssertionError(variable + " is not set; see package dev.culvert.e2e.kube.cluster");
        }
        var all = new ArrayList<>(List.of(command.strip().split("\\s+", -1)));
        all.addAll(List.of(arguments));
        return all;
    }

    /// Both streams of output as one.
    static Result run(List<String> command) throws IOException, InterruptedException {
        var output = Files.createTempFile("culvert", ".out");
        try {
            var process = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(output.toFile())
                    .redirectInput(Path.of("/dev/null").toFile())
                    .start();
            if (!process.waitFor(MOST.toSeconds(), TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw new IOException(command + " did not end within " + MOST);
            }
            return new Result(process.exitValue(), Files.readString(output, StandardCharsets.UTF_8));
        } finally {
            Files.delete(output);
        }
    }
}
