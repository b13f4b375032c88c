package dev.culvert.mesh.model.state;

import java.util.Map;

/// A workload's part in a service.
/// @param ports service port to target port
public record Endpoint(String workloadUid, Map<Integer, Integer> ports) {
    public Endpoint {
        ports = Map.copyOf(ports);
    }
}
