package dev.culvert.kube.object;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/// The kinds of object that we read.
public enum Kind {
    NAMESPACE("Namespace", false, "v1"),
    NODE("Node", false, "v1"),
    POD("Pod", true, "v1"),
    SERVICE("Service", true, "v1"),
    SERVICE_ACCOUNT("ServiceAccount", true, "v1"),
    SECRET("Secret", true, "v1"),
    CONFIG_MAP("ConfigMap", true, "v1"),
    ENDPOINT_SLICE("EndpointSlice", true, "discovery.k8s.io/v1"),
    DEPLOYMENT("Deployment", true, "apps/v1"),
    MUTATING_WEBHOOK("MutatingWebhookConfiguration", false, "admissionregistration.k8s.io/v1"),
    PEER_AUTHENTICATION("PeerAuthentication", true, "security.istio.io/v1"),
    AUTHORIZATION_POLICY("AuthorizationPolicy", true, "security.istio.io/v1"),
    GATEWAY("Gateway", true, "gateway.networking.k8s.io/v1"),
    /// Beside the Gateway API's; of one kind and another group.
    ISTIO_GATEWAY("Gateway", true, "networking.istio.io/v1"),
    GATEWAY_CLASS("GatewayClass", false, "gateway.networking.k8s.io/v1"),
    HTTP_ROUTE("HTTPRoute", true, "gateway.networking.k8s.io/v1"),
    GRPC_ROUTE("GRPCRoute", true, "gateway.networking.k8s.io/v1"),
    TLS_ROUTE("TLSRoute", true, "gateway.networking.k8s.io/v1"),
    TCP_ROUTE("TCPRoute", true, "gateway.networking.k8s.io/v1"),
    REFERENCE_GRANT("ReferenceGrant", true, "gateway.networking.k8s.io/v1"),
    VIRTUAL_SERVICE("VirtualService", true, "networking.istio.io/v1"),
    DESTINATION_RULE("DestinationRule", true, "networking.istio.io/v1"),
    REQUEST_AUTHENTICATION("RequestAuthentication", true, "security.istio.io/v1"),
    SERVICE_ENTRY("ServiceEntry", true, "networking.istio.io/v1"),
    WORKLOAD_ENTRY("WorkloadEntry", true, "networking.istio.io/v1"),
    SIDECAR("Sidecar", true, "networking.istio.io/v1"),
    ENVOY_FILTER("EnvoyFilter", true, "networking.istio.io/v1alpha3"),
    PROXY_CONFIG("ProxyConfig", true, "networking.istio.io/v1beta1"),
    WORKLOAD_GROUP("WorkloadGroup", true, "networking.istio.io/v1"),
    WASM_PLUGIN("WasmPlugin", true, "extensions.istio.io/v1alpha1"),
    TRAFFIC_EXTENSION("TrafficExtension", true, "extensions.istio.io/v1alpha1"),
    TELEMETRY("Telemetry", true, "telemetry.istio.io/v1");

    private final String text;
    private final boolean namespaced;
    private final String apiVersion;

    Kind(String text, boolean namespaced, String apiVersion) {
        this.text = text;
        this.namespaced = namespaced;
        this.apiVersion = apiVersion;
    }

    /// As [#shown].
    public static Optional<Kind> named(String text) {
        return Arrays.stream(values()).filter(kind -> kind.shown().equals(text)).findFirst();
    }

    /// As in YAML; of those with one name the one that its API group says, else the first.
    public static Optional<Kind> of(String text, String apiVersion) {
        var all = Arrays.stream(values()).filter(kind -> kind.text.equals(text)).toList();
        var group = apiVersion.substring(0, apiVersion.lastIndexOf('/') + 1);
        return all.stream()
                .filter(kind -> kind.apiVersion.startsWith(group) && !group.isEmpty())
                .findFirst()
                .or(() -> all.stream().findFirst());
    }

    /// For messages: every kind has another.
    public String shown() {
        return this == ISTIO_GATEWAY ? "Istio Gateway" : text;
    }

    /// As in YAML.
    public String text() {
        return text;
    }

    public boolean namespaced() {
        return namespaced;
    }

    /// All accepted ones, the one to write first.
    public List<String> apiVersions() {
        return switch (this) {
            case NAMESPACE,
                    NODE,
                    POD,
                    SERVICE,
                    SERVICE_ACCOUNT,
                    SECRET,
                    CONFIG_MAP,
                    ENDPOINT_SLICE,
                    DEPLOYMENT,
                    MUTATING_WEBHOOK,
                    ENVOY_FILTER,
                    PROXY_CONFIG,
                    WASM_PLUGIN,
                    TRAFFIC_EXTENSION -> List.of(apiVersion);
            case PEER_AUTHENTICATION,
                    AUTHORIZATION_POLICY,
                    REQUEST_AUTHENTICATION,
                    GATEWAY,
                    GATEWAY_CLASS,
                    HTTP_ROUTE,
                    REFERENCE_GRANT -> List.of(apiVersion, apiVersion + "beta1");
            case GRPC_ROUTE -> List.of(apiVersion, apiVersion + "alpha2");
            case TELEMETRY -> List.of(apiVersion, apiVersion + "alpha1");
            case TLS_ROUTE, TCP_ROUTE -> List.of(apiVersion, apiVersion + "alpha3", apiVersion + "alpha2");
            case VIRTUAL_SERVICE,
                    DESTINATION_RULE,
                    ISTIO_GATEWAY,
                    SERVICE_ENTRY,
                    WORKLOAD_ENTRY,
                    SIDECAR,
                    WORKLOAD_GROUP -> List.of(apiVersion, apiVersion + "beta1", apiVersion + "alpha3");
        };
    }
}
