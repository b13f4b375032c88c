package dev.culvert.kube.object;

import java.time.Duration;
import java.util.List;
import java.util.Optional;

/// The mesh's own configuration: ConfigMap `istio` of the system namespace, key `mesh` (Istio's `MeshConfig`).
///
/// @param trustDomain as it says; the controller's own setting counts
/// @param rootNamespace likewise
/// @param discovery which namespaces belong to the mesh: those that one of these selects; empty for all
/// @param retry of routes that say nothing of it
/// @param trustedProxies how many proxies stand in front of gateways that do not say it themselves
/// @param paths what is done to paths before they are matched and sent on
/// @param telemetry what is told of requests
/// @param defaults of what is written elsewhere
public record MeshConfig(
        Metadata metadata,
        Optional<String> trustDomain,
        Optional<String> rootNamespace,
        List<LabelSelector> discovery,
        Optional<HttpRule.Retry> retry,
        int trustedProxies,
        PathNormalization paths,
        MeshTelemetry telemetry,
        Defaults defaults,
        Place place)
        implements KubeObject {
    /// Its name, in every mesh.
    public static final String NAME = "istio";

    public static final String ENTRY = "mesh";

    /// `pathNormalization.normalization`.
    public enum PathNormalization {
        /// RFC 3986: dot segments, unreserved escapes, backslashes.
        BASE,
        /// And several slashes are one.
        MERGE_SLASHES,
        /// And `%2F` and `%5C` are slashes, first of all.
        DECODE_AND_MERGE_SLASHES
    }

    /// What counts where nobody says otherwise.
    /// @param connect bound of a connect; empty for the waypoint's own
    /// @param virtualServices where they count
    /// @param destinationRules likewise
    public record Defaults(Optional<Duration> connect, Visibility virtualServices, Visibility destinationRules) {}

    public MeshConfig {
        discovery = List.copyOf(discovery);
    }

    /// Of a mesh.
    /// @param namespace the system namespace
    public static Optional<MeshConfig> of(ObjectSet objects, String namespace) {
        return objects.find(MeshConfig.class, Kind.CONFIG_MAP, namespace, NAME);
    }
}
