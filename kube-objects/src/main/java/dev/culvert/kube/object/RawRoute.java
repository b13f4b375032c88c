package dev.culvert.kube.object;

import java.util.List;

/// A `gateway.networking.k8s.io` TCPRoute or TLSRoute.
///
/// @param kind which of the two
public record RawRoute(Metadata metadata, Kind kind, List<ParentRef> parents, List<RawRule> rules, Place place)
        implements Route {
    public RawRoute {
        parents = List.copyOf(parents);
        rules = List.copyOf(rules);
    }
}
