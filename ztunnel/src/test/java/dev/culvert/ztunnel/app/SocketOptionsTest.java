package dev.culvert.ztunnel.app;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import dev.culvert.linux.call.Libc;
import dev.culvert.linux.socket.TcpSocket;
import dev.culvert.linux.socket.TcpSockets;
import dev.culvert.proxy.ca.TestAuthority;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// What ztunnel sets on its sockets, read back from the kernel by their descriptors: one connection out of the
/// workload and by HBONE into it, and one in plaintext.
@Timeout(240)
class SocketOptionsTest {
    private static final String MESH = """
            workloads:
            - {uid: Kubernetes//Pod/shop/cart, name: cart, namespace: shop, trustDomain: cluster.local, serviceAccount: cart, protocol: HBONE,
               workloadIps: [127.0.0.1], clusterId: Kubernetes, node: n1, services: {shop/cart.shop.svc.cluster.local: {9999: 8080}}}
            services:
            - {name: cart, namespace: shop, hostname: cart.shop.svc.cluster.local, vips: [/198.18.4.20], ports: {9999: 8080}}
            """;
    private static final int APPLICATION = 8080;
    private static final int PLAIN = 7777;
    private static final int SOL_TCP = 6;

    /// @param userTimeout milliseconds
    private record Options(int noDelay, int keepalive, int idle, int interval, int probes, int userTimeout, int mark) {}

    @TempDir
    Path directory;

    private final Map<Long, Integer> descriptors = new HashMap<>();

    private static void run(String command) throws IOException, InterruptedException {
        var process = new ProcessBuilder("sh", "-ec", command)
                .redirectErrorStream(true)
                .start();
        var said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as("%s: %s", command, said).isZero();
    }

    @BeforeEach
    void redirect() throws Exception {
        run("ip route add 198.18.4.0/24 dev lo src 127.0.0.1; nft add table ip test;"
                + " nft 'add chain ip test output { type nat hook output priority -100; }';"
                + " nft add rule ip test output meta mark != 1337 tcp dport 9999 redirect to :15001;"
                + " nft add rule ip test output meta mark != 1337 tcp dport " + PLAIN + " redirect to :15006");
    }

    @AfterEach
    void release() throws Exception {
        run("nft delete table ip test; ip route del 198.18.4.0/24 dev lo");
    }

    /// Istio leaves what it accepts on 15008 without; here it inherits it as the others do.
    @Test
    void keepaliveIsOnAll() throws Exception {
        withConnections(Map.of(), () -> {
            var kept = new Options(1, 1, 180, 180, 9, 0, 1337);
            assertThat(options(socket -> local(socket) == 15001)).as("outbound").isEqualTo(kept);
            assertThat(options(socket -> remote(socket) == 15008))
                    .as("to the peer")
                    .isEqualTo(kept);
            assertThat(options(socket -> local(socket) == 15008)).as("tunnel").isEqualTo(kept);
            assertThat(options(socket -> remote(socket) == APPLICATION))
                    .as("to the application")
                    .isEqualTo(kept);
            assertThat(options(socket -> local(socket) == 15006))
                    .as("plaintext")
                    .isEqualTo(kept);
        });
    }

    @Test
    void timesAreTheOperatorsAndTheUserTimeoutTheirSum() throws Exception {
        var environment = Map.of(
                "KEEPALIVE_TIME", "20s",
                "KEEPALIVE_INTERVAL", "5s",
                "KEEPALIVE_RETRIES", "4",
                "USER_TIMEOUT_ENABLED", "true");
        withConnections(environment, () -> {
            var kept = new Options(1, 1, 20, 5, 4, 40_000, 1337);
            assertThat(options(socket -> local(socket) == 15001)).isEqualTo(kept);
            assertThat(options(socket -> remote(socket) == 15008)).isEqualTo(kept);
            assertThat(options(socket -> local(socket) == 15008)).isEqualTo(kept);
        });
    }

    @Test
    void keepaliveCanBeOff() throws Exception {
        withConnections(
                Map.of("KEEPALIVE_ENABLED", "false"),
                () -> assertThat(options(socket -> remote(socket) == 15008).keepalive())
                        .isZero());
    }

    @Test
    void listenersShareTheirPortsUnlessToldNotTo() throws Exception {
        withConnections(
                Map.of(),
                () -> assertThat(listeners(fd -> option(fd, Libc.SOL_SOCKET, 15)))
                        .hasSize(3)
                        .allMatch(one -> one == 1));
        withConnections(
                Map.of("INPOD_PORT_REUSE", "false"),
                () -> assertThat(listeners(fd -> option(fd, Libc.SOL_SOCKET, 15)))
                        .hasSize(3)
                        .allMatch(one -> one == 0));
    }

