package dev.culvert.agent.app;

import dev.culvert.agent.pods.Means;
import dev.culvert.agent.pods.PodView;
import java.io.Closeable;
import java.io.IOException;
import java.util.List;
import java.util.function.Consumer;

/// Where the agent learns of the pods of its node, and what it captures them with.
interface Node extends Closeable {
    Means means();

    /// Begins to tell of all pods, again at each change.
    /// @return those that there are now
    List<PodView> follow(Consumer<List<PodView>> listener) throws IOException, InterruptedException;

    /// Whether the agent ends because the mesh leaves this node, and not for a while only.
    boolean isLeft();
}
