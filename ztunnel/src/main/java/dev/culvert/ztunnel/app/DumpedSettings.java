package dev.culvert.ztunnel.app;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.culvert.proxy.xds.ControlPlane;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// `config` and `version` of `/config_dump`, under Istio's names. Secrets are not among them: a token that was given as
/// a value is shown nowhere.
final class DumpedSettings {
    private static final List<Integer> OWN_PORTS = List.of(15001, 15006, 15008, 15080);

    private final ZtunnelConfig config;
    private final ObjectNode out = JsonNodeFactory.instance.objectNode();

    private DumpedSettings(ZtunnelConfig config) {
        this.config = config;
    }

    static ConfigDump.Settings of(ZtunnelConfig config) {
        return new ConfigDump.Settings(new DumpedSettings(config).config(), version(config));
    }

    private static ObjectNode version(ZtunnelConfig config) {
        return JsonNodeFactory.instance
                .objectNode()
                .put("version", Version.number())
                .put("gitRevision", "unknown")
                .put("rustVersion", "none, Java " + Runtime.version())
                .put("buildProfile", "release")
                .put("buildStatus", "unknown")
                .put("istioVersion", config.place().istioVersion())
                .put("cryptoProvider", "boringssl");
    }

    private ObjectNode config() {
        identity();
        upstreams();
        addresses();
        connections();
        out.put("dnsProxy", config.names().capture());
        out.put("preferedServiceNamespace", config.names().preferredNamespace().orElse(null));
        out.put("clusterDomain", config.names().clusterDomain());
        out.put("numWorkerThreads", config.serving().workers());
        out.put("inpodUds", config.zdsSocket().toString());
        out.set("selfTerminationDeadline", duration(config.serving().drainDeadline()));
        out.putArray("proxyArgs").add("proxy").add("ztunnel");
        out.putObject("dnsResolverCfg");
        out.putObject("dnsResolverOpts");
        return out;
    }

    private void identity() {
        var place = config.place();
        var pod = place.pod();
        out.put("proxy", config.listening().proxy()).put("proxyMode", "Shared").putNull("proxyWorkloadInformation");
        out.put("network", place.network()).put("localNode", place.nodeName().isEmpty() ? null : place.nodeName());
        out.put("clusterId", place.clusterId());
        out.set("proxyMetadata", map(place.metadata()));
        if (pod.name().isEmpty()
                || pod.namespace().isEmpty()
                || pod.serviceAccount().isEmpty()) {
            out.putNull("ztunnelIdentity").putNull("ztunnelWorkload");
        } else {
            out.put(
                    "ztunnelIdentity",
                    "spiffe://" + pod.trustDomain() + "/ns/" + pod.namespace() + "/sa/" + pod.serviceAccount());
            out.putObject("ztunnelWorkload")
                    .put("name", pod.name())
                    .put("namespace", pod.namespace())
                    .put("serviceAccount", pod.serviceAccount());
        }
    }

    private void upstreams() {
        var from = config.upstreams();
        server("xds", "xdsRootCert", "altXdsHostname", from.xds());
        server("ca", "caRootCert", "altCaHostname", from.ca());
        out.set("secretTtl", duration(from.secretTtl()));
        out.put("xdsOnDemand", false).put("fakeCa", false).put("fakeSelfInbound", false);
        config.dataPlane()
                .revocationLists()
                .ifPresentOrElse(path -> out.put("crlPath", path.toString()), () -> out.putNull("crlPath"));
    }

    private void server(String which, String root, String alternative, @Nullable ControlPlane server) {
        out.put(which + "Address", server == null ? null : server.address().toString());
        out.set(root, server == null ? JsonNodeFactory.instance.nullNode() : root(server.rootCa()));
        out.put(alternative, server == null || server.altHostname().isEmpty() ? null : server.altHostname());
        out.set(which + "Headers", names(server));
    }

    /// Headers may hold secrets: their names only.
    private static JsonNode names(@Nullable ControlPlane server) {
        var names = JsonNodeFactory.instance.arrayNode();
        if (server != null) {
            server.headers().keySet().stream().sorted().forEach(names::add);
        }
        return names;
    }

    private static JsonNode root(String given) {
        if (given.equals("SYSTEM")) {
            return JsonNodeFactory.instance.textNode("Default");
        }
        return given.contains("-----BEGIN")
                ? JsonNodeFactory.instance.objectNode().put("Static", "PEM of " + given.length() + " characters")
                : JsonNodeFactory.instance
                        .objectNode()
                        .put("File", Path.of(given).toString());
    }

    private void addresses() {
        var serving = config.serving();
        out.put("socks5Addr", config.listening().socks5() ? "127.0.0.1:15080" : null);
        out.set("adminAddr", localhost(serving.adminPort()));
        out.set("statsAddr", socket(serving.statsPort()));
        out.set("readinessAddr", socket(serving.readinessPort()));
        out.set("dnsProxyAddr", JsonNodeFactory.instance.textNode(config.names().address()));
        var wildcard = config.dataPlane().sockets().ipv6() ? "[::]:" : "0.0.0.0:";
        out.put("outboundAddr", wildcard + 15001);
        out.put("inboundPlaintextAddr", wildcard + 15006);
        out.put("inboundAddr", wildcard + 15008);
        var own = out.putArray("illegalPorts");
        OWN_PORTS.forEach(own::add);
    }

    private ObjectNode localhost(int port) {
        var of = JsonNodeFactory.instance.objectNode();
        of.putArray("Localhost").add(config.dataPlane().sockets().ipv6()).add(port);
        return of;
    }

    private ObjectNode socket(int port) {
        var wildcard = config.dataPlane().sockets().ipv6() ? "[::]:" : "0.0.0.0:";
        return JsonNodeFactory.instance.objectNode().put("SocketAddr", wildcard + port);
    }

    private void connections() {
        var of = config.dataPlane();
        var h2 = of.node().h2();
        out.put("windowSize", h2.local().initialWindowBytes());
        out.put("connectionWindowSize", h2.connectionWindowBytes());
        out.put("frameSize", h2.local().maxFrameBytes());
        out.put("poolMaxStreamsPerConn", h2.maxStreams());
        out.set("poolUnusedReleaseTimeout", duration(of.pool().unusedRelease()));
        optional("requireOriginalSource", of.originalSource());
        out.put("inpodPortReuse", of.sockets().reusePort())
                .put("packetMark", of.sockets().mark());
        out.put("ipv6Enabled", of.sockets().ipv6())
                .put("localhostAppTunnel", of.node().localhostAppTunnel());
        out.put("enableEnhancedBaggage", of.node().responseBaggage());
        var keepalive = of.sockets().keepalive();
        var socket = out.putObject("socketConfig");
        socket.put("keepaliveEnabled", keepalive.enabled()).put("keepaliveRetries", keepalive.probes());
        socket.set("keepaliveTime", duration(Duration.ofSeconds(keepalive.idleSeconds())));
        socket.set("keepaliveInterval", duration(Duration.ofSeconds(keepalive.intervalSeconds())));
        socket.put("userTimeoutEnabled", keepalive.userTimeout());
    }

    private void optional(String name, Optional<Boolean> value) {
        out.put(name, value.orElse(null));
    }

    private static ObjectNode map(Map<String, String> values) {
        return new ObjectMapper().valueToTree(values);
    }

    private static ObjectNode duration(Duration value) {
        return JsonNodeFactory.instance
                .objectNode()
                .put("nanos", value.toNanosPart())
                .put("secs", value.toSeconds());
    }
}