    @Test
    void listenersAreOfBothFamiliesUnlessToldNotTo() throws Exception {
        withConnections(
                Map.of(),
                () -> assertThat(listeners(fd -> option(fd, Libc.SOL_SOCKET, 39)))
                        .containsOnly(Libc.AF_INET6));
        withConnections(
                Map.of("IPV6_ENABLED", "false"),
                () -> assertThat(listeners(fd -> option(fd, Libc.SOL_SOCKET, 39)))
                        .containsOnly(Libc.AF_INET));
    }

    private interface Read {
        int of(int fd) throws IOException;
    }

    /// What a read says of the listeners on 15001, 15006 and 15008.
    private List<Integer> listeners(Read read) throws IOException {
        var found = new ArrayList<Integer>();
        for (var socket : TcpSockets.list()) {
            if (socket.state() == TcpSocket.State.LISTEN
                    && Set.of(15001, 15006, 15008).contains(local(socket))) {
                found.add(read.of(requireNonNull(descriptors.get(socket.inode()))));
            }
        }
        return found;
    }

    private interface Look {
        void run() throws IOException;
    }

    private void withConnections(Map<String, String> more, Look look) throws Exception {
        var environment = new HashMap<>(more);
        environment.put("PROXY_MODE", "dedicated");
        environment.put("PROXY_WORKLOAD_INFO", "shop/cart/cart");
        environment.put("PACKET_MARK", "1337");
        environment.put("LOCAL_XDS", MESH);
        environment.put("NODE_NAME", "n1");
        var loopback = InetAddress.ofLiteral("127.0.0.1");
        try (var _ = new RunningZtunnel(directory, new TestAuthority(), environment, "200 ready\n");
                var application = new ServerSocket(APPLICATION, 10, loopback);
                var plain = new ServerSocket(PLAIN, 10, loopback);
                var client = new Socket("198.18.4.20", 9999);
                var stranger = new Socket(loopback, PLAIN);
                var accepted = application.accept();
                var acceptedPlain = plain.accept()) {
            for (var pair : new Socket[][] {{client, accepted}, {stranger, acceptedPlain}}) {
                pair[0].getOutputStream().write('x');
                assertThat(pair[1].getInputStream().read()).isEqualTo('x');
            }
            findDescriptors();
            look.run();
            client.shutdownOutput();
            stranger.shutdownOutput();
        }
    }

    /// By inode: proxy and applications of this test are one process.
    private void findDescriptors() throws IOException {
        try (var all = Files.newDirectoryStream(Path.of("/proc/self/fd"))) {
            for (var fd : all) {
                var target = target(fd);
                if (target.startsWith("socket:[")) {
                    descriptors.put(
                            Long.parseLong(target.substring(8, target.length() - 1)),
                            Integer.parseInt(fd.getFileName().toString()));
                }
            }
        }
    }

    private static String target(Path fd) throws IOException {
        try {
            return Files.readSymbolicLink(fd).toString();
        } catch (NoSuchFileException _) {
            return "";
        }
    }

    private static int local(TcpSocket socket) {
        return socket.local().getPort();
    }

    private static int remote(TcpSocket socket) {
        return socket.remote().getPort();
    }

    private Options options(Predicate<TcpSocket> which) throws IOException {
        var found = TcpSockets.list().stream()
                .filter(socket -> socket.state() == TcpSocket.State.ESTABLISHED)
                .filter(which)
                .toList();
        assertThat(found).hasSize(1);
        int fd = requireNonNull(descriptors.get(found.getFirst().inode()));
        return new Options(
                option(fd, SOL_TCP, 1),
                option(fd, Libc.SOL_SOCKET, 9),
                option(fd, SOL_TCP, 4),
                option(fd, SOL_TCP, 5),
                option(fd, SOL_TCP, 6),
                option(fd, SOL_TCP, 18),
                option(fd, Libc.SOL_SOCKET, 36));
    }

    private static int option(int fd, int level, int name) throws IOException {
        try (var arena = Arena.ofConfined()) {
            var value = arena.allocate(ValueLayout.JAVA_INT);
            var length = arena.allocateFrom(ValueLayout.JAVA_INT, Integer.BYTES);
            Libc.GETSOCKOPT.invoke(fd + ", " + level + ", " + name, fd, level, name, value, length);
            return value.get(ValueLayout.JAVA_INT, 0);
        }
    }
}
