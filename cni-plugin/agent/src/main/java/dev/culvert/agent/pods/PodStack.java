package dev.culvert.agent.pods;

import dev.culvert.agent.rules.InPodRules.Open;
import dev.culvert.agent.rules.PodRoutes;
import dev.culvert.linux.netns.NetworkNamespace;
import dev.culvert.linux.socket.TcpSocket;
import dev.culvert.linux.socket.TcpSockets;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What a captured pod's network namespace needs beside rules, in whatever language they are.
final class PodStack {
    private static final Logger LOG = LoggerFactory.getLogger(PodStack.class);
    private static final Set<TcpSocket.State> NOT_OPEN =
            EnumSet.of(TcpSocket.State.LISTEN, TcpSocket.State.CLOSE, TcpSocket.State.BOUND_INACTIVE);

    private final Path proc;

    /// @param proc where `sys/net` can be written; that of a container cannot
    PodStack(Path proc) {
        this.proc = proc;
    }

    void prepare(NetworkNamespace netns) throws IOException {
        setting(netns, "ipv4/tcp_migrate_req");
        setting(netns, "netfilter/nf_conntrack_tcp_be_liberal");
        for (var family : families(netns)) {
            NamespaceCommands.run(
                    netns,
                    PodRoutes.added(),
                    line -> line.contains("File exists"),
                    "ip",
                    family,
                    "-force",
                    "-batch",
                    "-");
        }
    }

    void clear(NetworkNamespace netns) throws IOException {
        for (var family : families(netns)) {
            NamespaceCommands.run(netns, PodRoutes.deleted(), PodStack::absent, "ip", family, "-force", "-batch", "-");
        }
    }

    static List<Open> open(NetworkNamespace netns) throws IOException {
        return netns.<List<TcpSocket>, IOException>call(TcpSockets::list).stream()
                .filter(socket -> !NOT_OPEN.contains(socket.state()))
                .map(socket -> new Open(socket.local(), socket.remote()))
                .toList();
    }

    private static boolean absent(String line) {
        return line.contains("No such file or directory")
                || line.contains("No such process")
                || line.contains("FIB table does not exist");
    }

    static boolean hasV6(NetworkNamespace netns) throws IOException {
        return !netns.<Boolean, IOException>call(() -> {
            var flag = Path.of("/proc/sys/net/ipv6/conf/lo/disable_ipv6");
            return !Files.exists(flag) || Files.readString(flag).strip().equals("1");
        });
    }

    private static List<String> families(NetworkNamespace netns) throws IOException {
        return hasV6(netns) ? List.of("-4", "-6") : List.of("-4");
    }

    /// With `tcp_migrate_req` what waits in the queue of a listener that closes moves to its successor, when
    /// one ztunnel follows another. With `be_liberal` a packet outside the window that conntrack expects
    /// still belongs to its connection, and so keeps the mark that leads it to the proxy.
    private void setting(NetworkNamespace netns, String name) throws IOException {
        try {
            netns.<Path, IOException>call(
                    () -> Files.writeString(proc.resolve("sys/net").resolve(name), "1"));
        } catch (FileSystemException e) {
            LOG.debug("{} stays as it is: {}", name, e.toString());
        }
    }
}
