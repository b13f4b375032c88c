package dev.culvert.testkit;

import static dev.culvert.testkit.Asker.A;
import static dev.culvert.testkit.Asker.AAAA;
import static org.assertj.core.api.Assertions.assertThat;

import dev.culvert.testkit.backend.Addressing;
import dev.culvert.ztunnel.dns.DnsSettings.Limits;
import dev.culvert.ztunnel.dns.message.Answers;
import dev.culvert.ztunnel.dns.message.BadMessageException;
import dev.culvert.ztunnel.dns.message.Query;
import dev.culvert.ztunnel.dns.message.Rcode;
import dev.culvert.ztunnel.dns.message.Reply;
import java.io.EOFException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/// Names of captured pods, with the agent's redirection of port 53 and real sockets.
@MeshTest(backends = BackendKind.NETNS)
class NamesTest {
    private static final int PORT = 8080;
    private static final InetAddress OUTSIDE = InetAddress.ofLiteral("203.0.113.7");
    private static final Duration WAIT = Duration.ofSeconds(5);
    private static final Limits PATIENT = Limits.DEFAULTS;
    private static final Limits HASTY = new Limits(Duration.ofMillis(1500), 4096, 4, 2);

    /// The first two pods of the first node are name servers, if the test makes them.
    private static InetSocketAddress server(int number) {
        return new InetSocketAddress(Addressing.pod(1, number, true), 53);
    }

    private static void withNames(Mesh mesh, Limits limits) {
        mesh.names(limits, server(1), server(2));
    }

    private static TestWorkload pod(Mesh mesh, String name) {
        var pod = mesh.workload(name).on("node-b");
        pod.address();
        return pod;
    }

    private static Query read(byte[] question) {
        try {
            return Query.read(question);
        } catch (BadMessageException e) {
            throw new AssertionError(e);
        }
    }

    private static List<byte[]> good(byte[] question) {
        return List.of(Answers.local(read(question), null, List.of(OUTSIDE), 512));
    }

    @Test
    void servicesAreFoundByTheSystemsResolverAndReached(Mesh mesh) throws Exception {
        withNames(mesh, PATIENT);
        pod(mesh, "resolver");
        var echo = mesh.workload("echo").on("node-b").captured().echo(PORT);
        var shop = mesh.service("shop").vip().port(80, PORT).backedBy(echo);
        var headless = mesh.service("headless").port(80, PORT).backedBy(echo);
        var client = mesh.workload("client").on("node-a").captured();
        client.address();
        assertThat(headless).isNotNull();
        for (var name : List.of("shop", "shop.default", "shop.default.svc", "shop.default.svc.cluster.local")) {
            var four = Asker.getent("client", "ahostsv4", name);
            assertThat(four).as(name).containsExactly(shop.vipFor(Family.V4));
            assertThat(Asker.getent("client", "ahostsv6", name)).as(name).containsExactly(shop.vipFor(Family.V6));
            assertThat(client.connect(new InetSocketAddress(four.getFirst(), 80))
                            .roundTrip("hello"))
                    .isEqualTo("hello");
        }
        assertThat(Asker.getent("client", "ahosts", "headless"))
                .hasSize(2)
                .contains(Addressing.pod(1, 2, true), Addressing.pod(1, 2, false));
        try (var _ =
                NameServer.in("resolver", (question, _) -> List.of(Answers.error(read(question), Rcode.NXDOMAIN)))) {
            assertThat(Asker.getent("client", "ahosts", "nobody")).isEmpty();
        }
    }

    @Test
    void byUdpAndTcp(Mesh mesh) throws Exception {
        withNames(mesh, PATIENT);
        var echo = mesh.workload("echo").on("node-b").captured().echo(PORT);
        var shop = mesh.service("shop").vip().port(80, PORT).backedBy(echo);
        mesh.workload("client").on("node-a").captured().address();
        try (var asker = Asker.in("client")) {
            for (var type : List.of(A, AAAA)) {
                var vip = shop.vipFor(type == A ? Family.V4 : Family.V6);
                assertThat(asker.ask("Shop.default", type).addresses()).containsExactly(vip);
                assertThat(asker.askOverTcp("shop", type).addresses()).containsExactly(vip);
            }
            try (var tcp = asker.tcp()) {
                for (var i = 0; i < 100; i++) {
                    Asker.write(tcp, Asker.query("shop", A).bytes(i));
                }
                for (var i = 0; i < 100; i++) {
                    assertThat(Reply.to(Asker.query("shop", A), i, Asker.read(tcp)))
                            .as("answer " + i)
                            .isPresent();
                }
            }
            asker.send(HexFormat.of().parseHex("000728000001000000000000"));
            assertThat(HexFormat.of().formatHex(asker.receive())).isEqualTo("0007a8040000000000000000");
        }
        assertThat(mesh.counted("istio_dns_requests")).isEqualTo(104);
        assertThat(mesh.counted("istio_dns_upstream_requests")).isZero();
        assertThat(mesh.counted("culvert_dns_malformed")).isOne();
    }

