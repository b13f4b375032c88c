package dev.culvert.kube.object;

import java.util.List;

/// A `gateway.networking.k8s.io` TCPRoute or TLSRoute.
///
/// @param kind which of the two
/// @param hostnames of a TLSRoute in lower case, for listeners of Gateways; empty for theirs
public record RawRoute(
        Metadata metadata, Kind kind, List<ParentRef> parents, List<String> hostnames, List<RawRule> rules, Place place)
        implements Route {
    public RawRoute {
        parents = List.copyOf(parents);
        hostnames = List.copyOf(hostnames);
        rules = List.copyOf(rules);
    }
}
