package dev.culvert.ztunnel.app;

import dev.culvert.daemon.config.ConfigReader;
import dev.culvert.hbone.codec.H2Limits;
import dev.culvert.hbone.codec.H2Settings;
import dev.culvert.hbone.pool.PoolLimits;
import dev.culvert.hbone.tls.TlsPolicy;
import dev.culvert.ztunnel.inpod.NodeSettings;
import dev.culvert.ztunnel.inpod.SocketSettings;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/// Reads how connections are treated.
final class DataPlaneKeys {
    private final ConfigReader read;

    private DataPlaneKeys(ConfigReader read) {
        this.read = read;
    }

    static ZtunnelConfig.DataPlane read(ConfigReader read, ZtunnelConfig.Place place) {
        return new DataPlaneKeys(read).dataPlane(place);
    }

    private ZtunnelConfig.DataPlane dataPlane(ZtunnelConfig.Place place) {
        var h2 = h2();
        var originalSource = read.optionalBool(
                "ENABLE_ORIG_SRC",
                "whether applications see the client's address: true = or the start fails, false = never; unset = if this process may");
        return new ZtunnelConfig.DataPlane(
                originalSource,
                node(place, originalSource.orElse(true), h2),
                sockets(place.dedicated().isEmpty() ? 1337 : 0),
                tls(),
                read.optional("CRL_PATH", "file of revocation lists in PEM, read again when it changes")
                        .filter(path -> !path.isEmpty())
                        .map(Path::of),
                pool(h2));
    }

    private NodeSettings node(ZtunnelConfig.Place place, boolean spoof, H2Limits h2) {
        return new NodeSettings(
                place.nodeName(),
                place.network(),
                spoof,
                read.bool("ENABLE_RESPONSE_BAGGAGE", true, "say in answers who we are, and read it from requests"),
                read.bool(
                        "LOCALHOST_APP_TUNNEL", true, "application tunnels (PROXY protocol) go to the pod's loopback"),
                read.bool(
                        "AUTHZ_POLICY_INFO_LOGGING",
                        false,
                        "log what policies say of each connection at level info, not debug"),
                read.duration("CULVERT_WORKLOAD_WAIT", Duration.ofSeconds(5), "how long a connection waits for xDS"),
                read.duration("CULVERT_HANDSHAKE_TIMEOUT", Duration.ofSeconds(10), "bound of a TLS handshake"),
                read.duration(
                        "CULVERT_TUNNEL_IDLE",
                        Duration.ofMinutes(15),
                        "how long a peer may keep a tunnel without a stream"),
                h2);
    }

    private SocketSettings sockets(int mark) {
        return new SocketSettings(
                read.integer(
                        "PACKET_MARK",
                        mark,
                        0,
                        Integer.MAX_VALUE,
                        "SO_MARK of sockets in pods; dedicated mode: 0, none"),
                true,
                read.bool("IPV6_ENABLED", true, "listen on IPv6 too"),
                read.bool("INPOD_PORT_REUSE", true, "SO_REUSEPORT, for two instances side by side"),
                read.duration("CULVERT_CONNECT_TIMEOUT", Duration.ofSeconds(10), "bound of a TCP connect"),
                keepalive());
    }

    private SocketSettings.Keepalive keepalive() {
        return new SocketSettings.Keepalive(
                read.bool("KEEPALIVE_ENABLED", true, "TCP keepalive"),
                seconds("KEEPALIVE_TIME", "idle time before the first probe, 1s to 32767s"),
                seconds("KEEPALIVE_INTERVAL", "time between probes, 1s to 32767s"),
                read.integer("KEEPALIVE_RETRIES", 9, 1, 127, "probes before a peer counts as dead"),
                read.bool(
                        "USER_TIMEOUT_ENABLED",
                        false,
                        "TCP_USER_TIMEOUT of KEEPALIVE_TIME + KEEPALIVE_RETRIES × KEEPALIVE_INTERVAL"));
    }

    /// What tcp(7) takes for its keepalive options.
    private int seconds(String name, String sentence) {
        var value = read.duration(name, Duration.ofMinutes(3), sentence).toSeconds();
        if (value < 1 || value > 32767) {
            read.refuse(name + "=" + value + "s: expected 1s to 32767s");
            return 180;
        }
        return (int) value;
    }

    private TlsPolicy tls() {
        var tls12 = read.bool("TLS12_ENABLED", false, "accept and offer TLS 1.2 beside 1.3");
        var compliance = read.optionalParsed(
                "COMPLIANCE_POLICY",
                "pqc, or unset",
                text -> {
                    if (!text.equals("pqc")) {
                        throw new IllegalArgumentException(text);
                    }
                    return text;
                },
                "pqc: only the hybrid key exchange X25519MLKEM768");
        if (tls12 && compliance.isPresent()) {
            read.refuse("TLS12_ENABLED=true with COMPLIANCE_POLICY=pqc: TLS 1.2 has no hybrid key exchange;"
                    + " leave one out");
        }
        return new TlsPolicy(tls12, compliance.isPresent() ? List.of(TlsPolicy.HYBRID) : TlsPolicy.DEFAULT.groups());
    }

    private H2Limits h2() {
        var stream = read.size("HTTP2_STREAM_WINDOW_SIZE", 256 * 1024, "window of a stream, bytes (Istio: 4MiB)");
        var connection =
                read.size("HTTP2_CONNECTION_WINDOW_SIZE", 1024 * 1024, "window of a connection, bytes (Istio: 16MiB)");
        var frame = read.size("HTTP2_FRAME_SIZE", 1024 * 1024, "largest frame taken, 16384 to 16777215");
        var streams =
                read.integer("POOL_MAX_STREAMS_PER_CONNECTION", 100, 1, 100_000, "streams on a pooled connection");
        if (frame < 16384 || frame > 16777215 || stream < 65535 || connection < stream || connection > 1L << 30) {
            read.refuse("HTTP2_*: windows of at least 65535 and at most 1GiB, the connection's not below a stream's,"
                    + " frames 16384 to 16777215");
            return H2Limits.DEFAULTS;
        }
        var local = new H2Settings(4096, 200, (int) stream, (int) frame, 65536);
        return new H2Limits(local, (int) connection, streams, Duration.ofSeconds(10), Duration.ofSeconds(20));
    }

    private PoolLimits pool(H2Limits h2) {
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
}