    /// Whoever asks must be known: a wait, then SERVFAIL; who gets known meanwhile is answered.
    @Test
    void aPodThatTheMeshDoesNotKnowWaitsAndIsRefused(Mesh mesh) throws Exception {
        withNames(mesh, PATIENT);
        var echo = mesh.workload("echo").on("node-b").captured().echo(PORT);
        var shop = mesh.service("shop").vip().port(80, PORT).backedBy(echo);
        var client = mesh.workload("client").on("node-a").captured();
        client.address();
        client.withdraw();
        try (var asker = Asker.in("client")) {
            var start = System.nanoTime();
            assertThat(asker.ask("shop", A).rcodeText()).isEqualTo("SERVFAIL");
            assertThat(Duration.ofNanos(System.nanoTime() - start)).isBetween(WAIT, WAIT.multipliedBy(3));

            asker.send(Asker.query("shop", A).bytes(9));
            client.publish();
            assertThat(Reply.to(Asker.query("shop", A), 9, asker.receive())
                            .orElseThrow()
                            .addresses())
                    .containsExactly(shop.vipFor(Family.V4));
        }
    }

    @Test
    void whatTheMeshDoesNotKnowIsAskedFromThePodsNetwork(Mesh mesh) throws Exception {
        withNames(mesh, PATIENT);
        pod(mesh, "resolver");
        var client = mesh.workload("client").on("node-a").captured();
        var source = Addressing.pod(2, 1, true);
        assertThat(client.address()).isNotNull();
        try (var resolver = NameServer.in("resolver", (question, _) -> good(question));
                var asker = Asker.in("client")) {
            var reply = asker.ask("www.example.com", A);
            assertThat(reply.addresses()).containsExactly(OUTSIDE);
            assertThat(asker.askOverTcp("www.example.com", A).addresses()).containsExactly(OUTSIDE);
            assertThat(asker.ask("www.example.com", 15).answers()).as("MX").isOne();
            assertThat(resolver.askers()).containsExactly(source);
            assertThat(resolver.asked()).isEqualTo(3);
        }
        mesh.awaitLog("dns", "domain=\"www.example.com.\"", "result=\"forwarded\"", "endpoints=\"1\"");
        assertThat(mesh.counted("istio_dns_upstream_requests")).isEqualTo(3);
        assertThat(mesh.counted("istio_dns_upstream_failures")).isZero();
    }

    @Test
    void noSuchNameStaysSo(Mesh mesh) throws Exception {
        withNames(mesh, PATIENT);
        pod(mesh, "resolver");
        mesh.workload("client").on("node-a").captured().address();
        try (var _ = NameServer.in(
                        "resolver", (question, _) -> List.of(Answers.error(read(question), Rcode.NXDOMAIN)));
                var asker = Asker.in("client")) {
            assertThat(asker.ask("nobody.example.com", A).isError(Rcode.NXDOMAIN))
                    .isTrue();
        }
    }

    /// A second server is asked where the first one is not there, fails, or is silent for a second.
    @Test
    void nextServerIsAsked(Mesh mesh) throws Exception {
        withNames(mesh, PATIENT);
        pod(mesh, "first");
        pod(mesh, "second");
        mesh.workload("client").on("node-a").captured().address();
        try (var second = NameServer.in("second", (question, _) -> good(question));
                var asker = Asker.in("client")) {
            assertThat(asker.ask("a.example.com", A).addresses())
                    .as("nobody there")
                    .containsExactly(OUTSIDE);
            assertThat(second.asked()).isOne();
        }
        try (var first = NameServer.in(
                        "first", (question, _) -> List.of(Answers.error(read(question), Rcode.SERVFAIL)));
                var _ = NameServer.in("second", (_, _) -> List.of());
                var asker = Asker.in("client")) {
            assertThat(asker.ask("b.example.com", A).isError(Rcode.SERVFAIL))
                    .as("none knows")
                    .isTrue();
            assertThat(first.asked()).isEqualTo(2);
        }
        try (var _ = NameServer.in("first", (question, _) -> good(question));
                var _ = NameServer.in("second", (_, _) -> List.of());
                var asker = Asker.in("client")) {
            assertThat(asker.ask("c.example.com", A).addresses()).as("silent").containsExactly(OUTSIDE);
        }
    }

