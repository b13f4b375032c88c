package dev.culvert.e2e;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/// What a closed mesh must not leave in the namespaces that the test runs in: processes, network namespaces,
/// devices, rules, sockets, keys.
final class Leftovers {
    private Leftovers() {}

    /// One line for each thing that is left.
    static List<String> find(Path state) throws IOException, InterruptedException {
        var left = new ArrayList<String>();
        processes().forEach(it -> left.add("process " + it));
        files(Path.of("/run/netns")).forEach(it -> left.add("namespace " + it));
        files(Path.of("/run/culvert")).forEach(it -> left.add("file " + it));
        files(state).filter(Leftovers::isSocket).forEach(it -> left.add("socket " + it));
        output("ip", "-o", "link")
                .lines()
                .filter(line -> !line.contains(" lo:"))
                .forEach(it -> left.add("device " + it));
        output("nft", "list", "ruleset").lines().forEach(it -> left.add("rule " + it));
        return left;
    }

    /// All of this PID namespace but the test's own and those that it is about to see the end of.
    private static Stream<String> processes() throws IOException {
        var own = ProcessHandle.current().pid();
        try (var numbers = Files.list(Path.of("/proc"))) {
            return numbers
                    .filter(path -> path.getFileName().toString().matches("\\d+"))
                    .filter(path -> Long.parseLong(path.getFileName().toString()) != own)
                    .map(Leftovers::commandLine)
                    .filter(line -> !line.isEmpty())
                    .toList()
                    .stream();
        }
    }

    /// Empty for one that has ended.
    private static String commandLine(Path process) {
        try {
            return Files.readString(process.resolve("cmdline"), StandardCharsets.ISO_8859_1)
                    .replace('\0', ' ')
                    .strip();
        } catch (IOException e) {
            return "";
        }
    }

    private static Stream<Path> files(Path directory) throws IOException {
        if (!Files.isDirectory(directory)) {
            return Stream.of();
        }
        try (var tree = Files.walk(directory)) {
            return tree.filter(path -> !Files.isDirectory(path)).toList().stream();
        }
    }

    private static boolean isSocket(Path path) {
        try {
            return Files.readAttributes(path, BasicFileAttributes.class).isOther();
        } catch (IOException e) {
            return false;
        }
    }

    private static String output(String... command) throws IOException, InterruptedException {
        var process = new ProcessBuilder(command).redirectErrorStream(true).start();
        var text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        process.waitFor();
        return text;
    }
}
