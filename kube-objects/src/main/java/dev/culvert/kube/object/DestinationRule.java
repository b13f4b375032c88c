package dev.culvert.kube.object;

import java.util.Map;

/// A `networking.istio.io` DestinationRule; of it only the subsets.
///
/// @param host short or full, as written
/// @param subsets pod labels by name
public record DestinationRule(Metadata metadata, String host, Map<String, Map<String, String>> subsets, Place place)
        implements KubeObject {
    public DestinationRule {
        subsets = Map.copyOf(subsets);
    }
}
