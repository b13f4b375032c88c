package dev.culvert.proxy.mesh;

import java.util.Collection;
import java.util.concurrent.CompletableFuture;

/// Asks the control plane for what it has not told, where it does not tell everything (`XDS_ON_DEMAND`). Thread-safe.
public interface Lookup {
    /// Everything is told without being asked for.
    Lookup NONE = new Lookup() {
        @Override
        public boolean isNeeded() {
            return false;
        }

        @Override
        public CompletableFuture<Collection<String>> fetch(Collection<String> names) {
            return CompletableFuture.completedFuture(names);
        }
    };

    boolean isNeeded();

    /// Completes, on any thread and with `names`, once the mesh has all of these or is known not to have them. Fails
    /// with a `ProxyException` if nobody says in time.
    /// @param names `<network>/<ip>`, `<namespace>/<hostname>`, or a workload's uid
    CompletableFuture<Collection<String>> fetch(Collection<String> names);
}
