package dev.culvert.ztunnel.app;

import static org.assertj.core.api.Assertions.assertThat;

import dev.culvert.proxy.ca.TestAuthority;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Whoever reads a big dump slowly, or not at all, holds up nobody: 10,000 workloads, and a connection that goes on.
@Timeout(240)
class DumpWhileServingTest {
    private static final InetAddress LOOPBACK = InetAddress.ofLiteral("127.0.0.1");
    private static final int PLAIN = 7777;
    private static final int WORKLOADS = 10_000;

    @TempDir
    Path directory;

    private static void run(String command) throws IOException, InterruptedException {
        assertThat(new ProcessBuilder("sh", "-ec", command).inheritIO().start().waitFor())
                .as(command)
                .isZero();
    }

    private static String mesh() {
        var yaml = new StringBuilder("workloads:\n- {name: cart, namespace: shop, trustDomain: cluster.local,"
                + " serviceAccount: cart, workloadIps: [127.0.0.1], protocol: HBONE, services: {}}\n");
        for (var i = 1; i < WORKLOADS; i++) {
            yaml.append("- {uid: w%d, name: w%d, namespace: shop, workloadIps: [198.18.%d.%d], services: {}}\n"
                    .formatted(i, i, i / 256, i % 256));
        }
        return yaml.toString();
    }

    @Test
    void aReaderThatHasStoppedDelaysNobodyAndGetsItAllLater() throws Exception {
        run("nft add table ip test; nft 'add chain ip test output { type nat hook output priority -100; }';"
                + " nft add rule ip test output meta mark != 1337 tcp dport " + PLAIN + " redirect to :15006");
        var environment = Map.of(
                "PROXY_MODE", "dedicated",
                "PROXY_WORKLOAD_INFO", "shop/cart/cart",
                "PACKET_MARK", "1337",
                "LOCAL_XDS", mesh());
        try (var _ = new RunningZtunnel(directory, new TestAuthority(), environment, "200 ready\n");
                var server = new ServerSocket(PLAIN, 10, LOOPBACK);
                var client = new Socket(LOOPBACK, PLAIN);
                var accepted = server.accept();
                var reader = new Socket(LOOPBACK, 15000)) {
            reader.getOutputStream()
                    .write("GET /config_dump HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
                            .getBytes(StandardCharsets.US_ASCII));
            assertThat(reader.getInputStream().readNBytes(12)).asString().isEqualTo("HTTP/1.1 200");
            for (var i = 0; i < 50; i++) {
                roundTrip(client, accepted);
            }
            var dump = new String(reader.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(dump.split("\"uid\": \"", -1)).hasSizeGreaterThan(WORKLOADS);
            assertThat(dump).contains("\"uid\": \"w9999\"").endsWith("0\r\n\r\n");
            client.shutdownOutput();
        } finally {
            run("nft delete table ip test");
        }
    }

    private static void roundTrip(Socket client, Socket server) throws IOException {
        client.getOutputStream().write('x');
        assertThat(server.getInputStream().read()).isEqualTo('x');
        server.getOutputStream().write('y');
        assertThat(client.getInputStream().read()).isEqualTo('y');
    }
}
