package dev.culvert.ztunnel.app;

import dev.culvert.daemon.config.ConfigReader;
import dev.culvert.proxy.xds.ControlPlane;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Reads how the control plane is reached.
final class ControlPlaneKeys {
    private final ConfigReader read;
    private final String clusterId;

    private ControlPlaneKeys(ConfigReader read, String clusterId) {
        this.read = read;
        this.clusterId = clusterId;
    }

    static ZtunnelConfig.Upstreams read(ConfigReader read, String clusterId, ProxyConfig proxyConfig) {
        return new ControlPlaneKeys(read, clusterId).upstreams(proxyConfig);
    }

    private ZtunnelConfig.Upstreams upstreams(ProxyConfig proxyConfig) {
        var inKubernetes = read.optional(
                        "KUBERNETES_SERVICE_HOST",
                        "set in Kubernetes; decides the default address of the control plane")
                .isPresent();
        var istiod = !proxyConfig.discoveryAddress().isEmpty()
                ? proxyConfig.discoveryAddress()
                : inKubernetes ? "https://istiod.istio-system.svc:15012" : "https://localhost:15012";
        var hint =
                "; the default is ProxyConfig's discoveryAddress, else https://istiod.istio-system.svc:15012 in Kubernetes";
        var xds = read.string("XDS_ADDRESS", istiod, "control plane, `https://host:port`; empty for none" + hint);
        var ca = read.string("CA_ADDRESS", istiod, "certificate authority, `https://host:port`" + hint);
        if (ca.isEmpty()) {
            read.refuse("CA_ADDRESS is empty: pods would have no certificates; name an authority or leave it out");
        }
        var token = read.string(
                "AUTH_TOKEN",
                "./var/run/secrets/tokens/istio-token",
                "token file, read for each call, or the token itself");
        return new ZtunnelConfig.Upstreams(
                server("XDS", xds, token),
                read.bool(
                        "XDS_ON_DEMAND",
                        false,
                        "ask for addresses when a connection needs them; not together with the DNS proxy"),
                orInvalid(server("CA", ca, token)),
                read.duration("SECRET_TTL", Duration.ofHours(24), "validity asked of the authority"),
                local());
    }

    /// What stands in for a server whose mistake has been noted: the process will not start.
    private ControlPlane orInvalid(@Nullable ControlPlane server) {
        return server == null
                ? new ControlPlane(URI.create("https://invalid.invalid"), "SYSTEM", "", "", clusterId, Map.of())
                : server;
    }

    private @Nullable ControlPlane server(String which, String address, String token) {
        var root = read.string(
                which + "_ROOT_CA",
                "./var/run/secrets/istio/root-cert.pem",
                "PEM file, SYSTEM, or PEM text, to check the server with");
        var alternative = read.optional(
                        "ALT_" + which + "_HOSTNAME",
                        "second name that the server's certificate may have, beside the address's host")
                .orElse("");
        var headers = read.prefixed(which + "_HEADER_", "further gRPC metadata of calls to it");
        if (address.isEmpty()) {
            return null;
        }
        try {
            var uri = URI.create(address.contains("://") ? address : "https://" + address);
            return new ControlPlane(uri, root, token, alternative, clusterId, headers);
        } catch (IllegalArgumentException bad) {
            read.refuse(which + "_ADDRESS=" + address + ": " + bad.getMessage());
            return null;
        }
    }

    private LocalMesh.@Nullable Source local() {
        var path = read.optional("LOCAL_XDS_PATH", "YAML file with a mesh, instead of or beside a control plane")
                .filter(text -> !text.isEmpty())
                .map(text -> LocalMesh.Source.file(Path.of(text)));
        Optional<LocalMesh.Source> text = read.optional("LOCAL_XDS", "the same YAML as a value; at most one of both")
                .filter(yaml -> !yaml.isEmpty())
                .map(LocalMesh.Source::text);
        if (path.isPresent() && text.isPresent()) {
            read.refuse("LOCAL_XDS and LOCAL_XDS_PATH are both set: leave one out");
        }
        return path.or(() -> text).orElse(null);
    }
}
