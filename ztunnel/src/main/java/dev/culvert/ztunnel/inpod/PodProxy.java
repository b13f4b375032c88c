package dev.culvert.ztunnel.inpod;

import java.io.IOException;

/// What serves one pod.
public interface PodProxy {
    /// Binds the pod's listeners.
    /// @throws IOException if one cannot be bound; nothing is left bound then
    void start() throws IOException;

    /// Takes no new connections; those that are open go on.
    void drain();

    /// Ends the connections of peers whose certificates have been revoked.
    void dropRevoked();

    /// Ends everything of the pod at once.
    void stop();

    Pod pod();

    /// Makes the proxy of a pod; takes over its sockets.
    interface Factory {
        PodProxy create(PodId id, PodSockets sockets);
    }
}
