package dev.culvert.ztunnel.route;

import dev.culvert.hbone.failure.FailureReason;
import dev.culvert.hbone.headers.Authority;
import dev.culvert.mesh.model.identity.SpiffeId;
import dev.culvert.mesh.model.workload.Service;
import dev.culvert.mesh.model.workload.Workload;
import java.net.InetSocketAddress;
import java.util.Set;
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
            acceptedPeers = Set.copyOf(acceptedPeers);
            if (acceptedPeers.isEmpty()) {
                throw new IllegalArgumentException("a tunnel must name whom it trusts: " + nextHop);
            }
        }
    }

    record Refused(FailureReason reason, About about) implements Route {}
}
