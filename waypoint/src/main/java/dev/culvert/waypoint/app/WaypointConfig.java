package dev.culvert.waypoint.app;

import dev.culvert.daemon.config.ConfigException;
import dev.culvert.daemon.config.ConfigReader;
import dev.culvert.daemon.config.Env;
import dev.culvert.daemon.config.Setting;
import dev.culvert.daemon.log.AccessFormat;
import dev.culvert.daemon.log.LogConfig;
import dev.culvert.hbone.codec.H2Limits;
import dev.culvert.hbone.codec.H2Settings;
import dev.culvert.hbone.pool.PoolLimits;
import dev.culvert.mesh.model.identity.SpiffeId;
import dev.culvert.mesh.model.workload.Addresses;
import dev.culvert.proxy.xds.ControlPlane;
import dev.culvert.waypoint.edge.EdgeListener;
import dev.culvert.waypoint.http.HttpLimits;
import dev.culvert.waypoint.listener.HboneListener;
import dev.culvert.waypoint.trace.TraceSettings;
import dev.culvert.waypoint.upstream.UpstreamLimits;
import java.net.InetAddress;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// All that a waypoint can be told.
/// @param environment what users may have in their spans' tags, by name
record WaypointConfig(
        Place place,
        ControlPlane server,
        Duration secretTtl,
        Kept kept,
        Limits limits,
        Serving serving,
        TraceSettings traces,
        Function<String, @Nullable String> environment,
        LogConfig log,
        List<Setting> settings) {
    /// Who this process is: its ServiceAccount has its Gateway's name.
    record Place(
            String podName,
            String node,
            SpiffeId identity,
            InetAddress address,
            String network,
            String clusterId,
            String clusterDomain) {
        String gatewayHostname() {
            return identity.serviceAccount() + "." + identity.namespace() + ".svc." + clusterDomain;
        }
    }

    /// Where state outlives the process, both on tmpfs: a configuration may hold keys that tokens are signed with.
    /// @param state configuration; empty to keep none
    /// @param keys our key and chain; empty to keep none
    record Kept(Optional<Path> state, Optional<Path> keys) {}

    /// @param edgeHttp of clients from outside of the mesh
    record Limits(
            HttpLimits http,
            HttpLimits edgeHttp,
            UpstreamLimits upstream,
            PoolLimits tunnels,
            HboneListener.Bounds downstream,
            EdgeListener.Bounds edge) {}

    /// @param receiveBudget bytes a loop may hold undelivered before credit waits for delivery
    record Serving(
            int workers,
            int adminPort,
            int statsPort,
            int readinessPort,
            Duration drainDelay,
            Duration drainDeadline,
            long receiveBudget,
            AccessFormat accessLog) {}

    static WaypointConfig from(Env env) throws ConfigException {
        var read = new ConfigReader(env);
        var place = place(read);
        var server = server(read, place.clusterId);
        var config = new WaypointConfig(
                place,
                server,
                read.duration("SECRET_TTL", Duration.ofHours(24), "validity asked of the authority"),
                new Kept(
                        directory(
                                read,
                                "CULVERT_STATE_DIR",
                                "last good configuration, on tmpfs as it may hold keys of tokens; empty to keep none"),
                        directory(read, "CULVERT_KEYS_DIR", "our key and chain, on tmpfs; empty to keep none")),
                limits(read),
                serving(read),
                traces(read, place),
                name -> name.equals("AUTH_TOKEN") ? null : env.get(name).orElse(null),
                LogConfig.from(read),
                read.settings());
        read.done();
        return config;
    }

    private static Optional<Path> directory(ConfigReader read, String name, String sentence) {
        var path = read.string(name, "", sentence);
        return path.isEmpty() ? Optional.empty() : Optional.of(Path.of(path));
    }

    private static Place place(ConfigReader read) {
        var identity = new SpiffeId(
                segment(read, "TRUST_DOMAIN", "cluster.local", "trust domain of our own identity"),
                segment(read, "POD_NAMESPACE", "default", "namespace of this pod and of its Gateway"),
                segment(read, "SERVICE_ACCOUNT", "waypoint", "service account of this pod: its Gateway's name"));
        return new Place(
                read.string("POD_NAME", "waypoint", "this pod"),
                read.string("NODE_NAME", "", "this node"),
                identity,
                read.parsed(
                        "INSTANCE_IP",
                        "an IP address",
                        "127.0.0.1",
                        text -> Addresses.parse(text).orElseThrow(() -> new IllegalArgumentException(text)),
                        "address of this pod"),
                read.string("NETWORK", "", "own network"),
                read.either("ISTIO_META_CLUSTER_ID", "CLUSTER_ID", "Kubernetes", "cluster id; else CLUSTER_ID's"),
                read.string("CLUSTER_DOMAIN", "cluster.local", "DNS domain of the cluster"));
    }

    private static String segment(ConfigReader read, String name, String otherwise, String sentence) {
        return read.parsed(
                name,
                "a name without /",
                otherwise,
                text -> {
                    if (text.isEmpty() || text.indexOf('/') >= 0) {
                        throw new IllegalArgumentException(text);
                    }
                    return text;
                },
                sentence);
    }

    private static ControlPlane server(ConfigReader read, String clusterId) {
        var address = read.parsed(
                "XDS_ADDRESS",
                "https://host:port",
                "https://istiod.istio-system.svc:15012",
                text -> {
                    var uri = URI.create(text);
                    if (!"https".equals(uri.getScheme()) || uri.getHost() == null) {
                        throw new IllegalArgumentException(text);
                    }
                    return uri;
                },
                "control plane and certificate authority");
        return new ControlPlane(
                address,
                read.string(
                        "XDS_ROOT_CA",
                        "./var/run/secrets/istio/root-cert.pem",
                        "PEM file, SYSTEM, or PEM text, to check the server with"),
                read.string(
                        "AUTH_TOKEN",
                        "./var/run/secrets/tokens/istio-token",
                        "token file, read for each call, or the token itself"),
                read.string("ALT_XDS_HOSTNAME", "", "second name that the server's certificate may have"),
                clusterId,
                Map.of());
    }

    private static Limits limits(ConfigReader read) {
        var streams = read.integer(
                "CULVERT_MAX_TUNNELS_PER_CONNECTION",
                200,
                1,
                100_000,
                "tunnels that one client's connection may carry");
        var h2 = new H2Limits(
                new H2Settings(4096, streams, 256 * 1024, 1024 * 1024, 65536),
                1024 * 1024,
                100,
                Duration.ofSeconds(10),
                Duration.ofSeconds(20));
        var http = new HttpLimits(
                (int) Math.min(
                        1 << 20, read.size("CULVERT_MAX_HEADER_SIZE", 60 * 1024, "header of a request; at most 1MiB")),
                read.integer("CULVERT_MAX_REQUESTS_PER_CONNECTION", 100, 1, 100_000, "HTTP/2 requests at a time"),
                (int) Math.min(
                        16 << 20,
                        read.size("CULVERT_RETRY_BUFFER", 64 * 1024, "body kept for another try; at most 16MiB")),
                read.duration(
                        "CULVERT_IDLE_TIMEOUT", Duration.ofHours(1), "bound of the wait for a request's whole header"),
                read.duration(
                        "CULVERT_DETECT_TIMEOUT",
                        Duration.ofSeconds(5),
                        "bound of the guess which protocol a port without one carries"));
        var upstream = new UpstreamLimits(
                read.integer(
                        "CULVERT_MAX_UPSTREAM_CONNECTIONS",
                        1024,
                        1,
                        1_000_000,
                        "of a loop, to one endpoint; more: 503"),
                100,
                read.duration("CULVERT_UPSTREAM_IDLE_TIMEOUT", Duration.ofMinutes(1), "of connections to endpoints"),
                read.duration("CULVERT_CONNECT_TIMEOUT", Duration.ofSeconds(10), "bound of a TCP connect"));
        var handshake = read.duration("CULVERT_HANDSHAKE_TIMEOUT", Duration.ofSeconds(10), "bound of a TLS handshake");
        var tunnels = new PoolLimits(
                h2,
                handshake,
                read.duration(
                        "CULVERT_CONNECT_ANSWER_TIMEOUT",
                        Duration.ofSeconds(20),
                        "bound of the wait for CONNECT's answer"),
                Duration.ofMinutes(5),
                500);
        var downstream = new HboneListener.Bounds(
                h2,
                read.integer(
                        "CULVERT_MAX_CONNECTIONS", 20_000, 1, 10_000_000, "tunnel connections that clients may open"),
                handshake,
                read.duration(
                        "CULVERT_CONFIG_WAIT",
                        Duration.ofSeconds(2),
                        "how long a tunnel waits for xDS to tell of its Service"));
        var edge = new EdgeListener.Bounds(
                read.integer(
                        "CULVERT_EDGE_MAX_CONNECTIONS",
                        20_000,
                        1,
                        10_000_000,
                        "connections that clients from outside of the mesh may open"),
                handshake);
        return new Limits(http, edge(read, http), upstream, tunnels, downstream, edge);
    }

    private static HttpLimits edge(ConfigReader read, HttpLimits http) {
        return new HttpLimits(
                http.headerBytes(),
                http.streams(),
                http.replayBytes(),
                read.duration(
                        "CULVERT_EDGE_IDLE_TIMEOUT",
                        Duration.ofMinutes(1),
                        "bound of the wait for a request's whole header, of clients from outside of the mesh"),
                http.detect());
    }

    /// By OpenTelemetry's own names.
    private static TraceSettings traces(ConfigReader read, Place place) {
        read.oneOf(
                "OTEL_EXPORTER_OTLP_PROTOCOL",
                List.of("http/protobuf"),
                "http/protobuf",
                "how spans are sent; there is one way");
        var endpoint = read.<Optional<URI>>parsed(
                "OTEL_EXPORTER_OTLP_ENDPOINT",
                "http://host:port or https://host:port, a path allowed",
                "",
                text -> text.isEmpty() ? Optional.empty() : Optional.of(collector(text)),
                "collector of spans, such as http://otel-collector.observability.svc.cluster.local:4318; empty for no "
                        + "spans: headers of traces pass as they are");
        var share = read.parsed(
                "OTEL_TRACES_SAMPLER_ARG",
                "number from 0 to 1",
                "0.01",
                text -> {
                    var number = Double.parseDouble(text);
                    if (!(number >= 0 && number <= 1)) {
                        throw new IllegalArgumentException(text);
                    }
                    return number;
                },
                "share of the traces that begin here; others are sampled as whoever began them has said");
        var timeout = read.integer(
                "OTEL_EXPORTER_OTLP_TIMEOUT", 10_000, 1, 600_000, "milliseconds that the collector has for an answer");
        var identity = place.identity();
        var name = read.string("OTEL_SERVICE_NAME", "", "of this process in spans; else `<Gateway>.<namespace>`");
        return new TraceSettings(
                endpoint,
                share,
                Duration.ofMillis(timeout),
                Map.of(
                        "service.name",
                        name.isEmpty() ? identity.serviceAccount() + "." + identity.namespace() : name,
                        "k8s.pod.name",
                        place.podName(),
                        "k8s.namespace.name",
                        identity.namespace(),
                        "k8s.cluster.name",
                        place.clusterId()));
    }

    private static URI collector(String text) {
        var uri = URI.create(text);
        var http = "http".equals(uri.getScheme()) || "https".equals(uri.getScheme());
        if (!http || uri.getHost() == null || uri.getUserInfo() != null || uri.getQuery() != null) {
            throw new IllegalArgumentException(text);
        }
        return uri;
    }

    private static Serving serving(ConfigReader read) {
        var cores = Runtime.getRuntime().availableProcessors();
        var workers = read.integer("CULVERT_WORKERS", 0, 0, 1024, "event loops; 0 for one a core");
        return new Serving(
                workers == 0 ? cores : workers,
                read.integer("CULVERT_ADMIN_PORT", 15000, 0, 65535, "dumps and log levels, on loopback only"),
                read.integer("CULVERT_STATS_PORT", 15020, 0, 65535, "metrics"),
                read.integer("CULVERT_READINESS_PORT", 15021, 0, 65535, "readiness"),
                read.duration(
                        "CULVERT_DRAIN_DELAY",
                        Duration.ofSeconds(1),
                        "how long new tunnels are taken after the signal to stop, until everybody knows"),
                read.duration("CONNECTION_TERMINATION_DEADLINE", Duration.ofSeconds(5), "bound of the drain"),
                read.size(
                        "CULVERT_RECEIVE_BUDGET",
                        32L * 1024 * 1024,
                        "undelivered bytes a loop holds before credit waits"),
                read.parsed(
                        "CULVERT_ACCESS_LOG",
                        "fields, text, json or off",
                        "fields",
                        AccessFormat::parse,
                        "a line for each request: our fields, Istio's text or JSON format, or none"));
    }
}
