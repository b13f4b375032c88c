package dev.culvert.proxy.xds;

import dev.culvert.protos.discovery.DeltaDiscoveryResponse;
import java.util.Map;

/// Resources of one more type, beside the mesh, that a client subscribes to. Called on the client's thread.
public interface FurtherResources {
    /// The type URL.
    String type();

    /// Of what is held now, by name.
    Map<String, String> versions();

    /// Applies a response; returns why resources were refused, by name.
    Map<String, String> apply(DeltaDiscoveryResponse response);
}
