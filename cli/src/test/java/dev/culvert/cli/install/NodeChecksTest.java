package dev.culvert.cli.install;

import static org.assertj.core.api.Assertions.assertThat;

import dev.culvert.cli.install.Finding.Level;
import dev.culvert.linux.LinuxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A node of plain files; each test spoils one thing of a node that is well.
class NodeChecksTest {
    private static final int EPERM = 1;
    private static final int EINVAL = 22;

    @TempDir
    Path root;

    private NodeChecks.Rules rules = () -> 7;

    @BeforeEach
    void well() throws Exception {
        write("proc/sys/kernel/osrelease", "6.1.0-18-amd64\n");
        write("proc/net/route", "eth0\t00000000\t010012C6\t0003\t0\t0\t0\t00000000\t0\t0\t0\n");
        device("eth0", 2, 2, 1500);
        device("veth1", 3, 2, 1500);
        write("proc/12/comm", "containerd\n");
        write("proc/77/comm", "kubelet\n");
        write("proc/77/cgroup", "1:name=systemd:/\n0::/system.slice/kubelet.service\n");
        provider("10-net.conflist", "{\"plugins\":[{\"type\":\"ptp\"},{\"type\":\"portmap\"}]}");
    }

    private void write(String path, String text) throws Exception {
        var file = root.resolve(path);
        Files.createDirectories(file.getParent());
        Files.writeString(file, text);
    }

    private void device(String name, int index, int link, int mtu) throws Exception {
        write("sys/class/net/" + name + "/ifindex", index + "\n");
        write("sys/class/net/" + name + "/iflink", link + "\n");
        write("sys/class/net/" + name + "/mtu", mtu + "\n");
    }

    private void provider(String file, String text) throws Exception {
        write("etc/cni/net.d/" + file, text);
    }

    private List<Finding> findings() throws Exception {
        return new NodeChecks(root, Path.of("/etc/cni/net.d"), rules).all();
    }

    private void assertOnly(Level level, String what, String advice) throws Exception {
        assertThat(findings().stream().filter(finding -> finding.level() != Level.FINE))
                .singleElement()
                .satisfies(finding -> {
                    assertThat(finding.level()).isEqualTo(level);
                    assertThat(finding.what()).contains(what);
                    assertThat(finding.advice()).contains(advice);
                });
    }

    @Test
    void nodeThatIsWell() throws Exception {
        assertThat(findings()).allMatch(finding -> finding.level() == Level.FINE);
        assertThat(findings().stream().map(Finding::what))
                .containsExactly(
                        "Linux 6.1.0-18-amd64",
                        "rules are written by nftables",
                        root.resolve("etc/cni/net.d/10-net.conflist") + ": ptp, portmap",
                        "MTU of eth0 is 1500, and no pod's is greater",
                        "known by its control group system.slice/kubelet.service");
    }

    @Test
    void oldKernel() throws Exception {
        write("proc/sys/kernel/osrelease", "5.10.0\n");
        assertOnly(Level.WARNING, "Linux 5.10.0 is older than 5.14", "by its user only");
    }

    @Test
    void kernelWithoutNftables() throws Exception {
        rules = () -> {
            throw new LinuxException("send", "", EINVAL);
        };
        assertOnly(Level.ERROR, "there is no nftables", "nf_tables");
        write("proc/net/ip_tables_names", "nat\n");
        assertOnly(Level.WARNING, "legacy iptables", "nf_tables");
        rules = () -> {
            throw new LinuxException("send", "", EPERM);
        };
        assertOnly(Level.WARNING, "does not say", "as root");
    }

    @Test
    void noProvider() throws Exception {
        Files.delete(root.resolve("etc/cni/net.d/10-net.conflist"));
        assertOnly(Level.ERROR, "no network configuration", "--cni-conf-dir");
        Files.delete(root.resolve("etc/cni/net.d"));
        assertOnly(Level.ERROR, "cannot be read", "--cni-conf-dir");
    }

    @Test
    void providersThatUndoTheMesh() throws Exception {
        provider("10-net.conflist", "{\"plugins\":[{\"type\":\"ptp\"},{\"type\":\"istio-cni\"}]}");
        assertOnly(Level.ERROR, "istio-cni captures pods here", "remove it");
        provider("05-cilium.conf", "{\"type\":\"cilium-cni\"}");
        assertOnly(Level.WARNING, "Cilium takes", "cni.exclusive=false");
        provider("05-cilium.conf", "{\"type\":\"ptp\"}");
        provider("10-net.conflist.cilium_bak", "{}");
        assertOnly(Level.ERROR, "has set", "cni.exclusive=false");
    }

    @Test
    void providerThatIsHalfWritten() throws Exception {
        provider("10-net.conflist", "{\"plugins\":[{");
        assertOnly(Level.ERROR, "is not JSON", "write it anew");
    }

    @Test
    void podsWithGreaterPacketsThanTheWayOut() throws Exception {
        device("veth1", 3, 2, 9000);
        assertOnly(Level.WARNING, "MTU of eth0 is 1500, of pods' veth1 9000", "too big");
    }

    @Test
    void kubeletThatIsKnownByItsUserOnly() throws Exception {
        write("proc/77/cgroup", "1:name=systemd:/\n0::/\n");
        assertOnly(Level.WARNING, "is known by its user, which is weaker", "systemd");
        write("proc/77/comm", "bash\n");
        assertOnly(Level.WARNING, "no process of this node is a kubelet", "proxy");
    }
}
