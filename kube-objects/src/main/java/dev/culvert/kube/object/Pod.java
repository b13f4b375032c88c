package dev.culvert.kube.object;

import java.net.InetAddress;
import java.util.List;

/// A `v1` Pod.
///
/// @param phase empty before anybody reported one
/// @param addresses `status.podIPs`, the first first; empty before it has any
/// @param ready whether the condition `Ready` is `True`
public record Pod(
        Metadata metadata, PodSpec spec, String phase, List<InetAddress> addresses, boolean ready, Place place)
        implements KubeObject {
    public Pod {
        addresses = List.copyOf(addresses);
    }

    /// Whether the pod has ended for good.
    public boolean finished() {
        return phase.equals("Succeeded") || phase.equals("Failed");
    }

    public Pod withoutAddresses() {
        return new Pod(metadata, spec, phase, List.of(), ready, place);
    }

    public Pod withAnnotation(String key, String value) {
        return new Pod(metadata.withAnnotation(key, value), spec, phase, addresses, ready, place);
    }
}
