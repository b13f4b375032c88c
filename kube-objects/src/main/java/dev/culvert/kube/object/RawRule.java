package dev.culvert.kube.object;

import dev.culvert.kube.object.HttpRule.Destination;
import java.util.List;

/// Where connections without HTTP go: a `tcp` or `tls` rule of a VirtualService, or a TCPRoute's or TLSRoute's.
///
/// @param ports of the Service; none: all
/// @param serverNames of TLS; none: any, or no TLS
public record RawRule(List<Integer> ports, List<String> serverNames, List<Destination> destinations, Place place) {
    public RawRule {
        ports = List.copyOf(ports);
        serverNames = List.copyOf(serverNames);
        destinations = List.copyOf(destinations);
    }
}
