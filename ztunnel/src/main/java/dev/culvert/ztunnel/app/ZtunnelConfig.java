package dev.culvert.ztunnel.app;

import dev.culvert.daemon.config.ConfigException;
import dev.culvert.daemon.config.ConfigReader;
import dev.culvert.daemon.config.Env;
import dev.culvert.daemon.config.Setting;
import dev.culvert.daemon.log.LogConfig;
import dev.culvert.hbone.codec.H2Limits;
import dev.culvert.hbone.codec.H2Settings;
import dev.culvert.hbone.pool.PoolLimits;
import dev.culvert.proxy.xds.ControlPlane;
import dev.culvert.ztunnel.inpod.NodeSettings;
import dev.culvert.ztunnel.inpod.SocketSettings;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// All that ztunnel can be told, in Istio's names where Istio has one.
/// @param xds null without a control plane
/// @param localXds a YAML file with the mesh, or null
record ZtunnelConfig(
        Place place,
        @Nullable ControlPlane xds,
        ControlPlane ca,
        Duration secretTtl,
        @Nullable Path localXds,
        Path zdsSocket,
        Kept kept,
        NodeSettings node,
        SocketSettings sockets,
        PoolLimits pool,
        Serving serving,
        LogConfig log,
        List<Setting> settings) {

    /// Who this process is.
    record Place(
            String nodeName,
            String podName,
            String podNamespace,
            String instanceIp,
            String clusterId,
            Map<String, String> metadata) {}

    /// Where state outlives the process.
    /// @param state configuration, on disk; empty to keep none
    /// @param keys keys and chains, on tmpfs; empty to keep none
    record Kept(Optional<Path> state, Optional<Path> keys) {}

    /// @param adminPort on localhost
    /// @param receiveBudget bytes a loop may hold undelivered before credit waits for delivery
    record Serving(
            int workers, int adminPort, int statsPort, int readinessPort, Duration drainDeadline, long receiveBudget) {}

    static ZtunnelConfig from(Env env) throws ConfigException {
        var read = new ConfigReader(env);
        var place = place(read);
        var xdsAddress =
                read.string("XDS_ADDRESS", "https://istiod.istio-system.svc:15012", "control plane; empty for none");
        var caAddress = read.string("CA_ADDRESS", "https://istiod.istio-system.svc:15012", "certificate authority");
        var token =
                read.string("AUTH_TOKEN", "./var/run/secrets/tokens/istio-token", "token file, or the token itself");
        var xds = xdsAddress.isEmpty() ? null : server(read, place, "XDS", xdsAddress, token);
        var ca = server(read, place, "CA", caAddress.isEmpty() ? "https://localhost:15012" : caAddress, token);
        var serving = serving(read);
        var h2 = h2(read);
        var config = new Parts(
                place,
                xds,
                ca,
                read.duration("SECRET_TTL", Duration.ofHours(24), "validity asked of the CA"),
                read.optional("LOCAL_XDS_PATH", "YAML file with the mesh, instead of or beside a control plane"),
                read.path("INPOD_UDS", Path.of("/var/run/ztunnel/ztunnel.sock"), "socket of the node agent"),
                kept(read),
                node(read, place, h2),
                sockets(read),
                pool(read, h2),
                serving,
                LogConfig.from(read));
        return config.with(read.done());
    }

    /// Everything but the list of settings, which is complete only when all has been read.
    private record Parts(
            Place place,
            @Nullable ControlPlane xds,
            ControlPlane ca,
            Duration secretTtl,
            Optional<String> localXds,
            Path zdsSocket,
            Kept kept,
            NodeSettings node,
            SocketSettings sockets,
            PoolLimits pool,
            Serving serving,
            LogConfig log) {
        ZtunnelConfig with(List<Setting> settings) {
            var local = localXds.map(Path::of).orElse(null);
            return new ZtunnelConfig(
                    place, xds, ca, secretTtl, local, zdsSocket, kept, node, sockets, pool, serving, log, settings);
        }
    }

    private static Place place(ConfigReader read) {
        return new Place(
                read.string("NODE_NAME", "", "this node; its pods are served"),
                read.string("POD_NAME", "", "this pod"),
                read.string("POD_NAMESPACE", "", "namespace of this pod"),
                read.string("INSTANCE_IP", "1.1.1.1", "address of this pod"),
                read.either("ISTIO_META_CLUSTER_ID", "CLUSTER_ID", "Kubernetes", "cluster id"),
                read.prefixed("ISTIO_META_", "further xDS node metadata"));
    }

    private static ControlPlane server(ConfigReader read, Place place, String which, String address, String token) {
        var root = read.string(
                which + "_ROOT_CA", "./var/run/secrets/istio/root-cert.pem", "PEM file, SYSTEM, or PEM text");
        var alt = read.string(
                "ALT_" + which + "_HOSTNAME", "", "name in the server's certificate, if not the address's host");
        var headers = read.prefixed(which + "_HEADER_", "further gRPC metadata");
        var uri = address.contains("://") ? address : "https://" + address;
        try {
            return new ControlPlane(URI.create(uri), root, token, alt, place.clusterId, headers);
        } catch (IllegalArgumentException bad) {
            read.refuse(which + "_ADDRESS=" + address + ": " + bad.getMessage());
            return new ControlPlane(URI.create("https://invalid.invalid"), root, token, alt, place.clusterId, headers);
        }
    }

    private static Kept kept(ConfigReader read) {
        var state = read.string(
                "CULVERT_STATE_DIR", "/var/lib/culvert/ztunnel", "last good configuration; empty to keep none");
        var keys = read.string(
                "CULVERT_KEYS_DIR", "/run/culvert/ztunnel", "keys and chains, on tmpfs; empty to keep none");
        return new Kept(
                state.isEmpty() ? Optional.empty() : Optional.of(Path.of(state)),
                keys.isEmpty() ? Optional.empty() : Optional.of(Path.of(keys)));
    }

    private static NodeSettings node(ConfigReader read, Place place, H2Limits h2) {
        return new NodeSettings(
                place.nodeName,
                read.string("NETWORK", "", "own network"),
                read.bool("ENABLE_ORIG_SRC", true, "show applications the client's address"),
                read.bool("ENABLE_RESPONSE_BAGGAGE", true, "say in answers who we are, and read it from requests"),
                read.duration("CULVERT_WORKLOAD_WAIT", Duration.ofSeconds(5), "how long a connection waits for xDS"),
                read.duration("CULVERT_HANDSHAKE_TIMEOUT", Duration.ofSeconds(10), "bound of a TLS handshake"),
                h2);
    }

    private static SocketSettings sockets(ConfigReader read) {
        return new SocketSettings(
                read.integer("PACKET_MARK", 1337, 1, Integer.MAX_VALUE, "SO_MARK of sockets in pods"),
                read.bool("IPV6_ENABLED", true, "listen on IPv6 too"),
                read.bool("INPOD_PORT_REUSE", true, "SO_REUSEPORT, for two instances side by side"),
                read.duration("CULVERT_CONNECT_TIMEOUT", Duration.ofSeconds(10), "bound of a TCP connect"),
                read.bool("KEEPALIVE_ENABLED", true, "TCP keepalive"),
                Math.toIntExact(read.duration("KEEPALIVE_TIME", Duration.ofSeconds(180), "idle time and interval")
                        .toSeconds()),
                read.integer("KEEPALIVE_RETRIES", 9, 1, 127, "probes before a peer counts as dead"));
    }

    private static H2Limits h2(ConfigReader read) {
        var stream = read.size("HTTP2_STREAM_WINDOW_SIZE", 256 * 1024, "window of a stream, bytes");
        var connection = read.size("HTTP2_CONNECTION_WINDOW_SIZE", 1024 * 1024, "window of a connection, bytes");
        var frame = read.size("HTTP2_FRAME_SIZE", 1024 * 1024, "largest frame taken, 16384 to 16777215");
        if (frame < 16384 || frame > 16777215 || stream < 65535 || connection < stream) {
            read.refuse(
                    "HTTP2_*: windows of at least 65535, the connection's not below a stream's, frames 16384 to 16777215");
            return H2Limits.DEFAULTS;
        }
        var local = new H2Settings(4096, 200, (int) stream, (int) frame, 65536);
        return new H2Limits(
                local,
                (int) connection,
                read.integer("POOL_MAX_STREAMS_PER_CONNECTION", 100, 1, 100_000, "streams on a pooled connection"),
                Duration.ofSeconds(10),
                Duration.ofSeconds(20));
    }

    private static PoolLimits pool(ConfigReader read, H2Limits h2) {
        return new PoolLimits(
                h2,
                Duration.ofSeconds(10),
                read.duration(
                        "CULVERT_CONNECT_ANSWER_TIMEOUT",
                        Duration.ofSeconds(20),
                        "bound of the wait for CONNECT's answer"),
                read.duration(
                        "POOL_UNUSED_RELEASE_TIMEOUT", Duration.ofMinutes(5), "how long an unused tunnel is kept"),
                500);
    }

    private static Serving serving(ConfigReader read) {
        var grace = read.optionalDuration(
                "TERMINATION_GRACE_PERIOD_SECONDS", "grace of the pod; the drain ends 5 s earlier");
        var deadline =
                read.optionalDuration("CONNECTION_TERMINATION_DEADLINE", "bound of the drain; wins over the grace");
        return new Serving(
                read.integer("ZTUNNEL_WORKER_THREADS", defaultWorkers(), 0, 1024, "event loops; 0 for one a core"),
                read.integer("CULVERT_ADMIN_PORT", 15000, 0, 65535, "admin, on localhost"),
                read.integer("CULVERT_STATS_PORT", 15020, 0, 65535, "metrics"),
                read.integer("CULVERT_READINESS_PORT", 15021, 0, 65535, "readiness"),
                deadline.orElse(grace.map(ZtunnelConfig::beforeEnd).orElse(Duration.ofSeconds(5))),
                read.size(
                        "CULVERT_RECEIVE_BUDGET",
                        32L * 1024 * 1024,
                        "undelivered bytes a loop holds before credit waits"));
    }

    private static Duration beforeEnd(Duration grace) {
        var less = grace.toSeconds() > 10 ? 5 : 1;
        return Duration.ofSeconds(Math.max(1, grace.toSeconds() - less));
    }

    private static int defaultWorkers() {
        return Math.max(2, (Runtime.getRuntime().availableProcessors() + 3) / 4);
    }
}
