package dev.culvert.istiod;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.culvert.istiod.ambient.TranslationSettings;
import dev.culvert.istiod.ambient.Translator;
import dev.culvert.istiod.ca.Caller;
import dev.culvert.istiod.grpc.GrpcMesh;
import dev.culvert.istiod.xds.XdsServer;
import dev.culvert.kube.object.ObjectSet;
import dev.culvert.kube.read.YamlReader;
import dev.culvert.mesh.model.identity.SpiffeId;
import dev.culvert.protos.discovery.AggregatedDiscoveryServiceGrpc;
import dev.culvert.protos.discovery.DiscoveryRequest;
import dev.culvert.protos.discovery.DiscoveryResponse;
import dev.culvert.protos.discovery.Node;
import dev.culvert.protos.envoy.Locality;
import io.grpc.Channel;
import io.grpc.ChannelCredentials;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.InsecureServerCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.StatusRuntimeException;
import io.grpc.TlsChannelCredentials;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.StreamObserver;
import io.grpc.xds.XdsChannelCredentials;
import io.grpc.xds.XdsServerBuilder;
import io.grpc.xds.XdsServerCredentials;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// grpc-java's own xDS client against the control plane, over TLS, with servers on loopback.
@Timeout(120)
class ProxylessGrpcTest {
    private static final String SIGNALS = """
            apiVersion: v1
            kind: Service
            metadata: {name: signals, namespace: quay}
            spec: {clusterIP: 198.19.0.1, selector: {app: signals}, ports: [{name: grpc, port: 50061}]}
            """;

    @TempDir
    private Path directory;

    private final XdsServer xds = new XdsServer();
    private final List<AutoCloseable> open = new ArrayList<>();
    private RunningServer server;
    private GrpcMesh mesh = GrpcMesh.EMPTY;

    @BeforeEach
    void start() throws Exception {
        server = new RunningServer(directory, xds, (_, _, _) -> false, 0);
    }

    @AfterEach
    void stop() throws Exception {
        for (var one : open.reversed()) {
            one.close();
        }
        server.close();
    }

    private <C extends AutoCloseable> C closing(C one) {
        open.add(one);
        return one;
    }

    private void apply(String... yaml) {
        var read = YamlReader.read(Path.of("quay.yaml"), String.join("---\n", yaml));
        assertThat(read.problems()).filteredOn(problem -> problem.isError()).isEmpty();
        var objects = ObjectSet.of(read.objects(), read.problems());
        var settings = TranslationSettings.defaults();
        mesh = new GrpcMesh(objects, Translator.translate(objects, settings), settings);
        xds.publish(mesh);
    }

    private static String pod(String name, String address, String more) {
        return """
                apiVersion: v1
                kind: Pod
                metadata: {name: %s, namespace: quay, labels: {app: signals, release: %s}}
                spec: {nodeName: n-%s, serviceAccountName: signals, containers: [{name: a}]}
                status:
                  podIPs: [{ip: %s}]
                  conditions: [{type: Ready, status: "%s"}]
                """.formatted(name, name, name, address, more.isEmpty() ? "True" : more);
    }

    private Greeter greeter(String name, String address) throws Exception {
        return closing(new Greeter(name, address));
    }

    private ManagedChannel dial(String target) throws Exception {
        return closing(new XdsDialler(server, new Caller("quay", "portal", "portal-0", "", "n-a"), Map.of()))
                .dial(target);
    }

    private static String hoist(Channel channel, String... header) {
        return Greeter.call(channel, "Hoist", "", header);
    }

    /// Calls until these, and only these, have answered since.
    private static void awaitOnly(Channel channel, Set<String> names) throws InterruptedException {
        var seen = Set.<String>of();
        while (!seen.equals(names)) {
            var now = new HashSet<String>();
            for (var i = 0; i < 20; i++) {
                now.add(hoist(channel));
            }
            seen = now;
            TimeUnit.MILLISECONDS.sleep(10);
        }
    }

