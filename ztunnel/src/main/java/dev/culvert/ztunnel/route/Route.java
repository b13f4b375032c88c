package dev.culvert.ztunnel.route;

import dev.culvert.hbone.failure.FailureReason;
import dev.culvert.hbone.headers.Authority;
import dev.culvert.mesh.model.identity.SpiffeId;
import dev.culvert.mesh.model.workload.Service;
import dev.culvert.mesh.model.workload.Workload;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// Where an outbound connection goes.
public sealed interface Route {
    /// What was found about the destination, for telemetry, and why.
    /// @param workload next hop, if known
    /// @param service the one that was meant, if any
    /// @param why one sentence
    record About(@Nullable Workload workload, @Nullable Service service, String why) {}

    About about();

    /// Plain TCP.
    record Plain(InetSocketAddress to, About about) implements Route {}

    /// A tunnel to a workload or waypoint.
    record Hbone(InetSocketAddress nextHop, Authority authority, Set<SpiffeId> acceptedPeers, About about)
            implements Route {
        public Hbone {
            acceptedPeers = named(acceptedPeers, about);
        }
    }

    /// A tunnel to the gateway of another network, and inside it one to an endpoint there that only the gateway
    /// knows.
    /// @param authority of both tunnels: the service's hostname and port
    /// @param acceptedGateways who may end the outer tunnel
    /// @param acceptedPeers who may end the inner one
    record DoubleHbone(
            InetSocketAddress nextHop,
            Authority.Host authority,
            Set<SpiffeId> acceptedGateways,
            Set<SpiffeId> acceptedPeers,
            About about)
            implements Route {
        public DoubleHbone {
            acceptedGateways = named(acceptedGateways, about);
            acceptedPeers = named(acceptedPeers, about);
        }
    }

    /// The next hop is known by a DNS name only.
    /// @param then the route, once the name has an address
    record ByName(String hostname, Function<InetAddress, Route> then, About about) implements Route {}

    record Refused(FailureReason reason, About about) implements Route {}

    private static Set<SpiffeId> named(Set<SpiffeId> peers, About about) {
        if (peers.isEmpty()) {
            throw new IllegalArgumentException("a tunnel must name whom it trusts: " + about.why());
        }
        return Set.copyOf(peers);
    }
}
