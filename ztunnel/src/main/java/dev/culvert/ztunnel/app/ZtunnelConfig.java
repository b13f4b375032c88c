package dev.culvert.ztunnel.app;

import dev.culvert.daemon.config.ConfigException;
import dev.culvert.daemon.config.ConfigReader;
import dev.culvert.daemon.config.Env;
import dev.culvert.daemon.config.Setting;
import dev.culvert.daemon.log.LogConfig;
import dev.culvert.hbone.pool.PoolLimits;
import dev.culvert.hbone.tls.TlsPolicy;
import dev.culvert.proxy.xds.ControlPlane;
import dev.culvert.ztunnel.dns.DnsSettings;
import dev.culvert.ztunnel.dns.lookup.Zone;
import dev.culvert.ztunnel.inpod.NodeSettings;
import dev.culvert.ztunnel.inpod.PodId;
import dev.culvert.ztunnel.inpod.SocketSettings;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// All that ztunnel can be told, in Istio's names where Istio has one. What asks for something that ztunnel cannot do
/// is a mistake: nothing is ignored.
record ZtunnelConfig(
        Place place,
        Names names,
        Upstreams upstreams,
        Path zdsSocket,
        Kept kept,
        DataPlane dataPlane,
        Listening listening,
        Serving serving,
        LogConfig log,
        List<Setting> settings) {
    private static final Path MESH_FILE = Path.of("./etc/istio/config/mesh");

    /// Who this process is.
    /// @param metadata of the xDS node: ProxyConfig's and `ISTIO_META_*`
    /// @param jsonMetadata values of `ISTIO_METAJSON_*`
    /// @param dedicated the only workload that is served, in this process's own network namespace; empty for all of
    ///     the node
    record Place(
            String nodeName,
            Pod pod,
            Optional<PodId> dedicated,
            String network,
            String clusterId,
            Map<String, String> metadata,
            Map<String, Object> jsonMetadata) {
        /// @param serviceAccount empty if unknown
        record Pod(String name, String namespace, String instanceIp, String serviceAccount, String trustDomain) {}

        String istioVersion() {
            return metadata.getOrDefault("ISTIO_VERSION", "unknown");
        }
    }

    /// How names are resolved.
    /// @param capture whether there is a DNS proxy
    /// @param address where it listens in pods
    record Names(
            String clusterDomain,
            boolean capture,
            String address,
            Optional<String> preferredNamespace,
            Path resolvConf,
            DnsSettings.Limits limits) {}

    /// What is listened on in pods, besides the DNS proxy.
    record Listening(boolean proxy, boolean socks5) {}

    /// Empty without a DNS proxy.
    Optional<DnsSettings> dns() {
        var ipv6 = dataPlane.sockets().ipv6();
        return names.capture
                ? Optional.of(new DnsSettings(
                        DnsSettings.address(names.address, ipv6),
                        new Zone(names.clusterDomain, names.preferredNamespace.orElse(null), ipv6),
                        names.resolvConf,
                        names.limits))
                : Optional.empty();
    }

    /// Where mesh and certificates come from.
    /// @param xds null without a control plane
    /// @param onDemand whether addresses are asked for when a connection needs them
    /// @param local null without a mesh in a file or variable
    record Upstreams(
            @Nullable ControlPlane xds,
            boolean onDemand,
            ControlPlane ca,
            Duration secretTtl,
            LocalMesh.@Nullable Source local) {}

    /// Where state outlives the process.
    /// @param state configuration, on disk; empty to keep none
    /// @param keys keys and chains, on tmpfs; empty to keep none
    record Kept(Optional<Path> state, Optional<Path> keys) {}

    /// How connections are treated.
    /// @param originalSource whether applications must (true), must not (false), or if possible (empty) see the
    ///     client's address
    /// @param revocationLists a file of CRLs
    record DataPlane(
            Optional<Boolean> originalSource,
            NodeSettings node,
            SocketSettings sockets,
            TlsPolicy tls,
            Optional<Path> revocationLists,
            PoolLimits pool) {}

    /// @param adminPort on localhost
    /// @param receiveBudget bytes a loop may hold undelivered before credit waits for delivery
    record Serving(
            int workers, int adminPort, int statsPort, int readinessPort, Duration drainDeadline, long receiveBudget) {}

    static ZtunnelConfig from(Env env) throws ConfigException {
        return from(env, MESH_FILE);
    }

    /// @param meshFile Istio's mesh configuration; may be missing
    static ZtunnelConfig from(Env env, Path meshFile) throws ConfigException {
        var read = new ConfigReader(env);
        var proxyConfig = ProxyConfig.read(read, meshFile);
        var place = place(read, proxyConfig);
        var names = NameKeys.read(read, place);
        var config = new ZtunnelConfig(
                place,
                names,
                ControlPlaneKeys.read(read, place.clusterId, proxyConfig),
                read.path("INPOD_UDS", Path.of("/var/run/ztunnel/ztunnel.sock"), "socket of the node agent"),
                kept(read),
                DataPlaneKeys.read(read, place),
                listening(read, names),
                serving(read, proxyConfig),
                LogConfig.from(read),
                unsupported(read));
        if (config.upstreams.onDemand && config.names.capture) {
            read.refuse("XDS_ON_DEMAND=true with the DNS proxy: it answers from the whole mesh only;"
                    + " set ISTIO_META_DNS_CAPTURE=false or leave XDS_ON_DEMAND out");
        }
        read.done();
        return config;
    }

    private static Place place(ConfigReader read, ProxyConfig proxyConfig) {
        var pod = new Place.Pod(
                read.string("POD_NAME", "", "this pod"),
                read.string("POD_NAMESPACE", "", "namespace of this pod"),
                read.string("INSTANCE_IP", "1.1.1.1", "address of this pod"),
                read.string("SERVICE_ACCOUNT", "", "service account of this pod"),
                read.string("TRUST_DOMAIN", "cluster.local", "trust domain of this pod's own identity"));
        return new Place(
                read.string("NODE_NAME", "", "this node; its pods are served; empty for pods of any node"),
                pod,
                dedicated(read),
                read.string("NETWORK", "", "own network"),
                read.either("ISTIO_META_CLUSTER_ID", "CLUSTER_ID", "Kubernetes", "cluster id; else CLUSTER_ID's"),
                proxyConfig.metadataWith(
                        read.prefixed("ISTIO_META_", "xDS node metadata, over ProxyConfig's proxyMetadata")),
                proxyConfig.jsonMetadata(read.prefixed("ISTIO_METAJSON_", "xDS node metadata, each value JSON"), read));
    }

    private static Optional<PodId> dedicated(ConfigReader read) {
        var mode = read.oneOf(
                "PROXY_MODE",
                List.of("shared", "dedicated"),
                "shared",
                "shared: serves the pods of a node; dedicated: the one workload of its own network namespace");
        var whom = read.optionalParsed(
                "PROXY_WORKLOAD_INFO",
                "namespace/name/service-account",
                ZtunnelConfig::podId,
                "whom dedicated mode serves: namespace/name/service-account");
        if (mode.equals("shared")) {
            return Optional.empty();
        }
        if (whom.isEmpty()) {
            read.refuse("PROXY_MODE=dedicated needs PROXY_WORKLOAD_INFO=namespace/name/service-account");
        }
        return whom;
    }

    private static PodId podId(String text) {
        var parts = text.split("/", -1);
        if (parts.length != 3 || List.of(parts).contains("")) {
            throw new IllegalArgumentException(text);
        }
        return new PodId("dedicated", parts[0], parts[1], parts[2]);
    }

    private static Listening listening(ConfigReader read, Names names) {
        var proxy = read.bool("ENABLE_PROXY", true, "whether connections are proxied; false leaves only the DNS proxy");
        if (!proxy && !names.capture) {
            read.refuse("ENABLE_PROXY=false without a DNS proxy (DNS_CAPTURE): nothing would be left to do");
        }
        return new Listening(
                proxy, read.bool("UNSTABLE_ENABLE_SOCKS5", false, "SOCKS5 on 127.0.0.1:15080 of each pod"));
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

    private static Serving serving(ConfigReader read, ProxyConfig proxyConfig) {
        return new Serving(
                WorkerThreads.read(read, proxyConfig.concurrency()).count(),
                read.integer(
                        "CULVERT_ADMIN_PORT",
                        proxyConfig.adminPort(),
                        0,
                        65535,
                        "admin, on localhost; default also from ProxyConfig's proxyAdminPort"),
                read.integer(
                        "CULVERT_STATS_PORT",
                        proxyConfig.statsPort(),
                        0,
                        65535,
                        "metrics; default also from ProxyConfig's statsPort"),
                read.integer("CULVERT_READINESS_PORT", 15021, 0, 65535, "readiness"),
                drainDeadline(read),
                read.size(
                        "CULVERT_RECEIVE_BUDGET",
                        32L * 1024 * 1024,
                        "undelivered bytes a loop holds before credit waits"));
    }

    /// Some seconds before the kubelet kills us, so that open connections end by our hand.
    private static Duration drainDeadline(ConfigReader read) {
        var grace = read.optionalInteger(
                "TERMINATION_GRACE_PERIOD_SECONDS",
                0,
                Integer.MAX_VALUE,
                "seconds of grace of the pod; the drain ends 5 s earlier (1 s if it is 10 or less)");
        var deadline = read.optionalDuration(
                "CONNECTION_TERMINATION_DEADLINE", "bound of the drain; wins over the grace; 5s if both are unset");
        return deadline.orElse(grace.map(ZtunnelConfig::beforeTheEnd).orElse(Duration.ofSeconds(5)));
    }

    private static Duration beforeTheEnd(int graceSeconds) {
        return Duration.ofSeconds(Math.max(1, graceSeconds - (graceSeconds > 10 ? 5 : 1)));
    }

    /// Istio's settings for what does not exist here. At their defaults they are fine.
    /// @return every setting, for this is read last
    private static List<Setting> unsupported(ConfigReader read) {
        for (var name : List.of("FAKE_CA")) {
            if (read.bool(name, false, "only false: not supported")) {
                read.refuse(name + "=true is not supported by this ztunnel; leave it out");
            }
        }
        return read.settings();
    }
}
