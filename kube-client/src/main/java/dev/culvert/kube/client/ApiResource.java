package dev.culvert.kube.client;

import dev.culvert.kube.object.Kind;
import io.fabric8.kubernetes.client.dsl.base.ResourceDefinitionContext;
import java.util.List;

/// How the API server calls a kind.
///
/// @param group empty for the core group
/// @param plural as in paths
/// @param versions those that we can read, the best first
public record ApiResource(Kind kind, String group, String plural, List<String> versions) {
    public ApiResource {
        versions = List.copyOf(versions);
    }

    public static ApiResource of(Kind kind) {
        var first = kind.apiVersions().getFirst();
        return new ApiResource(
                kind,
                first.contains("/") ? first.substring(0, first.indexOf('/')) : "",
                plural(kind),
                kind.apiVersions().stream()
                        .map(version -> version.substring(version.indexOf('/') + 1))
                        .toList());
    }

    /// Whether a CustomResourceDefinition brings it.
    boolean isCustom() {
        return group.endsWith(".istio.io") || group.equals("gateway.networking.k8s.io");
    }

    /// The name of its CustomResourceDefinition.
    String definition() {
        return plural + "." + group;
    }

    public ResourceDefinitionContext context(String version) {
        return new ResourceDefinitionContext.Builder()
                .withGroup(group.isEmpty() ? null : group)
                .withVersion(version)
                .withKind(kind.text())
                .withPlural(plural)
                .withNamespaced(kind.namespaced())
                .build();
    }

    private static String plural(Kind kind) {
        return switch (kind) {
            case NAMESPACE -> "namespaces";
            case NODE -> "nodes";
            case POD -> "pods";
            case SERVICE -> "services";
            case SERVICE_ACCOUNT -> "serviceaccounts";
            case SECRET -> "secrets";
            case CONFIG_MAP -> "configmaps";
            case ENDPOINT_SLICE -> "endpointslices";
            case DEPLOYMENT -> "deployments";
            case MUTATING_WEBHOOK -> "mutatingwebhookconfigurations";
            case PEER_AUTHENTICATION -> "peerauthentications";
            case AUTHORIZATION_POLICY -> "authorizationpolicies";
            case GATEWAY, ISTIO_GATEWAY -> "gateways";
            case GATEWAY_CLASS -> "gatewayclasses";
            case HTTP_ROUTE -> "httproutes";
            case GRPC_ROUTE -> "grpcroutes";
            case TLS_ROUTE -> "tlsroutes";
            case TCP_ROUTE -> "tcproutes";
            case REFERENCE_GRANT -> "referencegrants";
            case REQUEST_AUTHENTICATION -> "requestauthentications";
            case VIRTUAL_SERVICE -> "virtualservices";
            case DESTINATION_RULE -> "destinationrules";
            case SERVICE_ENTRY -> "serviceentries";
            case WORKLOAD_ENTRY -> "workloadentries";
            case SIDECAR -> "sidecars";
            case ENVOY_FILTER -> "envoyfilters";
            case PROXY_CONFIG -> "proxyconfigs";
            case WORKLOAD_GROUP -> "workloadgroups";
            case WASM_PLUGIN -> "wasmplugins";
            case TRAFFIC_EXTENSION -> "trafficextensions";
            case TELEMETRY -> "telemetries";
        };
    }
}
