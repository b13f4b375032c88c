package dev.culvert.mesh.model.workload;

/// How the destination's own proxy wants its bytes.
/// @param port 0 if unset
public record ApplicationTunnel(Protocol protocol, int port) {
    public ApplicationTunnel {
        Ports.require(port);
    }

    public enum Protocol {
        NONE,
        PROXY
    }
}