    private static Map<String, Integer> counts(Channel channel, int calls) {
        var counts = new TreeMap<String, Integer>();
        for (var i = 0; i < calls; i++) {
            counts.merge(hoist(channel), 1, Integer::sum);
        }
        return counts;
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "signals:50061",
                "signals.quay:50061",
                "signals.quay.svc:50061",
                "signals.quay.svc.cluster.local:50061"
            })
    void everyNameOfTheServiceIsKnown(String target) throws Exception {
        greeter("r7", "127.0.8.7");
        apply(SIGNALS, pod("r7", "127.0.8.7", ""));
        assertThat(hoist(dial(target))).isEqualTo("r7");
    }

    @Test
    void aShortNameIsOneOfTheClientsNamespace() throws Exception {
        greeter("r7", "127.0.8.7");
        apply(SIGNALS, pod("r7", "127.0.8.7", ""));
        var elsewhere = closing(new XdsDialler(server, new Caller("pay", "till", "till-0", "", ""), Map.of()));
        assertThat(hoist(elsewhere.dial("signals.quay:50061"))).isEqualTo("r7");
        var till = mesh.viewer("pay", "till-0", Locality.getDefaultInstance());
        assertThat(mesh.resource(GrpcMesh.LISTENER, "signals:50061", till)).isEmpty();
        assertThat(mesh.resource(GrpcMesh.LISTENER, "signals.quay:50061", till)).isPresent();
    }

    @Test
    void callsAreSpreadOverReadyEndpointsAndFollowThem() throws Exception {
        greeter("a", "127.0.8.97");
        var b = greeter("b", "127.0.8.98");
        var c = greeter("c", "127.0.8.99");
        apply(SIGNALS, pod("a", "127.0.8.97", ""), pod("b", "127.0.8.98", ""), pod("c", "127.0.8.99", "False"));
        var channel = dial("signals:50061");
        awaitOnly(channel, Set.of("a", "b"));
        apply(SIGNALS, pod("b", "127.0.8.98", ""), pod("c", "127.0.8.99", ""));
        awaitOnly(channel, Set.of("b", "c"));
        // With no endpoints left a client keeps the connections that it has.
        apply(SIGNALS);
        b.close();
        c.close();
        assertThatThrownBy(() -> hoist(channel)).hasMessageContaining("UNAVAILABLE");
        apply(SIGNALS, pod("a", "127.0.8.97", ""));
        awaitOnlyAfterFailures(channel, Set.of("a"));
    }

    private static void awaitOnlyAfterFailures(Channel channel, Set<String> names) throws InterruptedException {
        while (true) {
            try {
                awaitOnly(channel, names);
                return;
            } catch (StatusRuntimeException notYet) {
                TimeUnit.MILLISECONDS.sleep(10);
            }
        }
    }

    private static final String SUBSETS = """
            apiVersion: networking.istio.io/v1
            kind: DestinationRule
            metadata: {name: signals, namespace: quay}
            spec: {host: signals, subsets: [{name: r7, labels: {release: r7}}, {name: r8, labels: {release: r8}}]}
            """;

    private static String routed(String http) {
        return """
                apiVersion: networking.istio.io/v1
                kind: VirtualService
                metadata: {name: signals, namespace: quay}
                spec:
                  hosts: [signals.quay.svc.cluster.local]
                  http:
                """ + http.indent(2);
    }

    private void applyRouted(String http) throws Exception {
        greeter("r7", "127.0.8.7");
        greeter("r8", "127.0.8.8");
        apply(SIGNALS, pod("r7", "127.0.8.7", ""), pod("r8", "127.0.8.8", ""), SUBSETS, routed(http));
    }

    /// As 001-09 of the corpus.
    @Test
    void metadataChoosesTheRevision() throws Exception {
        applyRouted("""
                - match: [{headers: {x-release: {exact: r8}}}]
                  route: [{destination: {host: signals, subset: r8}}]
                - match: [{withoutHeaders: {x-release: {exact: r7}}, headers: {x-old: {}}}]
                  route: [{destination: {host: signals, subset: r8}}]
                - route: [{destination: {host: signals, subset: r7}}]
                """);
        var channel = dial("signals:50061");
        assertThat(hoist(channel, "x-release", "r8")).isEqualTo("r8");
        assertThat(hoist(channel, "x-release", "r88")).isEqualTo("r7");
        assertThat(hoist(channel)).isEqualTo("r7");
        assertThat(hoist(channel, "x-old", "1")).isEqualTo("r8");
        assertThat(hoist(channel, "x-old", "1", "x-release", "r9")).isEqualTo("r8");
        assertThat(hoist(channel, "x-old", "1", "x-release", "r7")).isEqualTo("r7");
    }

    @Test
    void weightsAreObeyed() throws Exception {
        applyRouted("""
                - route:
                  - {destination: {host: signals, subset: r7}, weight: 90}
                  - {destination: {host: signals, subset: r8}, weight: 10}
                """);
        var channel = dial("signals:50061");
        var counts = counts(channel, 1000);
        assertThat(counts).containsOnlyKeys("r7", "r8");
        assertThat(counts.getOrDefault("r8", 0)).isBetween(40, 180);
    }

    @Test
    void methodsOfAGrpcRouteAreMatched() throws Exception {
        greeter("r7", "127.0.8.7");
        greeter("r8", "127.0.8.8");
        var ofR8 = """
                apiVersion: v1
                kind: Service
                metadata: {name: signals-r8, namespace: quay}
                spec: {clusterIP: 198.19.0.2, selector: {release: r8}, ports: [{name: grpc, port: 50061}]}
                """;
        var route = """
                apiVersion: gateway.networking.k8s.io/v1
                kind: GRPCRoute
                metadata: {name: lowering, namespace: quay}
                spec:
                  parentRefs: [{group: "", kind: Service, name: signals}]
                  rules:
                  - matches: [{method: {service: quay.Signals, method: Lower}}]
                    backendRefs: [{name: signals-r8, port: 50061}]
                """;
        apply(SIGNALS, ofR8, pod("r7", "127.0.8.7", ""), pod("r8", "127.0.8.8", ""), route);
        var channel = dial("signals:50061");
        assertThat(Greeter.call(channel, "Lower", "")).isEqualTo("r8");
        assertThatThrownBy(() -> hoist(channel)).hasMessageContaining("UNAVAILABLE");
    }

    @Test
    void timeOutsAndRetriesAreTheRoutes() throws Exception {
        var greeter = greeter("r7", "127.0.8.7");
        apply(SIGNALS, pod("r7", "127.0.8.7", ""), routed("""
                - timeout: 1s
                  retries: {attempts: 2, retryOn: unavailable}
                  route: [{destination: {host: signals}}]
                """));
        var channel = dial("signals:50061");
        greeter.fail(2);
        assertThat(hoist(channel)).isEqualTo("r7");
        greeter.fail(3);
        assertThatThrownBy(() -> hoist(channel)).hasMessageContaining("UNAVAILABLE: not now");
        assertThatThrownBy(() -> Greeter.call(channel, "Hoist", "never")).hasMessageContaining("DEADLINE_EXCEEDED");
    }

    @Test
    void faultsAreInjectedByTheClient() throws Exception {
        applyRouted("""
                - match: [{headers: {x-fault: {exact: "yes"}}}]
                  fault: {abort: {grpcStatus: RESOURCE_EXHAUSTED, percentage: {value: 100}}}
                  route: [{destination: {host: signals, subset: r8}}]
                - route: [{destination: {host: signals, subset: r7}}]
                """);
        var channel = dial("signals:50061");
        assertThatThrownBy(() -> hoist(channel, "x-fault", "yes")).hasMessageContaining("RESOURCE_EXHAUSTED");
        assertThat(hoist(channel)).isEqualTo("r7");
    }

    /// Of what a client cannot do, nothing is done instead that leads a call elsewhere.
    @Test
    void callsOfARuleThatAClientCannotCarryOutFail() throws Exception {
        applyRouted("""
                - match: [{headers: {x-closed: {exact: "yes"}}}]
                  directResponse: {status: 403}
                - match: [{headers: {x-path: {exact: "yes"}}}]
                  rewrite: {uri: /quay.Signals/Lower}
                  route: [{destination: {host: signals, subset: r8}}]
                - match: [{headers: {x-host: {exact: "yes"}}, authority: {exact: elsewhere}}]
                  route: [{destination: {host: signals, subset: r8}}]
                - match: [{headers: {x-gone: {exact: "yes"}}}]
                  route: [{destination: {host: nobody}}]
                - match: [{method: {exact: GET}}, {queryParams: {a: {exact: b}}}]
                  route: [{destination: {host: signals, subset: r8}}]
                - mirror: {host: signals, subset: r8}
                  route: [{destination: {host: signals, subset: r7}}]
                """);
        var channel = dial("signals:50061");
        for (var header : List.of("x-closed", "x-path", "x-host", "x-gone")) {
            assertThatThrownBy(() -> hoist(channel, header, "yes")).as(header).hasMessageContaining("UNAVAILABLE");
        }
        assertThat(hoist(channel)).isEqualTo("r7");
        assertThat(String.join("\n", xds.clients().getFirst().findings()))
                .contains(
                        "answers itself; its calls fail with UNAVAILABLE",
                        "changes the path",
                        "on something that they cannot see",
                        "there is no Service nobody",
                        "they send no copies");
    }

    @Test
    void theSameHeaderLeadsToTheSameEndpoint() throws Exception {
        var pods = new ArrayList<>(List.of(SIGNALS, """
                apiVersion: networking.istio.io/v1
                kind: DestinationRule
                metadata: {name: signals, namespace: quay}
                spec:
                  host: signals
                  trafficPolicy: {loadBalancer: {consistentHash: {httpHeaderName: x-ship}}}
                """));
        for (var i = 1; i <= 4; i++) {
            greeter("s" + i, "127.0.8." + i);
            pods.add(pod("s" + i, "127.0.8." + i, ""));
        }
        apply(pods.toArray(String[]::new));
        var channel = dial("signals:50061");
        var names = new HashSet<String>();
        for (var ship = 0; ship < 50; ship++) {
            var first = hoist(channel, "x-ship", "ship-" + ship);
            assertThat(hoist(channel, "x-ship", "ship-" + ship)).isEqualTo(first);
            names.add(first);
        }
        assertThat(names).hasSizeGreaterThan(1);
    }

    private static String node(String name, String region, String zone) {
        return """
                apiVersion: v1
                kind: Node
                metadata:
                  name: n-%s
                  labels: {topology.kubernetes.io/region: %s, topology.kubernetes.io/zone: %s}
                """.formatted(name, region, zone);
    }

    @Test
    void theNearestEndpointsAreUsedFirstWhereThatIsWished() throws Exception {
        greeter("r7", "127.0.8.7");
        greeter("r8", "127.0.8.8");
        var mesh = new ArrayList<>(List.of(
                SIGNALS,
                node("a", "north", "n1"),
                node("r7", "north", "n1"),
                node("r8", "south", "s1"),
                pod("r7", "127.0.8.7", ""),
                pod("r8", "127.0.8.8", ""),
                """
                apiVersion: v1
                kind: Pod
                metadata: {name: portal-0, namespace: quay, labels: {app: portal}}
                spec: {nodeName: n-a, serviceAccountName: portal, containers: [{name: a}]}
                status: {podIPs: [{ip: 127.0.8.9}], conditions: [{type: Ready, status: "True"}]}
                """));
        apply(mesh.toArray(String[]::new));
        var channel = dial("signals:50061");
        awaitOnly(channel, Set.of("r7", "r8"));
        mesh.set(0, SIGNALS.replace("clusterIP:", "trafficDistribution: PreferClose, clusterIP:"));
        apply(mesh.toArray(String[]::new));
        awaitOnly(channel, Set.of("r7"));
        mesh.set(4, pod("r7", "127.0.8.7", "False"));
        apply(mesh.toArray(String[]::new));
        awaitOnly(channel, Set.of("r8"));
        mesh.set(4, pod("r7", "127.0.8.7", ""));
        mesh.set(0, SIGNALS);
        mesh.add("""
                apiVersion: networking.istio.io/v1
                kind: DestinationRule
                metadata: {name: signals, namespace: quay}
                spec:
                  host: signals
                  trafficPolicy:
                    outlierDetection: {}
                    loadBalancer: {localityLbSetting: {distribute: [{from: "north/*", to: {"south/*": 100}}]}}
                """);
        apply(mesh.toArray(String[]::new));
        awaitOnly(channel, Set.of("r8"));
    }

    private static String tls(String mode) {
        return """
                apiVersion: networking.istio.io/v1
                kind: DestinationRule
                metadata: {name: signals, namespace: quay}
                spec: {host: signals, trafficPolicy: {tls: {mode: %s}}}
                """.formatted(mode);
    }

    private XdsDialler withCertificate(String account) throws Exception {
        var files = MeshCertificate.write(directory, new SpiffeId("cluster.local", "quay", account));
        return closing(new XdsDialler(
                server,
                new Caller("quay", account, account + "-0", "", ""),
                Map.of("certificate_providers", files.providers())));
    }

    private static ChannelCredentials meshCredentials() {
        return XdsChannelCredentials.create(InsecureChannelCredentials.create());
    }

    @Test
    void mutualTlsKnowsBothSides() throws Exception {
        var signals = MeshCertificate.write(directory, new SpiffeId("cluster.local", "quay", "signals"));
        closing(new Greeter("r7", "127.0.8.7", signals.ofServer()));
        apply(SIGNALS, pod("r7", "127.0.8.7", ""), tls("ISTIO_MUTUAL"));
        var channel = withCertificate("portal").dial("signals:50061", meshCredentials());
        assertThat(hoist(channel)).isEqualTo("r7");
    }

    @Test
    void aServerWithAnotherIdentityIsNotCalled() throws Exception {
        var thief = MeshCertificate.write(directory, new SpiffeId("cluster.local", "quay", "thief"));
        closing(new Greeter("r7", "127.0.8.7", thief.ofServer()));
        apply(SIGNALS, pod("r7", "127.0.8.7", ""), tls("ISTIO_MUTUAL"));
        var channel = withCertificate("portal").dial("signals:50061", meshCredentials());
        assertThatThrownBy(() -> hoist(channel)).hasMessageContaining("UNAVAILABLE");
    }

    /// Neither with a client that has no certificates, nor with a mode that no client can do.
    @ParameterizedTest
    @ValueSource(strings = {"ISTIO_MUTUAL", "SIMPLE"})
    void whereTlsIsAskedForNobodyCallsInClear(String mode) throws Exception {
        greeter("r7", "127.0.8.7");
        apply(SIGNALS, pod("r7", "127.0.8.7", ""), tls(mode));
        var channel = dial("signals:50061");
        assertThatThrownBy(() -> hoist(channel)).hasMessageContaining("UNAVAILABLE");
        var client = xds.clients().getFirst();
        if (mode.equals("SIMPLE")) {
            assertThat(client.findings().toString()).contains("cannot speak the TLS");
        } else {
            assertThat(client.lastNack()).contains("outbound|50061||signals.quay.svc.cluster.local");
        }
    }

    private Greeter xdsServer(XdsDialler of) throws Exception {
        return closing(Greeter.of(
                "r7",
                XdsServerBuilder.forPort(Greeter.PORT, XdsServerCredentials.create(InsecureServerCredentials.create()))
                        .overrideBootstrapForTest(of.bootstrap())));
    }

    private static final String STRICT = """
            apiVersion: security.istio.io/v1
            kind: PeerAuthentication
            metadata: {name: default, namespace: quay}
            spec: {mtls: {mode: STRICT}}
            """;

    /// The pod is not captured: nobody else would ask for a certificate.
    @Test
    void aServerThatAsksForItsListenerTakesTheCallersThatItMay() throws Exception {
        apply(SIGNALS, pod("r7", "127.0.8.7", ""));
        var files = MeshCertificate.write(directory, new SpiffeId("cluster.local", "quay", "signals"));
        xdsServer(closing(new XdsDialler(
                server,
                new Caller("quay", "signals", "r7", "", ""),
                Map.of(
                        "certificate_providers",
                        files.providers(),
                        "server_listener_resource_name_template",
                        "xds.istio.io/grpc/lds/inbound/%s"))));
        var plain = dial("signals:50061");
        assertThat(hoist(plain)).isEqualTo("r7");
        apply(SIGNALS, pod("r7", "127.0.8.7", ""), STRICT, tls("ISTIO_MUTUAL"));
        var certified = withCertificate("portal").dial("signals:50061", meshCredentials());
        awaitOnlyAfterFailures(certified, Set.of("r7"));
        var stranger = NettyChannelBuilder.forAddress("127.0.8.7", Greeter.PORT)
                .usePlaintext()
                .build();
        open.add(stranger::shutdownNow);
        assertThatThrownBy(() -> hoist(stranger)).hasMessageContaining("UNAVAILABLE");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "r7    | 0.0.0.0:50061 | true",
                "r7    | [::]:50061    | true",
                "r7    | 0.0.0.0:0     | false",
                "r7    | 0.0.0.0       | false",
                "r7    | berth:50061   | false",
                "r7    | ''            | false",
                "ghost | 0.0.0.0:50061 | false",
            })
    void onlyAKnownPodHasAListener(String pod, String address, boolean has) {
        apply(SIGNALS, pod("r7", "127.0.8.7", ""));
        var viewer = mesh.viewer("quay", pod, Locality.getDefaultInstance());
        assertThat(mesh.resource(GrpcMesh.LISTENER, "xds.istio.io/grpc/lds/inbound/" + address, viewer)
                        .isPresent())
                .isEqualTo(has);
    }

    @Test
    void whoSpeaksForAnotherNamespaceIsRefused() throws Exception {
        greeter("r7", "127.0.8.7");
        apply(SIGNALS, pod("r7", "127.0.8.7", ""));
        var portal = new Caller("quay", "portal", "portal-0", "", "");
        var liar = closing(new XdsDialler(server, portal, "pay", Map.of())).dial("signals.quay:50061");
        assertThatThrownBy(() -> hoist(liar)).hasMessageContaining("UNAVAILABLE");
        assertThat(hoist(dial("signals.quay:50061"))).isEqualTo("r7");
    }

    @Test
    void aCertificateOfTheMeshIsAsGoodAsAToken() throws Exception {
        greeter("r7", "127.0.8.7");
        apply(SIGNALS, pod("r7", "127.0.8.7", ""));
        var certificate = MeshCertificate.write(directory, new SpiffeId("cluster.local", "quay", "portal"));
        var files = Map.of(
                "certificate_file", certificate.chain().toString(),
                "private_key_file", certificate.key().toString());
        var portal = new Caller("quay", "portal", "portal-0", "", "");
        var certified = closing(new XdsDialler(server, portal, "quay", files, Map.of()));
        assertThat(hoist(certified.dial("signals:50061"))).isEqualTo("r7");
        var liar = closing(new XdsDialler(server, portal, "pay", files, Map.of()));
        assertThatThrownBy(() -> hoist(liar.dial("signals.quay:50061"))).hasMessageContaining("UNAVAILABLE");
        var nobody = closing(new XdsDialler(server, portal, "quay", Map.of(), Map.of()));
        assertThatThrownBy(() -> hoist(nobody.dial("signals:50061"))).hasMessageContaining("UNAVAILABLE");
    }

    @Test
    void withoutTheControllerCallsGoOnAndWhatChangedMeanwhileIsTakenOver() throws Exception {
        greeter("r7", "127.0.8.7");
        greeter("r8", "127.0.8.8");
        apply(SIGNALS, pod("r7", "127.0.8.7", ""));
        var channel = dial("signals:50061");
        assertThat(hoist(channel)).isEqualTo("r7");
        var port = server.port();
        server.close();
        apply(SIGNALS, pod("r8", "127.0.8.8", ""));
        assertThat(counts(channel, 50)).containsOnlyKeys("r7");
        server = new RunningServer(directory, xds, (_, _, _) -> false, port);
        awaitOnly(channel, Set.of("r8"));
    }

    @Test
    void aClientThatAsksForTooMuchIsEnded() throws Exception {
        apply(SIGNALS);
        var names = IntStream.range(0, 2001).mapToObj(i -> "signals:" + i).toList();
        assertThat(ended(names).getStatus().getDescription()).contains("a client may ask for 2000 names");
        assertThat(ended(List.of("s".repeat(513))).getStatus().getDescription()).contains("longer than 512");
    }

    private StatusRuntimeException ended(List<String> names) throws Exception {
        var token = Files.readString(server.tokenOf(new Caller("quay", "portal", "portal-0", "", "")));
        var headers = new Metadata();
        headers.put(Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER), "Bearer " + token);
        var tls = TlsChannelCredentials.newBuilder()
                .trustManager(server.root().toFile())
                .build();
        var channel = Grpc.newChannelBuilder("127.0.0.1:" + server.port(), tls)
                .intercept(MetadataUtils.newAttachHeadersInterceptor(headers))
                .build();
        var end = new CompletableFuture<Throwable>();
        var requests = AggregatedDiscoveryServiceGrpc.newStub(channel)
                .streamAggregatedResources(new StreamObserver<DiscoveryResponse>() {
                    @Override
                    public void onNext(DiscoveryResponse value) {
                        end.complete(new IllegalStateException("answered"));
                    }

                    @Override
                    public void onError(Throwable cause) {
                        end.complete(cause);
                    }

                    @Override
                    public void onCompleted() {
                        end.complete(new IllegalStateException("completed"));
                    }
                });
        requests.onNext(DiscoveryRequest.newBuilder()
                .setTypeUrl(GrpcMesh.LISTENER)
                .setNode(Node.newBuilder().setId("sidecar~127.0.0.1~portal-0.quay~quay.svc.cluster.local"))
                .addAllResourceNames(names)
                .build());
        try {
            return (StatusRuntimeException) end.get();
        } finally {
            channel.shutdownNow();
        }
    }
}
