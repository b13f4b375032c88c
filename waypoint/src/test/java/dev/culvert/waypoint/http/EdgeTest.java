package dev.culvert.waypoint.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import com.google.protobuf.TextFormat;
import com.sun.net.httpserver.HttpServer;
import dev.culvert.protos.discovery.DeltaDiscoveryResponse;
import dev.culvert.protos.discovery.Resource;
import dev.culvert.protos.waypoint.GatewayConfig;
import dev.culvert.protos.waypoint.Header;
import dev.culvert.protos.waypoint.HeaderOperations;
import dev.culvert.protos.waypoint.Policy;
import dev.culvert.protos.waypoint.Protocol;
import dev.culvert.waypoint.edge.EdgeListener;
import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;
import org.bouncycastle.asn1.x509.GeneralName;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Clients from outside of the mesh, through a gateway's own listeners.
class EdgeTest {
    private static final String FORWARD =
            "forward {backends {weight: 1 namespace: 'quay' hostname: '" + Harbour.BERTH.hostname() + "' port: 80}}";

    private Harbour harbour;
    private HttpServer http;
    private EdgeListener edge;
    private int plain;
    private int secure;
    private int version;

    @BeforeEach
    void start() throws Exception {
        harbour = new Harbour();
        http = HttpServer.create(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0), 64);
        http.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        http.createContext("/", exchange -> {
            try (exchange) {
                for (var name : List.of("x-forwarded-for", "x-forwarded-proto", "x-forwarded-client-cert")) {
                    var value = exchange.getRequestHeaders().getFirst(name);
                    exchange.getResponseHeaders().set("saw-" + name, value == null ? "none" : value);
                }
                exchange.getRequestBody().readAllBytes();
                exchange.sendResponseHeaders(200, -1);
            }
        });
        http.start();
        harbour.endpoints(http.getAddress().getPort());
        plain = free();
        secure = free();
        open(Duration.ofSeconds(30));
    }

    private void open(Duration idle) {
        var limits = new HttpLimits(16 * 1024, 100, 64 * 1024, idle, Duration.ofSeconds(2));
        edge = new EdgeListener(
                harbour.serving.with(limits),
                harbour.workers,
                harbour.configs,
                harbour.loops,
                new EdgeListener.Bounds(100, Duration.ofSeconds(2)));
    }

    @AfterEach
    void stop() {
        edge.close();
        http.stop(0);
        harbour.close();
    }

    private static int free() throws IOException {
        try (var socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }

    private static String host(String name, String routes) {
        return "hosts {host: '" + name + "' " + routes + "} ";
    }

    private static String route(String name, String action) {
        return "routes {name: '" + name + "' " + action + "} ";
    }

    private static GatewayConfig.Builder parse(String ports) throws Exception {
        return TextFormat.parse("namespace: 'quay' name: 'pier' " + ports, GatewayConfig.class).toBuilder();
    }

    private GatewayConfig.Builder onPlain(String listeners) throws Exception {
        return parse("ports {number: " + plain + " " + listeners + "}");
    }

    /// What the controller says.
    private void configure(GatewayConfig.Builder config) {
        var refused = edge.configs()
                .apply(DeltaDiscoveryResponse.newBuilder()
                        .addResources(Resource.newBuilder()
                                .setName("quay/pier-istio/listeners")
                                .setVersion(Integer.toString(++version))
                                .setResource(
                                        Any.newBuilder().setValue(config.build().toByteString())))
                        .build());
        assertThat(refused).isEmpty();
    }

    // ---- clients ----

    private static String say(Socket socket, String text) throws IOException {
        socket.getOutputStream().write(text.getBytes(StandardCharsets.ISO_8859_1));
        socket.getOutputStream().flush();
        return head(socket.getInputStream());
    }

    private static String head(InputStream in) throws IOException {
        var text = new StringBuilder();
        for (var next = in.read(); next >= 0; next = in.read()) {
            text.append((char) next);
            if (text.toString().endsWith("\r\n\r\n")) {
                return text.toString();
            }
        }
        return text.toString();
    }

    private String get(String host, String path, String headers) throws IOException {
        try (var socket = new Socket(InetAddress.getLoopbackAddress(), plain)) {
            var answer = say(
                    socket,
                    "GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n" + headers + "\r\n");
            socket.getInputStream().readAllBytes(); // the end comes when everything is counted
            return answer;
        }
    }

    private static SSLContext trusting() throws Exception {
        var context = SSLContext.getInstance("TLS");
        context.init(null, new TrustManager[] {new Anybody()}, null);
        return context;
    }

    private SSLSocket tls(String name) throws Exception {
        var socket = (SSLSocket) trusting().getSocketFactory().createSocket(InetAddress.getLoopbackAddress(), secure);
        var parameters = socket.getSSLParameters();
        parameters.setServerNames(name.isEmpty() ? List.of() : List.of(new SNIHostName(name)));
        socket.setSSLParameters(parameters);
        socket.startHandshake();
        return socket;
    }

    private static X509Certificate shown(SSLSocket socket) throws SSLException {
        return (X509Certificate) socket.getSession().getPeerCertificates()[0];
    }

    private String secured(String name, String host) throws Exception {
        try (var socket = tls(name)) {
            return say(socket, request(host));
        }
    }

    private static String request(String host) {
        return "GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n";
    }

    // ---- hosts and routes ----

    @Test
    void theMostSpecificHostCountsAndOthersAreNotFound() throws Exception {
        configure(onPlain("listeners {name: 'web' hostname: '*.quay.example' "
                + host(
                        "a.quay.example",
                        route("exact", "matches {path {segments: '/a'}} direct_response {status: 201}"))
                + host("*.quay.example", route("wild", "direct_response {status: 202}")) + "}"));
        assertThat(get("a.quay.example", "/a", "")).startsWith("HTTP/1.1 201");
        assertThat(get("A.quay.EXAMPLE:80", "/a", "")).startsWith("HTTP/1.1 201");
        assertThat(get("a.quay.example", "/b", "")).startsWith("HTTP/1.1 404");
        assertThat(get("b.c.quay.example", "/b", "")).startsWith("HTTP/1.1 202");
        assertThat(get("quay.example", "/a", "")).startsWith("HTTP/1.1 404");
        assertThat(get("elsewhere.example", "/a", "")).startsWith("HTTP/1.1 404");
    }

    @Test
    void aRequestIsOfTheMostSpecificListenerOnly() throws Exception {
        configure(onPlain("listeners {name: 'all' " + host("", route("any", "direct_response {status: 201}")) + "} "
                + "listeners {name: 'one' hostname: 'a.example' "
                + host("a.example", route("one", "matches {path {exact: '/a'}} direct_response {status: 202}")) + "}"));
        assertThat(get("a.example", "/a", "")).startsWith("HTTP/1.1 202");
        assertThat(get("a.example", "/b", "")).startsWith("HTTP/1.1 404");
        assertThat(get("b.example", "/b", "")).startsWith("HTTP/1.1 201");
    }

    @Test
    void aRequestIsForwardedWithTheAddressOfItsSocketOnly() throws Exception {
        configure(onPlain("listeners {name: 'web' " + host("", route("r", FORWARD)) + "}"));
        var answer = get("a.example", "/", "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Client-Cert: URI=spiffe://a\r\n");
        assertThat(answer)
                .startsWith("HTTP/1.1 200")
                .containsIgnoringCase("saw-x-forwarded-for: 127.0.0.1")
                .containsIgnoringCase("saw-x-forwarded-proto: http\r")
                .containsIgnoringCase("saw-x-forwarded-client-cert: none");
        assertThat(harbour.registry
                        .get("istio_requests")
                        .tag("destination_service", Harbour.BERTH.hostname())
                        .tag("source_principal", "unknown")
                        .tag("connection_security_policy", "none")
                        .counter()
                        .count())
                .isEqualTo(1);
    }

    @Test
    void plainRequestsAreSentToHttps() throws Exception {
        configure(onPlain("listeners {name: 'web' "
                + host("", route("r", "redirect {scheme: 'https' status: 301 port_from: SCHEME}")) + "}"));
        assertThat(get("a.example", "/x?y=1", ""))
                .startsWith("HTTP/1.1 301")
                .containsIgnoringCase("location: https://a.example/x?y=1\r");
    }

    // ---- policy ----

    /// `ipBlocks` are the connection's, `remoteIpBlocks` the client's, however often the headers are set anew.
    @Test
    void theClientIsWhomTheTrustedProxyNames() throws Exception {
        var config = onPlain("listeners {name: 'web' " + host("", route("r", FORWARD)) + "}")
                .setTrustedProxies(1)
                .addPolicies(policy("action: DENY rules {from {attributes {kind: REMOTE_IP blocks: '192.0.2.0/24'}}}"))
                .addPolicies(
                        policy("action: DENY rules {from {attributes {kind: SOURCE_IP not_blocks: '127.0.0.1'}}}"));
        configure(config);
        assertThat(get("a", "/", "X-Forwarded-For: 192.0.2.1\r\n")).startsWith("HTTP/1.1 403");
        assertThat(get("a", "/", ""))
                .startsWith("HTTP/1.1 200")
                .containsIgnoringCase("saw-x-forwarded-for: 127.0.0.1\r");
        assertThat(get("a", "/", "X-Forwarded-For: 192.0.2.1, 203.0.113.7\r\nX-Forwarded-Proto: https\r\n"))
                .startsWith("HTTP/1.1 200")
                .containsIgnoringCase("saw-x-forwarded-for: 203.0.113.7, 127.0.0.1\r")
                .containsIgnoringCase("saw-x-forwarded-proto: https\r");
    }

    @Test
    void aPolicySeesTheAddressAndNoIdentity() throws Exception {
        var config = onPlain("listeners {name: 'web' " + host("", route("r", "direct_response {status: 200}")) + "}");
        configure(config.clone());
        assertThat(get("a", "/", "")).startsWith("HTTP/1.1 200");
        configure(config.clone()
                .addPolicies(policy("action: DENY rules {from {attributes {kind: REMOTE_IP blocks: '127.0.0.0/8'}}}")));
        assertThat(get("a", "/", "X-Forwarded-For: 192.0.2.1\r\n")).startsWith("HTTP/1.1 403");
        configure(config.clone()
                .addPolicies(policy("rules {from {attributes {kind: PRINCIPAL values {present: true}}}}")));
        assertThat(get("a", "/", "")).startsWith("HTTP/1.1 403");
        configure(
                config.clone()
                        .addPolicies(
                                policy(
                                        "action: DENY rules {from {attributes {kind: PRINCIPAL not_values {exact: 'cluster.local/ns/a/sa/b'}}}}")));
        assertThat(get("a", "/", "")).startsWith("HTTP/1.1 403");
    }

    private static Policy policy(String text) throws Exception {
        return TextFormat.parse("name: 'p' namespace: 'quay' " + text, Policy.class);
    }

    // ---- certificates ----

    private GatewayConfig.Builder twoNames(Certificates a, Certificates b) throws Exception {
        var config = parse("ports {number: " + secure + " tls: true "
                + "listeners {name: 'a' hostname: 'a.example' " + host("a.example", route("r", FORWARD)) + "} "
                + "listeners {name: 'b' hostname: '*.b.example' " + host("*.b.example", route("r", FORWARD)) + "}}");
        var port = config.getPortsBuilder(0);
        port.getListenersBuilder(0).addCertificates(a.sent());
        port.getListenersBuilder(1).addCertificates(b.sent());
        return config;
    }

    @Test
    void theNameAskedForChoosesTheCertificate() throws Exception {
        var a = Certificates.of("a.example");
        var b = Certificates.of("*.b.example");
        configure(twoNames(a, b));
        try (var socket = tls("a.example")) {
            assertThat(shown(socket)).isEqualTo(a.certificate());
            assertThat(say(socket, request("a.example")))
                    .startsWith("HTTP/1.1 200")
                    .containsIgnoringCase("saw-x-forwarded-proto: https\r");
        }
        try (var socket = tls("x.B.example")) {
            assertThat(shown(socket)).isEqualTo(b.certificate());
        }
        assertThatThrownBy(() -> tls("c.example")).isInstanceOf(SSLException.class);
        assertThatThrownBy(() -> tls("")).isInstanceOf(SSLException.class);
    }

    /// The JDK does not read all names that people write into certificates, such as a URI without a scheme.
    @ParameterizedTest
    @CsvSource({"2, *", "2, -a", "2, a..b", "6, *", "1, nobody"})
    void aCertificateWithAnOddNameIsShown(int kind, String name) throws Exception {
        var odd = Certificates.of("odd", new GeneralName(kind, name));
        configure(twoNames(odd, Certificates.of("*.b.example")));
        try (var socket = tls("a.example")) {
            assertThat(shown(socket)).isEqualTo(odd.certificate());
        }
    }

    @Test
    void aHostOfAnotherCertificateIsMisdirected() throws Exception {
        configure(twoNames(Certificates.of("a.example"), Certificates.of("*.b.example")));
        assertThat(secured("a.example", "x.b.example")).startsWith("HTTP/1.1 421");
        assertThat(secured("a.example", "nobody.example")).startsWith("HTTP/1.1 404");
        assertThat(secured("a.example", "a.example")).startsWith("HTTP/1.1 200");
    }

    @Test
    void aCertificateIsReplacedAndNoConnectionEnds() throws Exception {
        var old = Certificates.of("a.example");
        var next = Certificates.of("a.example");
        var other = Certificates.of("*.b.example");
        configure(twoNames(old, other));
        try (var before = tls("a.example")) {
            assertThat(say(before, request("a.example"))).startsWith("HTTP/1.1 200");
            configure(twoNames(next, other));
            assertThat(say(before, request("a.example"))).startsWith("HTTP/1.1 200");
            assertThat(shown(before)).isEqualTo(old.certificate());
            try (var after = tls("a.example")) {
                assertThat(shown(after)).isEqualTo(next.certificate());
                assertThat(say(after, request("a.example"))).startsWith("HTTP/1.1 200");
            }
        }
    }

    @Test
    void http2IsAgreedUponInTls() throws Exception {
        var local = Certificates.of("localhost");
        var config = parse("ports {number: " + secure + " tls: true listeners {name: 'a' hostname: 'localhost' "
                + host("localhost", route("r", FORWARD)) + "}}");
        config.getPortsBuilder(0).getListenersBuilder(0).addCertificates(local.sent());
        configure(config);
        try (var client = HttpClient.newBuilder().sslContext(trusting()).build()) {
            for (var i = 0; i < 50; i++) {
                var answer = client.send(
                        HttpRequest.newBuilder(URI.create("https://localhost:" + secure + "/" + i))
                                .POST(HttpRequest.BodyPublishers.ofString("a".repeat(i * 1000)))
                                .build(),
                        HttpResponse.BodyHandlers.discarding());
                assertThat(answer.version()).isEqualTo(HttpClient.Version.HTTP_2);
                assertThat(answer.statusCode()).isEqualTo(200);
            }
        }
    }

    @Test
    void aKeyIsNotShown() throws Exception {
        var a = Certificates.of("a.example");
        configure(twoNames(a, Certificates.of("*.b.example")));
        var shown = edge.configs().shown().orElseThrow();
        assertThat(shown.toByteString().toString(StandardCharsets.ISO_8859_1))
                .contains("a.example")
                .doesNotContain(a.sent().getPrivateKey().toString(StandardCharsets.ISO_8859_1));
    }

    @Test
    void aCertificateThatCannotBeUsedIsRefusedAndTheOldOneStays() throws Exception {
        var a = Certificates.of("a.example");
        var b = Certificates.of("*.b.example");
        configure(twoNames(a, b));
        var bad = twoNames(a, b);
        bad.getPortsBuilder(0)
                .getListenersBuilder(0)
                .setCertificates(0, a.sent().toBuilder().setPrivateKey(b.sent().getPrivateKey()));
        var refused = edge.configs()
                .apply(DeltaDiscoveryResponse.newBuilder()
                        .addResources(Resource.newBuilder()
                                .setName("n")
                                .setResource(
                                        Any.newBuilder().setValue(bad.build().toByteString())))
                        .build());
        assertThat(refused).containsKey("n");
        try (var socket = tls("a.example")) {
            assertThat(say(socket, request("a.example"))).startsWith("HTTP/1.1 200");
        }
    }

    // ---- through waypoints ----

    private static final String THROUGH =
            "forward {backends {weight: 1 through_waypoint: true namespace: 'quay' hostname: '"
                    + Harbour.BERTH.hostname() + "' port: 80}}";

    @Test
    void aServiceIsReachedThroughItsWaypoint() throws Exception {
        harbour.waypointOfBerth(http.getAddress().getPort());
        harbour.configure(Harbour.config(Protocol.HTTP1, "")
                .setPorts(
                        0,
                        Harbour.config(Protocol.HTTP1, "").getPorts(0).toBuilder()
                                .setRoutes(
                                        0,
                                        Harbour.config(Protocol.HTTP1, "").getPorts(0).getRoutes(0).toBuilder()
                                                .setResponseHeaders(HeaderOperations.newBuilder()
                                                        .addSet(Header.newBuilder()
                                                                .setName("by-waypoint")
                                                                .setValue("yes")))))
                .addPolicies(policy(
                        "rules {from {attributes {kind: PRINCIPAL values {exact: 'cluster.local/ns/quay/sa/w'}}}}")));
        configure(onPlain("listeners {name: 'web' " + host("through.example", route("t", THROUGH))
                + host("past.example", route("p", FORWARD)) + "}"));
        assertThat(get("through.example", "/", ""))
                .startsWith("HTTP/1.1 200")
                .containsIgnoringCase("by-waypoint: yes")
                .containsIgnoringCase("URI=spiffe://cluster.local/ns/quay/sa/w");
        assertThat(get("past.example", "/", "")).startsWith("HTTP/1.1 200").doesNotContain("by-waypoint");
    }

    @Test
    void withoutItsWaypointAServiceIsNotReached() throws Exception {
        configure(onPlain("listeners {name: 'web' " + host("", route("t", THROUGH)) + "}"));
        assertThat(get("a.example", "/", "")).startsWith("HTTP/1.1 503");
    }

    // ---- clients' certificates ----

    private static Certificates client(String uri) throws Exception {
        return Certificates.of("client", new GeneralName(GeneralName.uniformResourceIdentifier, uri));
    }

    /// @param validation what is said of clients beside their authority
    private void askClients(Certificates authority, String validation) throws Exception {
        var config =
                parse("ports {number: " + secure + " tls: true listeners {name: 'a' hostname: 'a.example' clients {"
                        + validation + "} " + host("a.example", route("r", FORWARD)) + "}}");
        var listener = config.getPortsBuilder(0).getListenersBuilder(0);
        listener.addCertificates(Certificates.of("a.example").sent());
        listener.getClientsBuilder()
                .addAuthorities(ByteString.copyFrom(authority.certificate().getEncoded()));
        configure(config);
    }

    /// The answer to a request; empty if there is none.
    private String asked(@Nullable Certificates shown, String headers) throws Exception {
        var context = SSLContext.getInstance("TLS");
        context.init(shown == null ? null : shown.keys(), new TrustManager[] {new Anybody()}, null);
        try (var socket =
                (SSLSocket) context.getSocketFactory().createSocket(InetAddress.getLoopbackAddress(), secure)) {
            var parameters = socket.getSSLParameters();
            parameters.setServerNames(List.of(new SNIHostName("a.example")));
            socket.setSSLParameters(parameters);
            return say(socket, "GET / HTTP/1.1\r\nHost: a.example\r\n" + headers + "\r\n");
        } catch (SSLException | SocketException refused) {
            return "";
        }
    }

    @Test
    void upstreamsAreToldOfTheCertificateThatAClientHasShown() throws Exception {
        var known = client("spiffe://a/b;URI=c");
        askClients(known, "");
        var hash = HexFormat.of()
                .formatHex(MessageDigest.getInstance("SHA-256")
                        .digest(known.certificate().getEncoded()));
        assertThat(asked(known, "X-Forwarded-Client-Cert: URI=spiffe://forged\r\n"))
                .startsWith("HTTP/1.1 200")
                .containsIgnoringCase("saw-x-forwarded-client-cert: Hash=" + hash
                        + ";Subject=\"CN=client\";URI=\"spiffe://a/b;URI=c\"\r");
        assertThat(asked(null, "")).isEmpty();
        assertThat(asked(client("spiffe://a/b;URI=c"), "")).isEmpty();
    }

    @Test
    void aCertificateMayBeLeftOutButNotBeAnothers() throws Exception {
        var known = client("spiffe://a/b");
        askClients(known, "optional: true");
        assertThat(asked(null, "X-Forwarded-Client-Cert: URI=spiffe://forged\r\n"))
                .startsWith("HTTP/1.1 200")
                .containsIgnoringCase("saw-x-forwarded-client-cert: none");
        assertThat(asked(known, "")).containsIgnoringCase("URI=spiffe://a/b\r");
        assertThat(asked(client("spiffe://a/b"), "")).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"spiffe://a/b, true", "spiffe://a/c, false"})
    void aCertificateHasOneOfTheNames(String name, boolean enters) throws Exception {
        var known = client("spiffe://a/b");
        askClients(known, "names: 'x' names: '" + name + "'");
        assertThat(asked(known, "").startsWith("HTTP/1.1 200")).isEqualTo(enters);
    }

    @Test
    void withoutAuthoritiesNobodyGetsIn() throws Exception {
        var known = client("spiffe://a/b");
        var config = twoNames(Certificates.of("a.example"), Certificates.of("*.b.example"));
        config.getPortsBuilder(0).getListenersBuilder(0).getClientsBuilder().setOptional(true);
        configure(config);
        assertThat(asked(known, "")).isEmpty();
        assertThat(asked(null, "")).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"'', '', true", "TLSv1.3, '', false", "'', TLSv1.2, true", "TLSv1.2, TLSv1.2, true"})
    void versionsOfTlsAreBounded(String min, String max, boolean speaksTheOlder) throws Exception {
        var config = twoNames(Certificates.of("a.example"), Certificates.of("*.b.example"));
        config.getPortsBuilder(0).getListenersBuilder(0).setMinVersion(min).setMaxVersion(max);
        configure(config);
        assertThat(speaks("TLSv1.2")).isEqualTo(speaksTheOlder);
        assertThat(speaks("TLSv1.3")).isEqualTo(max.isEmpty());
    }

    private boolean speaks(String version) throws Exception {
        try (var socket =
                (SSLSocket) trusting().getSocketFactory().createSocket(InetAddress.getLoopbackAddress(), secure)) {
            var parameters = socket.getSSLParameters();
            parameters.setServerNames(List.of(new SNIHostName("a.example")));
            parameters.setProtocols(new String[] {version});
            socket.setSSLParameters(parameters);
            return say(socket, request("a.example")).startsWith("HTTP/1.1 200");
        } catch (SSLException refused) {
            return false;
        }
    }

    // ---- bytes ----

    private static final String BERTH =
            "backends {weight: 1 namespace: 'quay' hostname: '" + Harbour.BERTH.hostname() + "' port: 80}";

    /// Says hello first, then says again what it hears until there is no more, then goodbye.
    private static void converse(Socket socket) throws IOException {
        socket.getOutputStream().write("hello ".getBytes(StandardCharsets.ISO_8859_1));
        socket.getInputStream().transferTo(socket.getOutputStream());
        socket.getOutputStream().write(" goodbye".getBytes(StandardCharsets.ISO_8859_1));
    }

    /// @return all that is heard when `text` was said and nothing more will be
    private static String converse(Socket socket, String text) throws IOException {
        var saying = Thread.ofVirtual().start(() -> {
            try {
                socket.getOutputStream().write(text.getBytes(StandardCharsets.ISO_8859_1));
                socket.shutdownOutput();
            } catch (IOException ended) {
                // what is heard is judged
            }
        });
        var heard = new String(socket.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
        saying.interrupt(); // whoever hears an end may not have heard all
        return heard;
    }

    private static final String LONG = "0123456789abcdef".repeat(50_000);

    @Test
    void bytesArePassedOnAsTheyCome() throws Exception {
        try (var server = new RawServer(EdgeTest::converse)) {
            harbour.endpoints(server.port());
            configure(parse("ports {number: " + plain + " bytes {" + BERTH + "}}"));
            try (var socket = new Socket(InetAddress.getLoopbackAddress(), plain)) {
                assertThat(converse(socket, LONG)).isEqualTo("hello " + LONG + " goodbye");
            }
        }
        harbour.loops.forEach(loop -> loop.submit(() -> {}).awaitUninterruptibly()); // where it is counted
        assertThat(harbour.registry
                        .get("istio_tcp_connections_opened")
                        .tag("destination_service", Harbour.BERTH.hostname())
                        .tag("source_principal", "unknown")
                        .counter()
                        .count())
                .isEqualTo(1);
    }

    private static final int MORE_THAN_BUFFERS_HOLD = 30 << 20;

    /// @param serverSpeaks whether the client has ended and the server goes on, or the other way round
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void muchMayStillComeAfterAFin(boolean serverSpeaks) throws Exception {
        var written = new AtomicLong();
        var heard = new CompletableFuture<Integer>();
        try (var server = new RawServer(socket -> {
            if (serverSpeaks) {
                socket.getInputStream().readAllBytes();
                sayMuch(socket, written);
            } else {
                socket.shutdownOutput();
                heard.complete(listenLate(socket, written));
            }
        })) {
            harbour.endpoints(server.port());
            configure(parse("ports {number: " + plain + " bytes {" + BERTH + "}}"));
            try (var socket = new Socket(InetAddress.getLoopbackAddress(), plain)) {
                if (serverSpeaks) {
                    socket.shutdownOutput();
                    heard.complete(listenLate(socket, written));
                } else {
                    assertThat(socket.getInputStream().read()).isEqualTo(-1);
                    sayMuch(socket, written);
                }
                assertThat(heard.get(60, TimeUnit.SECONDS)).isEqualTo(MORE_THAN_BUFFERS_HOLD);
            }
        }
    }

    private static void sayMuch(Socket socket, AtomicLong written) throws IOException {
        var block = new byte[1 << 16];
        for (var left = MORE_THAN_BUFFERS_HOLD; left > 0; left -= block.length) {
            socket.getOutputStream().write(block);
            written.addAndGet(block.length);
        }
        socket.shutdownOutput();
    }

    /// Begins to read when the writer has been stopped.
    private static int listenLate(Socket socket, AtomicLong written) throws IOException {
        for (var before = -1L; before != written.get() || before == 0; pause()) {
            before = written.get();
        }
        assertThat(written.get()).isLessThan(MORE_THAN_BUFFERS_HOLD);
        return socket.getInputStream().readAllBytes().length;
    }

    private static void pause() {
        try {
            Thread.sleep(300);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "bytes {} | ",
                "bytes {backends {weight: 1 broken_status: 500}} | ",
                "bytes {BERTH} | action: DENY rules {from {attributes {kind: REMOTE_IP blocks: '127.0.0.0/8'}}}",
                "bytes {BERTH} | rules {from {attributes {kind: PRINCIPAL values {present: true}}}}"
            })
    void bytesThatNobodyTakesOrAPolicyRefusesEndAtOnce(String port, String refused) throws Exception {
        try (var server = new RawServer(EdgeTest::converse)) {
            harbour.endpoints(server.port());
            var config = parse("ports {number: " + plain + " " + port.replace("BERTH", BERTH) + "}");
            if (refused != null) {
                config.addPolicies(policy(refused));
            }
            configure(config);
            try (var socket = new Socket(InetAddress.getLoopbackAddress(), plain)) {
                assertThatThrownBy(() -> {
                            assertThat(socket.getInputStream().read()).isEqualTo(-1);
                            throw new SocketException("ended in order");
                        })
                        .isInstanceOf(SocketException.class);
            }
        }
    }

    /// Of two names of one port: TLS of `a.example` is ended here and HTTP is inside, that of `*.b.example` is not.
    private GatewayConfig.Builder oneEndsHere(Certificates a) throws Exception {
        var config = parse("ports {number: " + secure + " tls: true "
                + "listeners {name: 'a' hostname: 'a.example' "
                + host("a.example", route("r", "direct_response {status: 204}")) + "} "
                + "listeners {name: 'b' hostname: '*.b.example' content: TLS "
                + "byte_hosts {host: 'x.b.example' forward {" + BERTH + "}}}}");
        config.getPortsBuilder(0).getListenersBuilder(0).addCertificates(a.sent());
        return config;
    }

    @Test
    void theNameAskedForChoosesWhoEndsTls() throws Exception {
        var a = Certificates.of("a.example");
        var behind = Certificates.of("x.b.example");
        try (var server = new RawServer(socket -> converse(behind.serve(socket)))) {
            harbour.endpoints(server.port());
            configure(oneEndsHere(a));
            try (var socket = tls("X.b.example")) {
                assertThat(shown(socket)).isEqualTo(behind.certificate());
                assertThat(converse(socket, LONG)).isEqualTo("hello " + LONG + " goodbye");
            }
            assertThat(secured("a.example", "a.example")).startsWith("HTTP/1.1 204");
            for (var nobody : List.of("y.b.example", "c.example", "")) {
                assertThatThrownBy(() -> tls(nobody)).isInstanceOf(SSLException.class);
            }
        }
    }

    @Test
    void whatIsInsideOfTlsIsPassedOn() throws Exception {
        var a = Certificates.of("a.example");
        var config = parse("ports {number: " + secure + " tls: true "
                + "listeners {name: 'a' hostname: 'a.example' content: BYTES_IN_TLS byte_hosts {host: 'a.example' forward {"
                + BERTH + "}}}}");
        config.getPortsBuilder(0).getListenersBuilder(0).addCertificates(a.sent());
        var ended = new CountDownLatch(1);
        try (var server = new RawServer(socket -> {
            converse(socket);
            ended.countDown();
        })) {
            harbour.endpoints(server.port());
            configure(config);
            try (var socket = tls("a.example")) {
                assertThat(shown(socket)).isEqualTo(a.certificate());
                var saying = Thread.ofVirtual().start(() -> {
                    try {
                        socket.getOutputStream().write(LONG.getBytes(StandardCharsets.ISO_8859_1));
                    } catch (IOException cut) {
                        // what is heard is judged
                    }
                });
                var heard = socket.getInputStream().readNBytes("hello ".length() + LONG.length());
                assertThat(new String(heard, StandardCharsets.ISO_8859_1)).isEqualTo("hello " + LONG);
                saying.join();
            }
            ended.await();
        }
    }

    @Test
    void whoNeverSaysWhomItWantsIsCutOff() throws Exception {
        configure(oneEndsHere(Certificates.of("a.example")));
        for (var begun : List.of(
                "",
                "\26\3\1\77\377" + "\1\0\77\373" + "\3".repeat(1000),
                "\26\3\1\77\377\1\1\0\0" + "\3".repeat(70_000))) {
            try (var socket = new Socket(InetAddress.getLoopbackAddress(), secure)) {
                var heard = converse(socket, begun);
                assertThat(heard).doesNotContain("hello");
            } catch (SocketException cut) {
                assertThat(cut).isNotNull();
            }
        }
    }

    // ---- ports and limits ----

    @Test
    void aPortIsListenedToAsLongAsItIsSaid() throws Exception {
        configure(onPlain("listeners {name: 'web' " + host("", route("r", FORWARD)) + "}"));
        try (var open = new Socket(InetAddress.getLoopbackAddress(), plain)) {
            assertThat(say(open, request("a"))).startsWith("HTTP/1.1 200");
            configure(parse(""));
            assertThat(say(open, request("a"))).startsWith("HTTP/1.1 404");
            while (true) {
                try (var refused = new Socket(InetAddress.getLoopbackAddress(), plain)) {
                    assertThat(refused.isConnected()).isTrue();
                } catch (ConnectException _) {
                    break;
                }
            }
        }
    }

    @Test
    void whoNeverEndsAHeaderIsCutOff() throws Exception {
        edge.close();
        open(Duration.ofMillis(300));
        configure(onPlain("listeners {name: 'web' " + host("", route("r", "direct_response {status: 200}")) + "}"));
        for (var begun : List.of(
                "",
                "GET / HT",
                "GET / HTTP/1.1\r\nHost: a\r\nX: ",
                "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0")) {
            try (var socket = new Socket(InetAddress.getLoopbackAddress(), plain)) {
                socket.getOutputStream().write(begun.getBytes(StandardCharsets.ISO_8859_1));
                socket.getInputStream().readAllBytes(); // ends
            }
        }
    }

    @Test
    void whoNeverEndsAHandshakeIsCutOff() throws Exception {
        configure(twoNames(Certificates.of("a.example"), Certificates.of("*.b.example")));
        for (var begun : List.of("", "\26\3\1\2\0\1\0", "GET / HTTP/1.1\r\n\r\n")) {
            try (var socket = new Socket(InetAddress.getLoopbackAddress(), secure)) {
                socket.getOutputStream().write(begun.getBytes(StandardCharsets.ISO_8859_1));
                assertThat(new String(socket.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1))
                        .doesNotContain("HTTP/");
            }
        }
    }

    /// The tests look at certificates themselves.
    private static final class Anybody implements X509TrustManager {
        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type) {
            assertThat(chain).isNotEmpty();
        }

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }
}
