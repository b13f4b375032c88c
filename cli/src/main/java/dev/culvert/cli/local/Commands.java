package dev.culvert.cli.local;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// Runs short commands of the system, at home or inside a network namespace.
final class Commands {
    private Commands() {}

    static Path netns(String namespace) {
        return Path.of("/run/netns", namespace);
    }

    /// A command line that runs inside a namespace.
    static List<String> inside(String namespace, List<String> command) {
        var all = new ArrayList<>(List.of("nsenter", "--net=" + netns(namespace)));
        all.addAll(command);
        return all;
    }

    static void run(String... command) throws IOException {
        feed("", List.of(command));
    }

    /// `ip` with one command a line, inside a namespace.
    static void ip(String namespace, String family, String batch) throws IOException {
        feed(batch, inside(namespace, List.of("ip", family, "-batch", "-")));
    }

    static void feed(String input, List<String> command) throws IOException {
        var errors = Files.createTempFile("culvert-", ".err");
        try {
            var process = new ProcessBuilder(command)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .redirectError(errors.toFile())
                    .start();
            try (var stdin = process.getOutputStream()) {
                stdin.write(input.getBytes(StandardCharsets.UTF_8));
            }
            if (process.waitFor() != 0) {
                throw new IOException(String.join(" ", command) + ": "
                        + Files.readString(errors).strip());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException(command.toString());
        } finally {
            Files.deleteIfExists(errors);
        }
    }
}
