package dev.culvert.kube.object;

import java.util.Map;

/// A `networking.istio.io` DestinationRule.
///
/// @param host short or full, as written
/// @param subsets by name
public record DestinationRule(
        Metadata metadata,
        String host,
        Visibility visibility,
        Policies policies,
        Map<String, Subset> subsets,
        Place place)
        implements KubeObject {
    /// @param ports those that replace `all`, by port of the Service
    public record Policies(TrafficPolicy all, Map<Integer, TrafficPolicy> ports) {
        public static final Policies NONE = new Policies(TrafficPolicy.NONE, Map.of());

        public Policies {
            ports = Map.copyOf(ports);
        }
    }

    /// @param labels of its pods
    public record Subset(Map<String, String> labels, Policies policies) {
        public Subset {
            labels = Map.copyOf(labels);
        }
    }

    public DestinationRule {
        subsets = Map.copyOf(subsets);
    }
}
