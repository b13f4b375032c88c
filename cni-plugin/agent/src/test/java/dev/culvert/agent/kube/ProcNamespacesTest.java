package dev.culvert.agent.kube;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.culvert.agent.pods.PodView;
import dev.culvert.linux.netns.NetworkNamespace;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A made-up `/proc` with links to namespaces and processes that are real.
class ProcNamespacesTest {
    private static final String UID = "01234567-89ab-4cde-f012-0123456789ab";

    @TempDir
    Path proc;

    private Process pod;
    private Process other;

    @BeforeEach
    void start() throws Exception {
        pod = inNamespace("198.18.65.7");
        other = inNamespace("198.18.65.8");
        member(1, ProcessHandle.current().pid(), "/init.scope", 1);
    }

    @AfterEach
    void stop() throws Exception {
        for (var process : List.of(pod, other)) {
            process.destroyForcibly().waitFor();
        }
    }

    /// A process in a network namespace of its own that says when it has the address.
    private static Process inNamespace(String address) throws Exception {
        var script = "ip link set lo up && ip addr add " + address + "/32 dev lo && echo up && exec sleep 1000";
        var process = new ProcessBuilder("unshare", "--net", "sh", "-c", script).start();
        process.inputReader().readLine();
        return process;
    }

    private void member(int number, long pid, String group, long started) throws IOException {
        var folder = Files.createDirectories(proc.resolve(Integer.toString(number)));
        Files.createDirectories(folder.resolve("ns"));
        Files.createSymbolicLink(folder.resolve("ns/net"), Path.of("/proc/" + pid + "/ns/net"));
        Files.createSymbolicLink(folder.resolve("net"), Path.of("/proc/" + pid + "/net"));
        Files.writeString(folder.resolve("cgroup"), "0::" + group + "\n");
        Files.writeString(folder.resolve("stat"), number + " (a (b) c) S" + " 0".repeat(18) + " " + started + " 0 0\n");
    }

    private static PodView view(String uid, String... ips) {
        return new PodView(
                new PodView.Name(uid, "shop", "web"),
                "web",
                Map.of(),
                Map.of(),
                new PodView.Surroundings(Optional.empty(), List.of()),
                PodView.Declared.NOTHING,
                List.of(ips).stream().map(InetAddress::ofLiteral).toList(),
                false,
                false,
                Optional.empty());
    }

    private static NetworkNamespace.Id of(Process process) throws IOException {
        try (var netns = NetworkNamespace.open(Path.of("/proc/" + process.pid() + "/ns/net"))) {
            return netns.id();
        }
    }

    @Test
    void podIsFoundByItsControlGroupAndAddress() throws Exception {
        member(70, pod.pid(), "/kubepods/pod" + UID + "/a", 500);

        try (var found = new ProcNamespaces(proc).find(view(UID, "198.18.65.7"))) {
            assertThat(found.id()).isEqualTo(of(pod));
        }
    }

    @Test
    void processOfThePodThatPassesThroughAnotherNamespaceIsPassedOver() throws Exception {
        member(60, other.pid(), "/kubepods/pod" + UID + "/a", 400);
        member(70, pod.pid(), "/kubepods/pod" + UID + "/a", 500);

        try (var found = new ProcNamespaces(proc).find(view(UID, "198.18.65.7"))) {
            assertThat(found.id()).isEqualTo(of(pod));
        }
    }

    @Test
    void nodesOwnNamespaceIsNeverAPods() throws Exception {
        member(70, ProcessHandle.current().pid(), "/kubepods/pod" + UID + "/a", 500);

        assertThatThrownBy(() -> new ProcNamespaces(proc).find(view(UID, "127.0.0.1")))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("no process");
    }

    @Test
    void podsOfOtherUidsAndPodsWithoutAddressAreNotFound() throws Exception {
        member(70, pod.pid(), "/kubepods/pod" + UID + "/a", 500);

        assertThatThrownBy(() ->
                        new ProcNamespaces(proc).find(view("ffffffff-89ab-4cde-f012-0123456789ab", "198.18.65.7")))
                .isInstanceOf(IOException.class);
        assertThatThrownBy(() -> new ProcNamespaces(proc).find(view(UID)))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("no address yet");
    }

    @Test
    void podThatAppearsAfterALookIsFound() throws Exception {
        var finder = new ProcNamespaces(proc);
        assertThatThrownBy(() -> finder.find(view(UID, "198.18.65.7"))).isInstanceOf(IOException.class);
        member(70, pod.pid(), "/kubepods/pod" + UID + "/a", 500);

        try (var found = finder.find(view(UID, "198.18.65.7"))) {
            assertThat(found.id()).isEqualTo(of(pod));
        }
    }
}
