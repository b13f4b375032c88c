package dev.culvert.proxy.mesh;

import dev.culvert.mesh.model.state.Change;
import dev.culvert.mesh.model.state.MeshSnapshot;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;

/// The mesh as this process knows it now. Any thread reads; changes are applied one after another.
public final class MeshState {
    private final List<Consumer<MeshSnapshot>> listeners = new CopyOnWriteArrayList<>();
    private volatile MeshSnapshot current = MeshSnapshot.EMPTY;

    /// Ends the calls to a listener.
    public interface Subscription extends AutoCloseable {
        @Override
        void close();
    }

    /// Take it once per decision: two reads may be two different meshes.
    public MeshSnapshot current() {
        return current;
    }

    /// Called with each new snapshot, on the thread that applied it; must not block.
    public Subscription onChange(Consumer<MeshSnapshot> listener) {
        listeners.add(listener);
        return () -> listeners.remove(listener);
    }

    public void apply(Collection<? extends Change> changes) {
        if (changes.isEmpty()) {
            return;
        }
        MeshSnapshot next;
        synchronized (this) {
            next = current.with(changes);
            current = next;
        }
        listeners.forEach(listener -> listener.accept(next));
    }
}
