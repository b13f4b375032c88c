package dev.culvert.mesh.model.workload;

/// TCP ports as plain ints, checked where they come in.
public final class Ports {
    private Ports() {}

    /// @throws IllegalArgumentException unless 0..65535
    public static int require(int port) {
        if (port < 0 || port > 65535) {
            throw new IllegalArgumentException("not a port: " + Integer.toUnsignedString(port));
        }
        return port;
    }
}
