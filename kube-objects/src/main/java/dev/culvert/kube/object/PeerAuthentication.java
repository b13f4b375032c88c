package dev.culvert.kube.object;

import java.util.Map;

/// A `security.istio.io` PeerAuthentication.
///
/// @param selector empty if it is for the whole namespace, or mesh
/// @param ports modes by container port
public record PeerAuthentication(
        Metadata metadata, Map<String, String> selector, Mode mode, Map<Integer, Mode> ports, Place place)
        implements KubeObject {
    /// Which connections are accepted.
    public enum Mode {
        UNSET,
        DISABLE,
        PERMISSIVE,
        STRICT
    }

    public PeerAuthentication {
        selector = Map.copyOf(selector);
        ports = Map.copyOf(ports);
    }

    /// Whether it has a selector and the labels fit it.
    public boolean selects(Map<String, String> labels) {
        return !selector.isEmpty() && labels.entrySet().containsAll(selector.entrySet());
    }
}
