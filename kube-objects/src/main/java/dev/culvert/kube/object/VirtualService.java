package dev.culvert.kube.object;

import java.util.List;

/// A `networking.istio.io` VirtualService.
///
/// @param hosts short names, full names or wildcards, as written; none: others delegate to it
/// @param gateways `namespace/name` of Istio's Gateways that it is for, and [#MESH] if it is for calls inside the mesh
/// @param raw rules of TLS before those of TCP
public record VirtualService(
        Metadata metadata,
        List<String> hosts,
        List<String> gateways,
        Visibility visibility,
        List<HttpRule> rules,
        List<RawRule> raw,
        Place place)
        implements KubeObject {
    public static final String MESH = "mesh";

    public VirtualService {
        gateways = List.copyOf(gateways);
        hosts = List.copyOf(hosts);
        rules = List.copyOf(rules);
        raw = List.copyOf(raw);
    }

    public boolean inMesh() {
        return gateways.contains(MESH);
    }
}
