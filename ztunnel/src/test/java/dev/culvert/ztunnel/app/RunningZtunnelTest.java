package dev.culvert.ztunnel.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.culvert.daemon.config.Env;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// A whole ztunnel on Istio's ports, asked by HTTP over sockets. The test's process has a network of its own.
@Timeout(240)
class RunningZtunnelTest {
    private static final String MESH = """
            workloads:
            - {uid: Kubernetes//Pod/shop/b, name: b, namespace: shop, trustDomain: cluster.local, serviceAccount: b, protocol: HBONE,
               workloadIps: [198.18.0.2], clusterId: Kubernetes, node: n1, authorizationPolicies: [shop/no-debug],
               workloadName: b, workloadType: pod, services: {shop/prices.shop.svc.cluster.local: {80: 8080}}}
            - {uid: Kubernetes//Pod/shop/a, name: a, namespace: shop, trustDomain: cluster.local, serviceAccount: a,
               workloadIps: [198.18.0.1], clusterId: Kubernetes, status: Unhealthy, services: {}}
            services:
            - {name: prices, namespace: shop, hostname: prices.shop.svc.cluster.local, vips: [/198.18.4.20], ports: {80: 8080}}
            policies:
            - {name: no-debug, namespace: shop, scope: Namespace, action: Deny, dryRun: false,
               rules: [[[{destinationPorts: [9999], notPrincipals: [!Exact cluster.local/ns/ops/sa/admin]}]]]}
            """;
    private static final HttpClient CLIENT = HttpClient.newHttpClient();
    private static final CompletableFuture<Void> ENDED = new CompletableFuture<>();
    /// Of the JVM and of Netty as a whole: made once, they serve whoever comes next.
    private static final Pattern NOT_OURS =
            Pattern.compile("(ForkJoinPool|VirtualThread|Cleaner|Common-Cleaner|process reaper|globalEventExecutor"
                    + "|MasterPoller|Read-Poller|HttpClient|InnocuousThread|junit).*");
    private static final Set<Thread> BEFORE = new HashSet<>();

    @BeforeAll
    static void start(@TempDir Path directory) throws Exception {
        BEFORE.addAll(Thread.getAllStackTraces().keySet());
        var config = ZtunnelConfig.from(
                new Env(Map.of(
                        "XDS_ADDRESS", "",
                        "LOCAL_XDS", MESH,
                        "NODE_NAME", "n1",
                        "INPOD_UDS", directory.resolve("none.sock").toString(),
                        "CULVERT_STATE_DIR", "",
                        "CULVERT_KEYS_DIR", "")),
                directory.resolve("mesh"));
        var log = config.log().install(new ByteArrayOutputStream());
        var process = new ZtunnelProcess(config, log.levels());
        Thread.ofPlatform().daemon().start(() -> {
            try (log;
                    process) {
                process.run();
            } catch (IOException | RuntimeException e) {
                ENDED.completeExceptionally(e);
            }
            ENDED.complete(null); // when the log is given back: the next one may be waiting to take it
        });
        while (!ENDED.isDone()
                && !get(15021, "/healthz/ready").equals("500 not ready, pending: workload proxy manager\n")) {
            TimeUnit.MILLISECONDS.sleep(10);
        }
        assertThat(ENDED).isNotDone();
    }

    /// `/quitquitquit` ends it; the answer comes first, and no thread of it stays.
    @AfterAll
    static void stop() throws Exception {
        assertThat(get(15000, "/quitquitquit")).isEqualTo("405 ");
        assertThat(send("POST", 15000, "/quitquitquit")).isEqualTo("200 shutdown now\n");
        ENDED.get(20, TimeUnit.SECONDS);
        CLIENT.close();
        var deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
        while (!threadsLeft().isEmpty() && System.nanoTime() < deadline) {
            TimeUnit.MILLISECONDS.sleep(10);
        }
        assertThat(threadsLeft()).isEmpty();
    }

