package dev.culvert.linux.process;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class KubeletProcessTest {
    @TempDir
    Path proc;

    private Path process(int number, String comm, String cmdline) throws IOException {
        var folder = Files.createDirectories(proc.resolve(String.valueOf(number)));
        Files.writeString(folder.resolve("comm"), comm + "\n");
        Files.writeString(folder.resolve("cmdline"), cmdline);
        return folder;
    }

    @ParameterizedTest
    @CsvSource({
        "kubelet, kubelet, true",
        "k3s-server, k3s, true",
        "k3s, k3s, true",
        "kubelite, kubelite --with-kubelet, true",
        "kubelite, kubelite, false",
        "kubelet-like, kubelet, false"
    })
    void isKnownByItsName(String comm, String cmdline, boolean is) throws Exception {
        process(1, "systemd", "/sbin/init");
        Files.createDirectories(proc.resolve("sys"));
        Files.createDirectories(proc.resolve("7")); // has ended
        process(12, comm, cmdline);
        assertThat(KubeletProcess.find(proc).isPresent()).isEqualTo(is);
    }

    @Test
    void isToldFromALaterOneOfItsNumberByItsStart() throws Exception {
        var folder = process(12, "kubelet", "kubelet");
        Files.writeString(
                folder.resolve("stat"), "12 (kube) let) S 1 12 12 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 9 0 4711 1 2 3\n");
        Files.writeString(folder.resolve("cgroup"), "0::/system.slice/kubelet.service\n");
        var kubelet = KubeletProcess.find(proc).orElseThrow();
        assertThat(kubelet.started()).contains("4711");
        assertThat(kubelet.group()).contains(new OwnControlGroup("system.slice/kubelet.service", 2));
        Files.delete(folder.resolve("stat"));
        assertThat(kubelet.started()).isEmpty();
    }

    /// Beside version 1, in the root, in a group of another namespace.
    @Test
    void ownGroupOfVersion2() {
        assertThat(OwnControlGroup.of("8:pids:/a\n4:memory:/b\n0::/kubelet\n"))
                .contains(new OwnControlGroup("kubelet", 1));
        assertThat(OwnControlGroup.of("8:pids:/a\n0::/\n")).isEmpty();
        assertThat(OwnControlGroup.of("0::/../kubelet.slice\n")).isEmpty();
        assertThat(OwnControlGroup.of("8:pids:/a\n")).isEmpty();
    }
}
