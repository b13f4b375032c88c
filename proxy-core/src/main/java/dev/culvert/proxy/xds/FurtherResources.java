package dev.culvert.proxy.xds;

import dev.culvert.protos.discovery.DeltaDiscoveryResponse;
import java.util.Map;

/// Resources of one more type, beside the mesh, that a client subscribes to. Called on the client's thread.
public interface FurtherResources {
    /// The type URL.
    String type();

    /// Applies a response, or what is on disk; returns why resources were refused, by name. What is refused stays as
    /// it was.
    Map<String, String> apply(DeltaDiscoveryResponse response);
}
