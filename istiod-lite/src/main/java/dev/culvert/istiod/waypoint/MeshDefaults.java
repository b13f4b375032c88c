package dev.culvert.istiod.waypoint;

import dev.culvert.istiod.ambient.TranslationSettings;
import dev.culvert.kube.object.DestinationRule;
import dev.culvert.kube.object.MeshConfig;
import dev.culvert.kube.object.ObjectSet;
import dev.culvert.kube.object.VirtualService;
import dev.culvert.kube.object.Visibility;
import dev.culvert.protos.waypoint.PathNormalization;
import dev.culvert.protos.waypoint.Retry;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

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

    static Optional<Duration> connect(ObjectSet objects, TranslationSettings settings) {
        return defaults(objects, settings).flatMap(MeshConfig.Defaults::connect);
    }

    private static Optional<MeshConfig.Defaults> defaults(ObjectSet objects, TranslationSettings settings) {
        return MeshConfig.of(objects, settings.rootNamespace()).map(MeshConfig::defaults);
    }

    /// Whether it counts for who is in a namespace.
    static boolean shows(VirtualService one, String namespace, ObjectSet objects, TranslationSettings settings) {
        return one.visibility()
                .or(defaults(objects, settings)
                        .map(MeshConfig.Defaults::virtualServices)
                        .orElse(Visibility.EVERYWHERE))
                .includes(one.namespace(), namespace);
    }

    /// Whether it counts for who is in a namespace.
    static boolean shows(DestinationRule one, String namespace, ObjectSet objects, TranslationSettings settings) {
        return one.visibility()
                .or(defaults(objects, settings)
                        .map(MeshConfig.Defaults::destinationRules)
                        .orElse(Visibility.EVERYWHERE))
                .includes(one.namespace(), namespace);
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
