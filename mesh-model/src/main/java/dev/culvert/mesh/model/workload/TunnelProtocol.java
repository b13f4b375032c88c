package dev.culvert.mesh.model.workload;

/// What a workload's port 15008, if it has one, understands.
public enum TunnelProtocol {
    TCP,
    HBONE
}
