package dev.culvert.istiod.kube;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.client.dsl.Informable;
import io.fabric8.kubernetes.client.informers.ResourceEventHandler;
import io.fabric8.kubernetes.client.informers.SharedIndexInformer;
import java.util.List;
import java.util.Optional;

/// Objects of a kind as they are on the API server now. A watch that fails is begun anew for ever.
public final class Present<T extends HasMetadata> implements AutoCloseable {
    private final String what;
    private final SharedIndexInformer<T> informer;

    /// @param what as a message names them
    /// @param changed told when one of them is there, different, or gone
    public Present(String what, Informable<T> all, Runnable changed) {
        this.what = what;
        this.informer = all.runnableInformer(0);
        informer.exceptionHandler((_, _) -> true);
        informer.addEventHandler(new ResourceEventHandler<>() {
            @Override
            public void onAdd(T added) {
                changed.run();
            }

            @Override
            public void onUpdate(T before, T now) {
                changed.run();
            }

            @Override
            public void onDelete(T deleted, boolean unknown) {
                changed.run();
            }
        });
    }

    public void start() {
        informer.start();
    }

    /// @throws IllegalStateException while not all have been read
    public void requireListed() {
        if (!informer.hasSynced()) {
            throw new IllegalStateException(what + ": not listed yet");
        }
    }

    public Optional<T> find(String namespace, String name) {
        return Optional.ofNullable(informer.getStore().getByKey(namespace + "/" + name));
    }

    public List<T> all() {
        return informer.getStore().list();
    }

    @Override
    public void close() {
        informer.stop();
    }
}
