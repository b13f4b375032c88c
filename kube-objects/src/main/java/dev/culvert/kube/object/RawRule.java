package dev.culvert.kube.object;

import dev.culvert.kube.object.HttpRule.Destination;
import java.util.List;
import java.util.Optional;

/// Where connections without HTTP go: a `tcp` or `tls` rule of a VirtualService, or a TCPRoute's or TLSRoute's.
///
/// @param matches one of them must hold; none: every connection
public record RawRule(List<Match> matches, List<Destination> destinations, Place place) {
    /// All that is there must hold.
    /// @param gateways that it is for; none: those of the whole object
    /// @param port of the Service, or of the gateway
    /// @param serverNames of TLS; none: any, or no TLS
    public record Match(List<String> gateways, Optional<Integer> port, List<String> serverNames) {
        public static final Match ANY = new Match(List.of(), Optional.empty(), List.of());

        public Match {
            gateways = List.copyOf(gateways);
            serverNames = List.copyOf(serverNames);
        }
    }

    public RawRule {
        matches = List.copyOf(matches);
        destinations = List.copyOf(destinations);
    }

    /// Those that are for a gateway, or for `mesh`, and one of its ports.
    public List<Match> matches(String gateway, int port) {
        var all = matches.isEmpty() ? List.of(Match.ANY) : matches;
        return all.stream()
                .filter(match -> match.gateways.isEmpty() || match.gateways.contains(gateway))
                .filter(match -> match.port.map(one -> one == port).orElse(true))
                .toList();
    }
}
