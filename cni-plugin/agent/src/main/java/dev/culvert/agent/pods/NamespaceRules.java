package dev.culvert.agent.pods;

import dev.culvert.agent.rules.Capture;
import dev.culvert.linux.netns.NetworkNamespace;
import java.io.IOException;
import java.util.Optional;

/// Applies redirection inside a pod's network namespace.
public interface NamespaceRules extends AutoCloseable {
    /// What somebody else translates in a pod that we have not touched: another mesh's sidecar, say.
    Optional<String> foreign(NetworkNamespace netns) throws IOException;

    /// Captures new connections. May be repeated.
    void enrol(NetworkNamespace netns, Capture capture) throws IOException;

    /// Lets no packet in or out, for a pod in which nothing runs yet. May be repeated.
    void fence(NetworkNamespace netns) throws IOException;

    /// Both, for a pod in which nothing runs yet. May be repeated.
    default void enrolFenced(NetworkNamespace netns, Capture capture) throws IOException {
        fence(netns);
        enrol(netns, capture);
    }

    /// Lifts the fence, if there is one.
    void lift(NetworkNamespace netns) throws IOException;

    /// Captures no new connection; what is captured goes on.
    void stopCapturing(NetworkNamespace netns) throws IOException;

    /// Removes everything of ours.
    void remove(NetworkNamespace netns) throws IOException;

    /// The number of the rules in force there: another one after each change of what others can change, whoever makes
    /// it.
    int generation(NetworkNamespace netns) throws IOException;

    /// Holds nothing of this namespace any more, so that it can go. Its rules stay.
    default void letGo(NetworkNamespace netns) {}

    /// Holds nothing of any namespace any more. Rules stay, for the next agent.
    @Override
    default void close() {}
}
