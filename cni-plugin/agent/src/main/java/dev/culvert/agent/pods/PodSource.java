package dev.culvert.agent.pods;

import java.util.List;
import java.util.function.Consumer;

/// Tells which pods there are on this node.
public interface PodSource extends AutoCloseable {
    /// Calls `changed` with all pods of the node, once before it returns and then after each change, from any
    /// thread.
    void start(Consumer<List<PodView>> changed);

    @Override
    void close();
}
