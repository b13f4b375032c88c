package dev.culvert.agent.pods;

import dev.culvert.linux.netns.NetworkNamespace;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

/// Runs `nft` and `ip` in a network namespace, entered by `nsenter`: the children are started at home, never
/// by a thread that is inside.
public final class NamespaceCommands {
    private static final long COMMAND_SECONDS = 10;
    private static final int MOST_OUTPUT = 1 << 20;
    private static final List<Path> FOLDERS =
            List.of(Path.of("/usr/sbin"), Path.of("/usr/bin"), Path.of("/sbin"), Path.of("/bin"));

    private NamespaceCommands() {}

    /// One transaction of nftables.
    public static void apply(NetworkNamespace netns, String rules) throws IOException {
        run(netns, rules, _ -> false, "nft", "-f", "-");
    }

    /// What a command says that changes nothing; nothing if it fails.
    public static String output(NetworkNamespace netns, String... command) throws IOException {
        var fd = netns.fd();
        return fd.use(number -> {
            var process = builder(inside(number, command))
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .redirectInput(Path.of("/dev/null").toFile())
                    .start();
            try (var output = process.getInputStream()) {
                var text = new String(output.readNBytes(MOST_OUTPUT), StandardCharsets.UTF_8);
                return process.waitFor(COMMAND_SECONDS, TimeUnit.SECONDS) && process.exitValue() == 0 ? text : "";
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new InterruptedIOException(command[0]);
            } finally {
                process.destroyForcibly();
            }
        });
    }

    /// The lock of iptables is of this process's rules, not of the node's: a container's /run cannot be
    /// written.
    private static ProcessBuilder builder(List<String> command) {
        var builder = new ProcessBuilder(command);
        builder.environment().put("XTABLES_LOCKFILE", "/tmp/culvert-xtables.lock");
        return builder;
    }

    /// Whether this machine, or this image, has a command.
    public static boolean has(String command) {
        return FOLDERS.stream().anyMatch(folder -> Files.isExecutable(folder.resolve(command)));
    }

    private static List<String> inside(int namespace, String... command) {
        var fd = "/proc/" + ProcessHandle.current().pid() + "/fd/" + namespace;
        var all = new ArrayList<>(List.of("nsenter", "--net=" + fd));
        all.add(path(command[0]));
        all.addAll(List.of(command).subList(1, command.length));
        return all;
    }

    public static void run(NetworkNamespace netns, String input, Predicate<String> harmless, String... command)
            throws IOException {
        var fd = netns.fd();
        fd.use(number -> {
            var problems = execute(inside(number, command), input)
                    .lines()
                    .filter(line -> !line.isBlank() && !line.startsWith("Command failed") && !harmless.test(line))
                    .toList();
            if (!problems.isEmpty()) {
                throw new IOException(String.join(" ", command) + ": " + String.join("; ", problems));
            }
            return number;
        });
    }

    /// Busybox's `nsenter` would take its own command of the name.
    private static String path(String command) {
        return FOLDERS.stream()
                .map(folder -> folder.resolve(command))
                .filter(Files::isExecutable)
                .findFirst()
                .map(Path::toString)
                .orElse(command);
    }

    /// What the command wrote as errors; a failure that says nothing is reported by its code.
    private static String execute(List<String> command, String input) throws IOException {
        var process =
                builder(command).redirectOutput(ProcessBuilder.Redirect.DISCARD).start();
        try {
            try (var stdin = process.getOutputStream()) {
                stdin.write(input.getBytes(StandardCharsets.UTF_8));
            }
            var errors = new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
            if (!process.waitFor(COMMAND_SECONDS, TimeUnit.SECONDS)) {
                return "not finished after " + COMMAND_SECONDS + " s";
            }
            return process.exitValue() != 0 && errors.isBlank() ? "exit code " + process.exitValue() : errors;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException(command.toString());
        } finally {
            process.destroyForcibly();
        }
    }
}
