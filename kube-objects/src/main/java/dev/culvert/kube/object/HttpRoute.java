package dev.culvert.kube.object;

import java.util.List;

/// A `gateway.networking.k8s.io` HTTPRoute or GRPCRoute.
///
/// @param kind which of the two
/// @param hostnames in lower case, for listeners of Gateways; empty for theirs
public record HttpRoute(
        Metadata metadata,
        Kind kind,
        List<ParentRef> parents,
        List<String> hostnames,
        List<HttpRule> rules,
        Place place)
        implements Route {
    public HttpRoute {
        parents = List.copyOf(parents);
        hostnames = List.copyOf(hostnames);
        rules = List.copyOf(rules);
    }
}