    private static List<String> threadsLeft() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> !BEFORE.contains(thread) && thread.isAlive())
                .map(Thread::getName)
                .filter(name -> !NOT_OURS.matcher(name).matches())
                .toList();
    }

    private static String get(int port, String path) throws Exception {
        return send("GET", port, path);
    }

    private static String send(String method, int port, String path) throws Exception {
        try {
            var answer = answer(method, "127.0.0.1", port, path);
            return answer.statusCode() + " " + answer.body();
        } catch (ConnectException notYet) {
            return "none";
        }
    }

    private static HttpResponse<String> answer(String method, String host, int port, String path) throws Exception {
        var request = HttpRequest.newBuilder(URI.create("http://" + host + ":" + port + path))
                .method(method, HttpRequest.BodyPublishers.noBody())
                .build();
        return CLIENT.send(request, HttpResponse.BodyHandlers.ofString());
    }

    @Test
    void readinessIsIstios() throws Exception {
        assertThat(get(15021, "/healthz/ready")).isEqualTo("500 not ready, pending: workload proxy manager\n");
        assertThat(answer("GET", "127.0.0.1", 15021, "/healthz/ready").headers().firstValue("content-type"))
                .contains("text/plain");
        assertThat(send("POST", 15021, "/healthz/ready")).isEqualTo("405 ");
        assertThat(get(15021, "/")).isEqualTo("404 ");
    }

    @Test
    void adminListensOnLocalhostOfBothFamiliesOnly() throws Exception {
        assertThat(answer("GET", "[::1]", 15000, "/").statusCode()).isEqualTo(200);
        assertThat(answer("GET", "127.0.0.1", 15000, "/").headers().firstValue("content-type"))
                .contains("text/html; charset=utf-8");
        assertThatThrownBy(() -> new Socket(InetAddress.ofLiteral("127.0.0.2"), 15000))
                .isInstanceOf(ConnectException.class);
        assertThat(get(15000, "/nothing")).isEqualTo("404 ");
    }

    @Test
    void loggingIsShownAddedToAndReset() throws Exception {
        assertThat(send("POST", 15000, "/logging")).isEqualTo("200 current log level is info\n");
        assertThat(send("POST", 15000, "/logging?level=access=debug,warn"))
                .isEqualTo("200 current log level is access=debug,warn\n");
        assertThat(send("POST", 15000, "/logging?level=ztunnel::proxy=trace"))
                .isEqualTo("200 current log level is ztunnel::proxy=trace,access=debug,warn\n");
        assertThat(send("POST", 15000, "/logging?level=access:debug")).startsWith("400 ");
        assertThat(send("POST", 15000, "/logging?level=info&reset")).isEqualTo("200 current log level is info\n");
        assertThat(get(15000, "/logging")).isEqualTo("405 ");
    }

    @Test
    void profilesAreNotImplementedAndSaySo() throws Exception {
        for (var path : List.of("/debug/pprof/profile", "/debug/pprof/heap", "/debug/pprof/heap/profiling")) {
            assertThat(get(15000, path)).startsWith("501 not implemented").contains("jcmd");
        }
    }

    @Test
    void metricsAreServedUnderBothPathsWithDeclaredFamiliesOnly() throws Exception {
        assertThat(get(15020, "/metrics"))
                .startsWith("200 # HELP istio_build What runs here; always 1.\n# TYPE istio_build gauge\n"
                        + "istio_build{component=\"ztunnel\",tag=\"" + Version.number() + "\"} 1\n")
                .contains("\nworkload_manager_active_proxy_count 0\n", "\nworkload_manager_proxies_started_total 0\n")
                .containsPattern("\nprocess_open_fds \\d+\n")
                .doesNotContain("istio_tcp_", "istio_xds_")
                .endsWith("# EOF\n");
        assertThat(send("POST", 15020, "/stats/prometheus")).startsWith("200 # HELP");
    }

    @Test
    void theDumpHasIstiosShape() throws Exception {
        var answer = answer("POST", "127.0.0.1", 15000, "/config_dump");
        assertThat(answer.headers().firstValue("content-type")).contains("application/json");
        var dump = new ObjectMapper().readTree(answer.body());

        sortedKeys(dump);
        assertThat(fields(dump))
                .containsExactly(
                        "certificates",
                        "config",
                        "policies",
                        "services",
                        "stagedServices",
                        "staticConfig",
                        "version",
                        "workloadState",
                        "workloads");
        assertThat(fields(dump.path("version")))
                .containsExactly(
                        "buildProfile",
                        "buildStatus",
                        "cryptoProvider",
                        "gitRevision",
                        "istioVersion",
                        "rustVersion",
                        "version");
        assertThat(fields(dump.path("staticConfig"))).containsExactly("policies", "services", "workloads");
        assertThat(dump.at("/staticConfig/workloads/0/services/shop~1prices.shop.svc.cluster.local/80")
                        .asInt())
                .isEqualTo(8080);
        assertThat(answer.body()).endsWith(WORKLOADS).contains(POLICY, SERVICE);
    }

    private static final String POLICY = """
              "policies": [
                {
                  "action": "Deny",
                  "dryRun": false,
                  "name": "no-debug",
                  "namespace": "shop",
                  "rules": [
                    [
                      [
                        {
                          "destinationPorts": [
                            9999
                          ],
                          "notPrincipals": [
                            {
                              "Exact": "cluster.local/ns/ops/sa/admin"
                            }
                          ]
                        }
                      ]
                    ]
                  ],
                  "scope": "Namespace"
                }
              ],
            """;
    private static final String SERVICE = """
                  "endpoints": {
                    "Kubernetes//Pod/shop/b": {
                      "port": {
                        "80": 8080
                      },
                      "status": "Healthy",
                      "workloadUid": "Kubernetes//Pod/shop/b"
                    }
                  },
                  "hostname": "prices.shop.svc.cluster.local",
                  "name": "prices",
                  "namespace": "shop",
                  "ports": {
                    "80": 8080
                  },
                  "subjectAltNames": [],
                  "vips": [
                    "/198.18.4.20"
                  ],
                  "visibility": "Public"
            """;
    private static final String WORKLOADS = """
              "workloadState": {},
              "workloads": [
                {
                  "capacity": 1,
                  "clusterId": "Kubernetes",
                  "name": "a",
                  "namespace": "shop",
                  "networkMode": "Standard",
                  "protocol": "TCP",
                  "serviceAccount": "a",
                  "status": "Unhealthy",
                  "trustDomain": "cluster.local",
                  "uid": "Kubernetes//Pod/shop/a",
                  "workloadIps": [
                    "198.18.0.1"
                  ]
                },
                {
                  "authorizationPolicies": [
                    "shop/no-debug"
                  ],
                  "capacity": 1,
                  "clusterId": "Kubernetes",
                  "name": "b",
                  "namespace": "shop",
                  "networkMode": "Standard",
                  "node": "n1",
                  "protocol": "HBONE",
                  "serviceAccount": "b",
                  "services": [
                    "shop/prices.shop.svc.cluster.local"
                  ],
                  "status": "Healthy",
                  "trustDomain": "cluster.local",
                  "uid": "Kubernetes//Pod/shop/b",
                  "workloadIps": [
                    "198.18.0.2"
                  ],
                  "workloadName": "b",
                  "workloadType": "pod"
                }
              ]
            }
            """;

    @Test
    void theDumpShowsTheSettingsUnderIstiosNames() throws Exception {
        var config = new ObjectMapper()
                .readTree(answer("GET", "127.0.0.1", 15000, "/config_dump").body())
                .path("config");
        var names = "proxy dnsProxy windowSize connectionWindowSize frameSize poolMaxStreamsPerConn"
                + " poolUnusedReleaseTimeout socks5Addr adminAddr statsAddr readinessAddr inboundAddr inboundPlaintextAddr"
                + " outboundAddr dnsProxyAddr illegalPorts network localNode proxyMode proxyWorkloadInformation clusterId"
                + " clusterDomain caAddress caRootCert altCaHostname xdsAddress xdsRootCert altXdsHostname"
                + " preferedServiceNamespace secretTtl xdsOnDemand fakeCa fakeSelfInbound selfTerminationDeadline"
                + " proxyMetadata numWorkerThreads requireOriginalSource proxyArgs dnsResolverCfg dnsResolverOpts inpodUds"
                + " inpodPortReuse packetMark socketConfig xdsHeaders caHeaders localhostAppTunnel ztunnelIdentity"
                + " ztunnelWorkload ipv6Enabled crlPath enableEnhancedBaggage";
        assertThat(fields(config)).containsExactlyInAnyOrder(names.split(" ", -1));
        assertThat(config.path("secretTtl")).hasToString("{\"nanos\":0,\"secs\":86400}");
        assertThat(config.path("adminAddr")).hasToString("{\"Localhost\":[true,15000]}");
        assertThat(config.path("statsAddr")).hasToString("{\"SocketAddr\":\"[::]:15020\"}");
        assertThat(config.path("xdsAddress").isNull()).isTrue();
    }

    private static List<String> fields(JsonNode of) {
        var names = new ArrayList<String>();
        of.fieldNames().forEachRemaining(names::add);
        return names;
    }

    private static void sortedKeys(JsonNode node) {
        var names = fields(node);
        var sorted = new ArrayList<>(names);
        Collections.sort(sorted);
        assertThat(names).isEqualTo(sorted);
        node.forEach(RunningZtunnelTest::sortedKeys);
    }
}
