package dev.culvert.ztunnel.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// How the program ends: signals and exit codes, with and without an open connection. A process of its own, in
/// dedicated mode, in the network of this test.
@Timeout(240)
class ShutdownTest {
    private static final InetAddress LOOPBACK = InetAddress.ofLiteral("127.0.0.1");
    private static final int PLAIN = 7777;
    private static final String MESH = "workloads: [{name: cart, namespace: shop, trustDomain: cluster.local,"
            + " serviceAccount: cart, workloadIps: [127.0.0.1], protocol: HBONE, services: {}}]";

    private final List<Process> started = new ArrayList<>();

    private static void run(String command) throws IOException, InterruptedException {
        var process = new ProcessBuilder("sh", "-ec", command).inheritIO().start();
        assertThat(process.waitFor()).as(command).isZero();
    }

    @BeforeEach
    void redirect() throws Exception {
        run("nft add table ip test; nft 'add chain ip test output { type nat hook output priority -100; }';"
                + " nft add rule ip test output meta mark != 1337 tcp dport " + PLAIN + " redirect to :15006");
    }

    @AfterEach
    void release() throws Exception {
        started.forEach(Process::destroyForcibly);
        run("nft delete table ip test");
    }

    private Process ztunnel(Map<String, String> environment, String... arguments) throws IOException {
        // a shell's background job ignores SIGINT, and a JVM that inherits that never hears it
        var command = new ArrayList<>(List.of(
                "env",
                "--default-signal=INT",
                ProcessHandle.current().info().command().orElseThrow(),
                "-Xmx64m",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                Ztunnel.class.getName()));
        command.addAll(List.of(arguments));
        var builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment()
                .putAll(Map.of(
                        "PROXY_MODE", "dedicated",
                        "PROXY_WORKLOAD_INFO", "shop/cart/cart",
                        "PACKET_MARK", "1337",
                        "XDS_ADDRESS", "",
                        "LOCAL_XDS", MESH,
                        "CULVERT_STATE_DIR", "",
                        "CULVERT_KEYS_DIR", ""));
        builder.environment().putAll(environment);
        var process = builder.start();
        started.add(process);
        return process;
    }

    private static String awaitLine(BufferedReader lines, String word) throws IOException {
        for (var line = lines.readLine(); line != null; line = lines.readLine()) {
            if (line.contains(word)) {
                return line;
            }
        }
        throw new AssertionError("ended without a line with '" + word + "'");
    }

    private static void kill(Process process, String signal) throws Exception {
        run("kill -" + signal + " " + process.pid());
    }

    @Test
    void sigtermEndsItAtOnceIfNothingIsOpen() throws Exception {
        var process = ztunnel(Map.of());
        var lines = process.inputReader();
        awaitLine(lines, "ztunnel started");
        kill(process, "TERM");
        awaitLine(lines, "stopping: SIGTERM");
        assertThat(process.waitFor(4, TimeUnit.SECONDS)).isTrue(); // the drain's deadline is 5 s
        assertThat(process.exitValue()).isZero();
    }

    /// What is open goes on, and nothing new is taken, until the deadline; then it is cut, which is no failure.
    @Test
    void openConnectionsGoOnUntilTheDeadlineAndAreCutThen() throws Exception {
        var process = ztunnel(Map.of("CONNECTION_TERMINATION_DEADLINE", "2s"));
        var lines = process.inputReader();
        awaitLine(lines, "ztunnel started");
        try (var server = new ServerSocket(PLAIN, 10, LOOPBACK);
                var client = new Socket(LOOPBACK, PLAIN);
                var accepted = server.accept()) {
            roundTrip(client, accepted);
            kill(process, "INT");
            awaitLine(lines, "stopping: SIGINT");
            roundTrip(client, accepted);
            assertThat(awaitLine(lines, "connection complete"))
                    .contains("error")
                    .endsWith("error=\"connection closed due to connection drain\"");
        }
        assertThat(process.waitFor()).isZero();
    }

    @Test
    void aSecondSigintEndsItAtOnce() throws Exception {
        var process = ztunnel(Map.of("CONNECTION_TERMINATION_DEADLINE", "10m"));
        var lines = process.inputReader();
        awaitLine(lines, "ztunnel started");
        try (var server = new ServerSocket(PLAIN, 10, LOOPBACK);
                var client = new Socket(LOOPBACK, PLAIN);
                var accepted = server.accept()) {
            roundTrip(client, accepted);
            kill(process, "INT");
            awaitLine(lines, "stopping: SIGINT");
            roundTrip(client, accepted);
            kill(process, "INT");
            assertThat(process.waitFor()).isEqualTo(130);
        }
    }

    private static void roundTrip(Socket client, Socket server) throws IOException {
        client.getOutputStream().write("ping".getBytes(StandardCharsets.US_ASCII));
        assertThat(server.getInputStream().readNBytes(4)).asString().isEqualTo("ping");
        server.getOutputStream().write("pong".getBytes(StandardCharsets.US_ASCII));
        assertThat(client.getInputStream().readNBytes(4)).asString().isEqualTo("pong");
    }

    @Test
    void exitCodesOfTheCommandLine() throws Exception {
        assertThat(end(ztunnel(Map.of(), "version"))).startsWith("0 ").contains(Version.number());
        assertThat(end(ztunnel(Map.of(), "help"))).startsWith("0 usage: ztunnel");
        assertThat(end(ztunnel(Map.of(), "serve")))
                .startsWith("1 ztunnel: unknown command 'serve'\nusage: ztunnel [proxy | version | help]");
        assertThat(end(ztunnel(Map.of("XDS_ON_DEMAND", "maybe"), "proxy", "further", "words")))
                .startsWith("1 ztunnel: wrong configuration, nothing started:\n");
        assertThat(end(ztunnel(Map.of("LOCAL_XDS", "nonsense: 1"))))
                .startsWith("1 ")
                .contains("ztunnel: LOCAL_XDS: the file: unknown key 'nonsense'");
    }

    private static String end(Process process) throws Exception {
        var said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return process.waitFor() + " " + said;
    }
}
