package dev.culvert.testkit;

import dev.culvert.testkit.backend.Backend;
import dev.culvert.testkit.netns.NetnsNetwork;
import dev.culvert.testkit.sim.SimNetwork;
import java.io.IOException;

/// On what a mesh stands.
public enum BackendKind {
    /// A simulated network in this JVM: no rights needed, faults and time at will.
    IN_PROCESS,
    /// Network namespaces, real sockets, real redirection.
    NETNS;

    Backend start() throws IOException {
        return switch (this) {
            case IN_PROCESS -> new SimNetwork();
            case NETNS -> new NetnsNetwork();
        };
    }
}
