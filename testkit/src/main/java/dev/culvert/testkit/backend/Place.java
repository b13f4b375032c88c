package dev.culvert.testkit.backend;

import dev.culvert.ztunnel.inpod.PodSockets;
import java.io.IOException;
import java.net.InetSocketAddress;

/// One pod's network.
public interface Place {
    /// For its ztunnel, which closes them.
    PodSockets sockets() throws IOException;

    /// Redirects new connections to ztunnel.
    /// @param dns also questions of names
    void capture(boolean dns) throws IOException;

    /// An application of the pod connects, within 5 s.
    AppSocket connect(InetSocketAddress to) throws IOException;

    /// An application of the pod listens on all of its addresses.
    AppListener listen(int port) throws IOException;

    /// The pod goes, and its network with it.
    void remove() throws IOException;
}
