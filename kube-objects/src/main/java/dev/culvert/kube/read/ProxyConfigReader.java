package dev.culvert.kube.read;

import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Reads of Istio's `ProxyConfig` what is not of sidecars: `gatewayTopology`, in the mesh's `defaultConfig` and in the
/// annotation `proxy.istio.io/config`.
final class ProxyConfigReader {
    private static final String ANNOTATION = "proxy.istio.io/config";
    private static final int MOST_PROXIES = 100;
    private static final Map<String, String> NOT_YET = Map.of(
            "forwardClientCertDetails", "remove it: upstreams are told of verified certificates only",
            "proxyProtocol", "let the load balancer add to X-Forwarded-For, and set numTrustedProxies");

    private ProxyConfigReader() {}

    /// @param proxyConfig with `gatewayTopology` in it, or not
    static Optional<Integer> trustedProxies(Fields proxyConfig) {
        var topology = proxyConfig
                .childOrEmpty("gatewayTopology")
                .knowing(Set.of("numTrustedProxies", "forwardClientCertDetails", "proxyProtocol"));
        NOT_YET.forEach((name, instead) -> {
            if (topology.has(name)) {
                topology.warning(name, topology.named(name) + " has no effect here", instead);
            }
        });
        return topology.integer("numTrustedProxies", 0, MOST_PROXIES);
    }

    /// @param annotations of an object, or those that it asks for
    static Optional<Integer> annotated(Fields annotations) {
        return annotations.has(ANNOTATION) ? trustedProxies(annotations.embedded(ANNOTATION)) : Optional.empty();
    }
}
