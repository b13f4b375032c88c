package dev.culvert.kube.object;

import java.util.List;

/// A `gateway.networking.k8s.io` HTTPRoute or GRPCRoute.
///
/// @param kind which of the two
public record HttpRoute(Metadata metadata, Kind kind, List<ParentRef> parents, List<HttpRule> rules, Place place)
        implements Route {
    public HttpRoute {
        parents = List.copyOf(parents);
        rules = List.copyOf(rules);
    }
}
