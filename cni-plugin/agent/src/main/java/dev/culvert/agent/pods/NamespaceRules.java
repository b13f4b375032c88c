package dev.culvert.agent.pods;

import dev.culvert.agent.rules.Capture;
import dev.culvert.linux.netns.NetworkNamespace;
import java.io.IOException;

/// Applies redirection inside a pod's network namespace.
interface NamespaceRules {
    /// Captures new connections. May be repeated.
    void enrol(NetworkNamespace netns, Capture capture) throws IOException;

    /// Lets no packet in or out, for a pod in which nothing runs yet. May be repeated.
    void fence(NetworkNamespace netns) throws IOException;

    /// Lifts the fence, if there is one.
    void lift(NetworkNamespace netns) throws IOException;

    /// Captures no new connection; what is captured goes on.
    void stopCapturing(NetworkNamespace netns) throws IOException;

    /// Removes everything of ours.
    void remove(NetworkNamespace netns) throws IOException;
}
