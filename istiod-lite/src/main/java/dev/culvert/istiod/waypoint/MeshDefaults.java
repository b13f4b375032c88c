package dev.culvert.istiod.waypoint;

import dev.culvert.istiod.ambient.TranslationSettings;
import dev.culvert.kube.object.MeshConfig;
import dev.culvert.kube.object.ObjectSet;
import dev.culvert.protos.waypoint.PathNormalization;
import dev.culvert.protos.waypoint.Retry;
import java.util.List;

/// What holds for every waypoint and gateway where nobody says otherwise: as the mesh's configuration has it, else as
/// Istio's own defaults are.
final class MeshDefaults {
    static final List<String> RETRY_CONDITIONS =
            List.of("connect-failure", "refused-stream", "unavailable", "cancelled", "retriable-status-codes");
    private static final Retry RETRY =
            Retry.newBuilder().setAttempts(2).addAllConditions(RETRY_CONDITIONS).build();

    private MeshDefaults() {}

    static Retry retry(ObjectSet objects, TranslationSettings settings) {
        return MeshConfig.of(objects, settings.rootNamespace())
                .flatMap(MeshConfig::retry)
                .map(RuleTranslation::retry)
                .orElse(RETRY);
    }

    /// In front of gateways at the edge.
    static int trustedProxies(ObjectSet objects, TranslationSettings settings) {
        return MeshConfig.of(objects, settings.rootNamespace())
                .map(MeshConfig::trustedProxies)
                .orElse(0);
    }

    static PathNormalization paths(ObjectSet objects, TranslationSettings settings) {
        return MeshConfig.of(objects, settings.rootNamespace())
                .map(mesh -> switch (mesh.paths()) {
                    case BASE -> PathNormalization.BASE;
                    case MERGE_SLASHES -> PathNormalization.MERGE_SLASHES;
                    case DECODE_AND_MERGE_SLASHES -> PathNormalization.DECODE_AND_MERGE_SLASHES;
                })
                .orElse(PathNormalization.BASE);
    }
}
