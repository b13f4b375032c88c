package dev.culvert.istiod.status;

import dev.culvert.kube.object.Gateway;
import java.util.Optional;

/// What is known of the waypoint that runs for a Gateway. Safe for any thread.
public interface Deployed {
    /// Whether a pod of it is ready.
    boolean isReady(Gateway gateway);

    /// Why what its parameters ask for is not done.
    Optional<String> problem(Gateway gateway);
}
