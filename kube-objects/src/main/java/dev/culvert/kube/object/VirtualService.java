package dev.culvert.kube.object;

import java.util.List;

/// A `networking.istio.io` VirtualService.
///
/// @param hosts short names, full names or wildcards, as written; none: others delegate to it
/// @param inMesh whether it is for calls inside the mesh
/// @param raw rules of TLS before those of TCP
public record VirtualService(
        Metadata metadata,
        List<String> hosts,
        boolean inMesh,
        Visibility visibility,
        List<HttpRule> rules,
        List<RawRule> raw,
        Place place)
        implements KubeObject {
    public VirtualService {
        hosts = List.copyOf(hosts);
        rules = List.copyOf(rules);
        raw = List.copyOf(raw);
    }
}
