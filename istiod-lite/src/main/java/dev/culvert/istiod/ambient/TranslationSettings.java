package dev.culvert.istiod.ambient;

/// What a translation needs to know besides the objects.
///
/// @param rootNamespace whose policies without a selector hold for the whole mesh
/// @param revision of this controller
/// @param network the network that all pods are on; the empty one is a normal name
/// @param clusterDomain the end of Service hostnames
public record TranslationSettings(
        String rootNamespace,
        String clusterId,
        String trustDomain,
        String network,
        String clusterDomain,
        String revision) {
    public static TranslationSettings defaults() {
        return new TranslationSettings(
                "istio-system", "Kubernetes", "cluster.local", "", "cluster.local", Revisions.DEFAULT);
    }
}
