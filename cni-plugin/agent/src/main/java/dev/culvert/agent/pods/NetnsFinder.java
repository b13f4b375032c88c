package dev.culvert.agent.pods;

import dev.culvert.linux.netns.NetworkNamespace;
import java.io.IOException;

/// Finds the network namespace of a pod that runs already and of which neither its object nor the container
/// runtime tells.
@FunctionalInterface
public interface NetnsFinder {
    /// Where somebody else always tells.
    NetnsFinder NONE = pod -> {
        throw new IOException("its network namespace is not known yet");
    };

    /// @return opened; the caller closes it
    /// @throws IOException also if there is none, or not yet
    NetworkNamespace find(PodView pod) throws IOException;
}
