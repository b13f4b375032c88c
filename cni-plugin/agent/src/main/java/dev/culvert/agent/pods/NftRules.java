package dev.culvert.agent.pods;

import dev.culvert.agent.rules.Capture;
import dev.culvert.agent.rules.InPodRules;
import dev.culvert.agent.rules.PodRoutes;
import dev.culvert.linux.netns.NetworkNamespace;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Applies rules by `nft` and `ip`, entered by `nsenter`: the children are started at home, never by a thread
/// that is inside a pod.
public final class NftRules implements NamespaceRules {
    private static final Logger LOG = LoggerFactory.getLogger(NftRules.class);
    private static final long COMMAND_SECONDS = 10;

    @Override
    public void enrol(NetworkNamespace netns, Capture capture) throws IOException {
        setting(netns, "ipv4/tcp_migrate_req");
        setting(netns, "netfilter/nf_conntrack_tcp_be_liberal");
        for (var family : families(netns)) {
            run(netns, PodRoutes.added(), line -> line.contains("File exists"), "ip", family, "-force", "-batch", "-");
        }
        run(netns, InPodRules.enrolled(capture), NftRules::never, "nft", "-f", "-");
    }

    @Override
    public void fence(NetworkNamespace netns) throws IOException {
        run(netns, InPodRules.fence(), NftRules::never, "nft", "-f", "-");
    }

    @Override
    public void lift(NetworkNamespace netns) throws IOException {
        run(netns, InPodRules.unfenced(), NftRules::never, "nft", "-f", "-");
    }

    @Override
    public void stopCapturing(NetworkNamespace netns) throws IOException {
        run(netns, InPodRules.releasing(), NftRules::never, "nft", "-f", "-");
    }

    @Override
    public void remove(NetworkNamespace netns) throws IOException {
        run(netns, InPodRules.deletion(), NftRules::never, "nft", "-f", "-");
        for (var family : families(netns)) {
            run(netns, PodRoutes.deleted(), NftRules::absent, "ip", family, "-force", "-batch", "-");
        }
    }

    private static boolean never(String line) {
        return false;
    }

    private static boolean absent(String line) {
        return line.contains("No such file or directory")
                || line.contains("No such process")
                || line.contains("FIB table does not exist");
    }

    private static List<String> families(NetworkNamespace netns) throws IOException {
        var disabled = netns.<Boolean, IOException>call(() -> {
            var flag = Path.of("/proc/sys/net/ipv6/conf/lo/disable_ipv6");
            return !Files.exists(flag) || Files.readString(flag).strip().equals("1");
        });
        return disabled ? List.of("-4") : List.of("-4", "-6");
    }

    /// With `tcp_migrate_req` what waits in the queue of a listener that closes moves to its successor, when one
    /// ztunnel follows another. With `be_liberal` a packet outside the window that conntrack expects still belongs
    /// to its connection, and so keeps the mark that leads it to the proxy.
    private static void setting(NetworkNamespace netns, String name) throws IOException {
        try {
            netns.<Path, IOException>call(() -> Files.writeString(Path.of("/proc/sys/net", name), "1"));
        } catch (FileSystemException e) {
            LOG.debug("{} stays as it is: {}", name, e.toString());
        }
    }

    private static void run(NetworkNamespace netns, String input, Predicate<String> harmless, String... command)
            throws IOException {
        var fd = netns.fd();
        fd.use(number -> {
            var path = "/proc/" + ProcessHandle.current().pid() + "/fd/" + number;
            var all = new ArrayList<>(List.of("nsenter", "--net=" + path));
            all.addAll(List.of(command));
            var problems = execute(all, input)
                    .lines()
                    .filter(line -> !line.isBlank() && !line.startsWith("Command failed") && !harmless.test(line))
                    .toList();
            if (!problems.isEmpty()) {
                throw new IOException(String.join(" ", command) + ": " + String.join("; ", problems));
            }
            return number;
        });
    }

    /// What the command wrote as errors; a failure that says nothing is reported by its code.
    private static String execute(List<String> command, String input) throws IOException {
        var process = new ProcessBuilder(command)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
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
