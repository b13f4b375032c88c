package dev.culvert.kube.object;

import java.util.List;

/// A `networking.istio.io` VirtualService, as far as HTTP goes.
///
/// @param hosts short names, full names or wildcards, as written
/// @param inMesh whether it is for calls inside the mesh
public record VirtualService(Metadata metadata, List<String> hosts, boolean inMesh, List<HttpRule> rules, Place place)
        implements KubeObject {
    public VirtualService {
        hosts = List.copyOf(hosts);
        rules = List.copyOf(rules);
    }
}
