package dev.culvert.ztunnel.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.culvert.daemon.config.ConfigException;
import dev.culvert.daemon.config.Env;
import dev.culvert.daemon.config.Setting;
import dev.culvert.daemon.log.LogFormat;
import dev.culvert.hbone.codec.H2Limits;
import dev.culvert.hbone.codec.H2Settings;
import dev.culvert.hbone.pool.PoolLimits;
import dev.culvert.hbone.tls.TlsPolicy;
import dev.culvert.proxy.xds.ControlPlane;
import dev.culvert.ztunnel.dns.DnsSettings;
import dev.culvert.ztunnel.dns.lookup.Zone;
import dev.culvert.ztunnel.inpod.NodeSettings;
import dev.culvert.ztunnel.inpod.SocketSettings;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ZtunnelConfigTest {
    private static final String ROOT = "./var/run/secrets/istio/root-cert.pem";
    private static final String TOKEN = "./var/run/secrets/tokens/istio-token";

    @TempDir
    Path directory;

    private ZtunnelConfig read(Map<String, String> environment) throws ConfigException {
        return ZtunnelConfig.from(new Env(environment), directory.resolve("mesh"));
    }

    @Test
    void everyDefault() throws Exception {
        var config = read(Map.of());
        var localhost = URI.create("https://localhost:15012");

        assertThat(config.place())
                .isEqualTo(new ZtunnelConfig.Place(
                        "",
                        new ZtunnelConfig.Place.Pod("", "", "1.1.1.1", "", "cluster.local"),
                        Optional.empty(),
                        "",
                        "Kubernetes",
                        Map.of(),
                        Map.of()));
        assertThat(config.names())
                .isEqualTo(new ZtunnelConfig.Names(
                        "cluster.local",
                        true,
                        "localhost:15053",
                        Optional.empty(),
                        Path.of("/etc/resolv.conf"),
                        DnsSettings.Limits.DEFAULTS));
        assertThat(config.listening()).isEqualTo(new ZtunnelConfig.Listening(true, false));
        assertThat(config.upstreams())
                .isEqualTo(new ZtunnelConfig.Upstreams(
                        new ControlPlane(localhost, ROOT, TOKEN, "", "Kubernetes", Map.of()),
                        false,
                        new ControlPlane(localhost, ROOT, TOKEN, "", "Kubernetes", Map.of()),
                        Duration.ofHours(24),
                        null));
        assertThat(config.zdsSocket()).isEqualTo(Path.of("/var/run/ztunnel/ztunnel.sock"));
        assertThat(config.kept())
                .isEqualTo(new ZtunnelConfig.Kept(
                        Optional.of(Path.of("/var/lib/culvert/ztunnel")),
                        Optional.of(Path.of("/run/culvert/ztunnel"))));
        assertThat(config.dataPlane())
                .isEqualTo(new ZtunnelConfig.DataPlane(
                        Optional.empty(),
                        new NodeSettings(
                                "",
                                "",
                                true,
                                true,
                                true,
                                false,
                                Duration.ofSeconds(5),
                                Duration.ofSeconds(10),
                                Duration.ofMinutes(15),
                                H2Limits.DEFAULTS),
                        new SocketSettings(
                                1337, true, true, true, Duration.ofSeconds(10), SocketSettings.Keepalive.DEFAULT),
                        TlsPolicy.DEFAULT,
                        Optional.empty(),
                        PoolLimits.DEFAULTS));
        assertThat(config.serving().adminPort()).isEqualTo(15000);
        assertThat(config.serving().statsPort()).isEqualTo(15020);
        assertThat(config.serving().readinessPort()).isEqualTo(15021);
        assertThat(config.serving().drainDeadline()).isEqualTo(Duration.ofSeconds(5));
        assertThat(config.serving().receiveBudget()).isEqualTo(32L << 20);
        assertThat(config.log().format()).isEqualTo(LogFormat.PLAIN);
        assertThat(config.log().filter()).hasToString("info");
        assertThat(config.settings()).allMatch(setting -> setting.origin() == Setting.Origin.DEFAULT);
    }

    private static Map<String, String> everythingElse() {
        var other = new HashMap<String, String>();
        other.putAll(Map.of(
                "NODE_NAME",
                "n1",
                "POD_NAME",
                "ztunnel-x",
                "POD_NAMESPACE",
                "sys",
                "INSTANCE_IP",
                "10.0.0.1",
                "SERVICE_ACCOUNT",
                "zt",
                "TRUST_DOMAIN",
                "td",
                "NETWORK",
                "net1",
                "CLUSTER_ID",
                "unused",
                "ISTIO_META_CLUSTER_ID",
                "c1",
                "CLUSTER_DOMAIN",
                "mesh.test"));
        other.putAll(Map.of(
                "ISTIO_META_ISTIO_VERSION",
                "1.30.0",
                "ISTIO_META_DNS_CAPTURE",
                "false",
                "ISTIO_META_DNS_PROXY_ADDR",
                "localhost:53",
                "ISTIO_METAJSON_LABELS",
                "{\"a\":[1,true]}",
                "PREFERED_SERVICE_NAMESPACE",
                "shop",
                "XDS_ADDRESS",
                "istiod:15012",
                "CA_ADDRESS",
                "https://ca:1",
                "XDS_ROOT_CA",
                "SYSTEM",
                "CA_ROOT_CA",
                "/ca.pem",
                "AUTH_TOKEN",
                "/token"));
        other.putAll(Map.of(
                "ALT_XDS_HOSTNAME",
                "xds.alt",
                "ALT_CA_HOSTNAME",
                "ca.alt",
                "SECRET_TTL",
                "1h30m",
                "XDS_HEADER_A",
                "1",
                "CA_HEADER_B",
                "2",
                "LOCAL_XDS",
                "workloads: []",
                "INPOD_UDS",
                "/zds.sock",
                "CULVERT_STATE_DIR",
                "",
                "CULVERT_KEYS_DIR",
                "/keys",
                "ENABLE_ORIG_SRC",
                "true"));
        other.putAll(Map.of(
                "ENABLE_RESPONSE_BAGGAGE",
                "false",
                "CULVERT_WORKLOAD_WAIT",
                "1s",
                "CULVERT_HANDSHAKE_TIMEOUT",
                "2s",
                "PACKET_MARK",
                "7",
                "IPV6_ENABLED",
                "false",
                "INPOD_PORT_REUSE",
                "false",
                "CULVERT_CONNECT_TIMEOUT",
                "3s",
                "KEEPALIVE_ENABLED",
                "false",
                "KEEPALIVE_TIME",
                "4s",
                "KEEPALIVE_INTERVAL",
                "5s"));
        other.put("CULVERT_TUNNEL_IDLE", "11m");
        other.put("CRL_PATH", "/crl.pem");
        other.putAll(Map.of(
                "KEEPALIVE_RETRIES",
                "6",
                "USER_TIMEOUT_ENABLED",
                "true",
                "TLS12_ENABLED",
                "true",
                "HTTP2_STREAM_WINDOW_SIZE",
                "4194304",
                "HTTP2_CONNECTION_WINDOW_SIZE",
                "16777216",
                "HTTP2_FRAME_SIZE",
                "16384",
                "POOL_MAX_STREAMS_PER_CONNECTION",
                "50",
                "CULVERT_CONNECT_ANSWER_TIMEOUT",
                "8s",
                "POOL_UNUSED_RELEASE_TIMEOUT",
                "9s",
                "LOCALHOST_APP_TUNNEL",
                "false"));
        other.putAll(Map.of(
                "ZTUNNEL_WORKER_THREADS",
                "3",
                "CULVERT_ADMIN_PORT",
                "1",
                "CULVERT_STATS_PORT",
                "2",
                "CULVERT_READINESS_PORT",
                "3",
                "TERMINATION_GRACE_PERIOD_SECONDS",
                "30",
                "CONNECTION_TERMINATION_DEADLINE",
                "7s",
                "CULVERT_RECEIVE_BUDGET",
                "1MiB",
                "LOG_FORMAT",
                "json",
                "RUST_LOG",
                "warn,access=debug",
                "ZTUNNEL_RESOURCE_CPU_LIMIT",
                "4"));
        other.putAll(Map.of(
                "ZTUNNEL_RESOURCE_CPU_REQUEST",
                "1",
                "ZTUNNEL_CPU_LIMIT",
                "8",
                "KUBERNETES_SERVICE_HOST",
                "10.96.0.1",
                "CULVERT_RESOLV_CONF",
                "/resolv.conf",
                "PROXY_CONFIG",
                "{}",
                "PROXY_WORKLOAD_INFO",
                "a/b/c"));
        other.putAll(Map.of(
                "CULVERT_DNS_TIMEOUT",
                "4s",
                "CULVERT_DNS_PENDING",
                "10",
                "CULVERT_DNS_PENDING_PER_POD",
                "11",
                "CULVERT_DNS_CONNECTIONS_PER_POD",
                "12",
                "UNSTABLE_ENABLE_SOCKS5",
                "true",
                "AUTHZ_POLICY_INFO_LOGGING",
                "true"));
        return other;
    }

    private static InetSocketAddress address(String ip, int port) {
        return new InetSocketAddress(InetAddress.ofLiteral(ip), port);
    }

    /// In pods, on loopback; nothing without `DNS_CAPTURE`; and something must be left to do.
    @Test
    void dnsProxy() throws Exception {
        var dns = read(Map.of("PREFERED_SERVICE_NAMESPACE", "shop", "IPV6_ENABLED", "false"))
                .dns()
                .orElseThrow();
        assertThat(dns.listen()).containsExactly(address("127.0.0.1", 15053));
        assertThat(dns.zone()).isEqualTo(new Zone("cluster.local", "shop", false));
        assertThat(read(Map.of()).dns().orElseThrow().listen())
                .containsExactly(address("127.0.0.1", 15053), address("::1", 15053));
        assertThat(read(Map.of("ISTIO_META_DNS_PROXY_ADDR", "[::1]:5353"))
                        .dns()
                        .orElseThrow()
                        .listen())
                .containsExactly(address("::1", 5353));
        assertThat(read(Map.of("ENABLE_PROXY", "false")).listening().proxy()).isFalse();
        assertThat(read(Map.of("ISTIO_META_DNS_CAPTURE", "false")).dns()).isEmpty();
        assertThatThrownBy(() -> read(Map.of("ENABLE_PROXY", "false", "ISTIO_META_DNS_CAPTURE", "false")))
                .hasMessageContaining("nothing would be left to do");
    }

    @Test
    void everyKeyCanBeChanged() throws Exception {
        var config = read(everythingElse());

        assertThat(config.place().pod())
                .isEqualTo(new ZtunnelConfig.Place.Pod("ztunnel-x", "sys", "10.0.0.1", "zt", "td"));
        assertThat(config.place().nodeName()
                        + config.place().network()
                        + config.place().clusterId())
                .isEqualTo("n1net1c1");
        assertThat(config.place().istioVersion()).isEqualTo("1.30.0");
        assertThat(config.place().jsonMetadata()).isEqualTo(Map.of("LABELS", Map.of("a", List.of(1, true))));
        assertThat(config.names())
                .isEqualTo(new ZtunnelConfig.Names(
                        "mesh.test",
                        false,
                        "localhost:53",
                        Optional.of("shop"),
                        Path.of("/resolv.conf"),
                        new DnsSettings.Limits(Duration.ofSeconds(4), 10, 11, 12)));
        assertThat(config.listening()).isEqualTo(new ZtunnelConfig.Listening(true, true));
        assertThat(config.upstreams().xds())
                .isEqualTo(new ControlPlane(
                        URI.create("https://istiod:15012"), "SYSTEM", "/token", "xds.alt", "c1", Map.of("A", "1")));
        assertThat(config.upstreams().ca())
                .isEqualTo(new ControlPlane(
                        URI.create("https://ca:1"), "/ca.pem", "/token", "ca.alt", "c1", Map.of("B", "2")));
        assertThat(config.upstreams().secretTtl()).isEqualTo(Duration.ofMinutes(90));
        assertThat(config.upstreams().local()).hasToString("LOCAL_XDS");
        assertThat(config.zdsSocket()).isEqualTo(Path.of("/zds.sock"));
        assertThat(config.kept()).isEqualTo(new ZtunnelConfig.Kept(Optional.empty(), Optional.of(Path.of("/keys"))));
        var h2 = new H2Limits(
                new H2Settings(4096, 200, 4 << 20, 16384, 65536),
                16 << 20,
                50,
                Duration.ofSeconds(10),
                Duration.ofSeconds(20));
        assertThat(config.dataPlane())
                .isEqualTo(new ZtunnelConfig.DataPlane(
                        Optional.of(true),
                        new NodeSettings(
                                "n1",
                                "net1",
                                true,
                                false,
                                false,
                                true,
                                Duration.ofSeconds(1),
                                Duration.ofSeconds(2),
                                Duration.ofMinutes(11),
                                h2),
                        new SocketSettings(
                                7,
                                true,
                                false,
                                false,
                                Duration.ofSeconds(3),
                                new SocketSettings.Keepalive(false, 4, 5, 6, true)),
                        new TlsPolicy(true, TlsPolicy.DEFAULT.groups()),
                        Optional.of(Path.of("/crl.pem")),
                        new PoolLimits(h2, Duration.ofSeconds(10), Duration.ofSeconds(8), Duration.ofSeconds(9), 500)));
        assertThat(config.serving()).isEqualTo(new ZtunnelConfig.Serving(3, 1, 2, 3, Duration.ofSeconds(7), 1 << 20));
        assertThat(config.log().format()).isEqualTo(LogFormat.JSON);
        assertThat(config.log().filter()).hasToString("access=debug,warn");
    }

    @Test
    void everyKeyIsListed() throws Exception {
        var listed =
                read(everythingElse()).settings().stream().map(Setting::name).toList();
        var unlisted = everythingElse().keySet().stream()
                .filter(name -> !listed.contains(name))
                .filter(name -> !name.matches("(ISTIO_META|ISTIO_METAJSON|XDS_HEADER|CA_HEADER)_.*|CLUSTER_ID"));
        assertThat(unlisted).isEmpty();
        assertThat(listed).doesNotHaveDuplicates().contains("ISTIO_META_*", "XDS_HEADER_*", "CA_HEADER_*");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "PROXY_MODE; dedicated; needs PROXY_WORKLOAD_INFO",
                "PROXY_WORKLOAD_INFO; shop/cart; expected namespace/name/service-account",
                "PROXY_MODE; sidecar; PROXY_MODE=\"sidecar\": expected shared or dedicated",
                "ISTIO_META_DNS_PROXY_ADDR; 0.0.0.0:15053; only a loopback address",
                "ISTIO_META_DNS_PROXY_ADDR; dns:15053; expected localhost:port",
                "CULVERT_DNS_PENDING; 0; expected integer",
                "XDS_ON_DEMAND; true; set ISTIO_META_DNS_CAPTURE=false",
                "FAKE_CA; true; not supported",
                "COMPLIANCE_POLICY; fips; expected pqc, or unset",
                "ENABLE_PROXY; TRUE; expected true or false",
                "KEEPALIVE_TIME; 500ms; expected 1s to 32767s",
                "TERMINATION_GRACE_PERIOD_SECONDS; 30s; expected integer",
                "ZTUNNEL_WORKER_THREADS; 0%; or a percentage such as 25%",
                "CA_ADDRESS; ''; CA_ADDRESS is empty",
                "XDS_ADDRESS; http://istiod:15010; reached by https://host:port only",
                "PROXY_CONFIG; statsPort: many; ProxyConfig statsPort",
                "PROXY_CONFIG; just text; expected a YAML mapping",
                "ISTIO_METAJSON_X; {; not JSON",
                "HTTP2_FRAME_SIZE; 1; frames 16384 to 16777215",
                "RUST_LOG; access:debug; expected a level, or scope=level"
            })
    void whatCannotBeDoneStopsTheStart(String name, String value, String says) {
        assertThatThrownBy(() -> read(Map.of(name, value)))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining(says)
                .hasMessageContaining(name.startsWith("HTTP2") ? "HTTP2_*" : name.equals("PROXY_CONFIG") ? "" : name);
    }

    @Test
    void combinationsThatContradictAreRefusedTogether() {
        assertThatThrownBy(() -> read(Map.of(
                        "LOCAL_XDS",
                        "a: 1",
                        "LOCAL_XDS_PATH",
                        "/x",
                        "TLS12_ENABLED",
                        "true",
                        "COMPLIANCE_POLICY",
                        "pqc",
                        "FAKE_CA",
                        "true")))
                .hasMessageContaining("LOCAL_XDS and LOCAL_XDS_PATH are both set")
                .hasMessageContaining("TLS 1.2 has no hybrid key exchange")
                .hasMessageContaining("FAKE_CA=true");
    }

    @Test
    void postQuantumComplianceLeavesTheHybridOnly() throws Exception {
        assertThat(read(Map.of("COMPLIANCE_POLICY", "pqc")).dataPlane().tls())
                .isEqualTo(new TlsPolicy(false, List.of("X25519MLKEM768")));
    }

    @Test
    void theControlPlanesDefaultDependsOnThePlace() throws Exception {
        assertThat(xds(Map.of())).isEqualTo("https://localhost:15012");
        assertThat(xds(Map.of("KUBERNETES_SERVICE_HOST", "10.0.0.1")))
                .isEqualTo("https://istiod.istio-system.svc:15012");
        assertThat(xds(Map.of("KUBERNETES_SERVICE_HOST", "10.0.0.1", "PROXY_CONFIG", "discoveryAddress: d:1")))
                .isEqualTo("https://d:1");
        assertThat(read(Map.of("XDS_ADDRESS", "")).upstreams().xds()).isNull();
    }

    private String xds(Map<String, String> environment) throws ConfigException {
        var xds = read(environment).upstreams().xds();
        return xds == null ? "none" : xds.address().toString();
    }

    @Test
    void proxyConfigOfTheVariableWinsOverTheMeshFileKeyByKey() throws Exception {
        mesh("""
                trustDomain: cluster.local
                defaultConfig:
                  discoveryAddress: istiod.mesh:15012
                  proxyAdminPort: 1
                  statsPort: 2
                  concurrency: 5
                  proxyMetadata: {A: mesh, B: mesh, C: mesh, DNS_CAPTURE: "false"}
                """);
        var config = read(Map.of(
                "PROXY_CONFIG", "{statsPort: 3, proxyMetadata: {B: variable, C: variable}}", "ISTIO_META_C", "own"));

        assertThat(config.upstreams().ca().address()).hasToString("https://istiod.mesh:15012");
        assertThat(config.serving().adminPort()).isEqualTo(1);
        assertThat(config.serving().statsPort()).isEqualTo(3);
        assertThat(config.serving().workers()).isEqualTo(5);
        assertThat(config.place().metadata())
                .isEqualTo(Map.of("A", "mesh", "B", "variable", "C", "own", "DNS_CAPTURE", "false"));
        assertThat(config.names().capture()).isFalse();
    }

    private void mesh(String yaml) throws IOException {
        Files.writeString(directory.resolve("mesh"), yaml);
    }

    @ParameterizedTest
    @CsvSource({"60,55", "11,6", "10,9", "2,1", "1,1", "0,1"})
    void theDrainEndsBeforeThePodsGrace(String grace, int seconds) throws Exception {
        var config = read(Map.of("TERMINATION_GRACE_PERIOD_SECONDS", grace));
        assertThat(config.serving().drainDeadline()).isEqualTo(Duration.ofSeconds(seconds));
    }

    @ParameterizedTest
    @CsvSource({
        "8, 3, , , , 3",
        "8, 0, , , , 8",
        "8, -25, , , , 2",
        "9, -25, , , , 3",
        "1, -1, , , , 1",
        "8, , 6, , , 6",
        "8, , 0, , , 8",
        "8, , , 4, , 4",
        "8, , , 1, 3, 3",
        "8, , , , , 2",
        "16, , , , , 4",
        "16, , , , 6, 6",
        "2, , , , , 2",
        "8, 3, 6, 4, 2, 3"
    })
    void workerThreads(int cores, Integer wanted, Integer concurrency, Integer limit, Integer request, int count) {
        var threads = new WorkerThreads(
                cores,
                Optional.ofNullable(wanted),
                concurrency == null ? OptionalInt.empty() : OptionalInt.of(concurrency),
                Optional.ofNullable(limit),
                Optional.ofNullable(request));
        assertThat(threads.count()).isEqualTo(count);
    }
}
