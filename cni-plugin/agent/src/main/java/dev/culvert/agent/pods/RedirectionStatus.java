package dev.culvert.agent.pods;

import java.io.IOException;
import java.util.Optional;

/// Publishes how far the capture of each pod is. Confined to one thread at a time.
public interface RedirectionStatus {
    /// How far; absence means not captured.
    enum State {
        PENDING("pending"),
        ENABLED("enabled");

        private final String word;

        State(String word) {
            this.word = word;
        }

        /// As `ambient.istio.io/redirection` has it.
        public String word() {
            return word;
        }
    }

    /// What was published last, by this agent or a former one.
    Optional<State> read(PodView pod) throws IOException;

    /// Does nothing if that is published already.
    void write(PodView pod, State state) throws IOException;

    /// Says something to the pod's author; empty for nothing more.
    /// @return whether it is new
    boolean note(PodView pod, String text) throws IOException;

    /// The pod runs on, outside the mesh.
    void remove(PodView pod) throws IOException;

    /// The pod has ended.
    void gone(String uid) throws IOException;
}