    /// What the mesh knows is answered meanwhile, and waiting is bounded in time and number.
    @Test
    void serversThatAreGoneOrSilentStopNobody(Mesh mesh) throws Exception {
        withNames(mesh, HASTY);
        pod(mesh, "silent");
        var echo = mesh.workload("echo").on("node-b").captured().echo(PORT);
        var shop = mesh.service("shop").vip().port(80, PORT).backedBy(echo);
        mesh.workload("client").on("node-a").captured().address();
        try (var _ = NameServer.in("silent", (_, _) -> List.of());
                var asker = Asker.in("client")) {
            var waiting = Asker.query("www.example.com", A);
            for (var id = 0; id < 20; id++) {
                asker.send(waiting.bytes(id));
            }
            var refused = new ArrayList<Reply>();
            for (var i = 0; i < 16; i++) {
                refused.add(anyOf(waiting, asker.receive()));
            }
            assertThat(refused).allMatch(reply -> reply.isError(Rcode.SERVFAIL));
            assertThat(mesh.counted("culvert_dns_limited")).isEqualTo(16);
            for (var i = 0; i < 4; i++) {
                assertThat(anyOf(waiting, asker.receive()).isError(Rcode.SERVFAIL))
                        .isTrue();
            }
            asker.send(waiting.bytes(99));
            assertThat(asker.ask("shop", A).addresses()).containsExactly(shop.vipFor(Family.V4));
            assertThat(anyOf(waiting, asker.receive()).isError(Rcode.SERVFAIL)).isTrue();
        }
        assertThat(mesh.counted("istio_dns_upstream_failures")).isEqualTo(5);
        mesh.awaitLog("dns", "result=\"forwarding failed (no answer within 1500 ms)\"");
    }

    private static Reply anyOf(Query query, byte[] answer) {
        return Reply.to(query, ((answer[0] & 0xff) << 8) | (answer[1] & 0xff), answer)
                .orElseThrow(() -> new AssertionError("an answer to something else"));
    }

    @Test
    void liesAreIgnoredAndTheTruthPasses(Mesh mesh) throws Exception {
        withNames(mesh, PATIENT);
        pod(mesh, "liar");
        mesh.workload("client").on("node-a").captured().address();
        try (var _ = NameServer.in("liar", (question, overTcp) -> overTcp ? good(question) : lies(question));
                var asker = Asker.in("client")) {
            assertThat(asker.ask("www.example.com", A).addresses()).containsExactly(OUTSIDE);
        }
        assertThat(mesh.counted("culvert_dns_upstream_ignored")).isEqualTo(4);
    }

    /// Another id, another question, a question, garbage, nothing (which does not count); then the truth.
    private static List<byte[]> lies(byte[] question) {
        var query = read(question);
        var truth = good(question).getFirst();
        var otherId = truth.clone();
        otherId[1]++;
        var otherName = truth.clone();
        otherName[14] ^= 1;
        var garbage = "HTTP/1.1 400 Bad Request\r\n\r\n".getBytes(StandardCharsets.US_ASCII);
        return List.of(otherId, otherName, query.bytes(0), garbage, new byte[0], truth);
    }

    /// More than the asker takes is cut, and by TCP he gets it.
    @Test
    void oversizedAnswersAreCut(Mesh mesh) throws Exception {
        withNames(mesh, PATIENT);
        pod(mesh, "resolver");
        mesh.workload("client").on("node-a").captured().address();
        var many = IntStream.range(1, 200)
                .mapToObj(i -> InetAddress.ofLiteral("203.0.113." + i))
                .toList();
        try (var _ = NameServer.in(
                        "resolver", (question, _) -> List.of(Answers.local(read(question), null, many, 65_535)));
                var asker = Asker.in("client")) {
            var query = Asker.query("big.example.com", A);
            asker.send(query.bytes(5));
            var cut = asker.receive();
            assertThat(cut).hasSizeLessThanOrEqualTo(512);
            assertThat(cut[2] & 2).as("TC").isNotZero();
            assertThat(asker.askOverTcp("big.example.com", A).addresses()).isEqualTo(many);
            var edns = Arrays.copyOf(query.bytes(6), query.bytes(6).length + 11);
            edns[11] = 1;
            System.arraycopy(HexFormat.of().parseHex("0000291000000000000000"), 0, edns, edns.length - 11, 11);
            asker.send(edns);
            assertThat(Reply.to(query, 6, asker.receive()).orElseThrow().addresses())
                    .isEqualTo(many);
        }
    }

    /// Who connects and says nothing is let go after 5 s; nobody has more connections than the limit.
    @Test
    void connectionsAreBounded(Mesh mesh) throws Exception {
        withNames(mesh, HASTY);
        var echo = mesh.workload("echo").on("node-b").captured().echo(PORT);
        mesh.service("shop").vip().port(80, PORT).backedBy(echo);
        mesh.workload("client").on("node-a").captured().address();
        try (var asker = Asker.in("client");
                var first = asker.tcp();
                var second = asker.tcp()) {
            Asker.write(first, Asker.query("shop", A).bytes(1));
            Asker.write(second, Asker.query("shop", A).bytes(2));
            assertThat(Asker.read(first)).isNotEmpty();
            assertThat(Asker.read(second)).isNotEmpty();
            try (var third = asker.tcp()) {
                assertThat(endOf(third)).isTrue();
            }
            var start = System.nanoTime();
            assertThat(endOf(first)).isTrue();
            assertThat(Duration.ofNanos(System.nanoTime() - start))
                    .isBetween(Duration.ofSeconds(4), Duration.ofSeconds(8));
        }
        assertThat(mesh.counted("culvert_dns_limited")).isOne();
    }

    private static boolean endOf(java.net.Socket socket) throws Exception {
        try {
            Asker.read(socket);
            return false;
        } catch (EOFException | SocketException ended) {
            return true;
        }
    }
}
