package dev.culvert.kube.object;

import java.util.Map;
import java.util.TreeMap;

/// A `networking.istio.io` WorkloadEntry: a workload that is no pod.
public record WorkloadEntry(Metadata metadata, Spec spec, Place place) implements KubeObject {
    /// What a WorkloadEntry, or an endpoint of a ServiceEntry, says of a workload.
    ///
    /// @param address an IP literal or a DNS name
    /// @param ports the workload's own, by name
    /// @param network empty if not said
    /// @param locality `region/zone/subzone`, from the left; empty if not said
    /// @param weight 0 if not said
    public record Spec(
            String address,
            Map<String, Integer> ports,
            Map<String, String> labels,
            String network,
            String locality,
            int weight,
            String serviceAccount) {
        public Spec {
            ports = Map.copyOf(ports);
            labels = Map.copyOf(labels);
        }
    }

    /// Those of the object, and above them those of its `spec`.
    public Map<String, String> labels() {
        var all = new TreeMap<>(metadata.labels());
        all.putAll(spec.labels);
        return all;
    }
}
