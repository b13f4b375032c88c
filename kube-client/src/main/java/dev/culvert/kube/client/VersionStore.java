package dev.culvert.kube.client;

import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.client.informers.cache.Cache;
import io.fabric8.kubernetes.client.informers.cache.ItemStore;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// What an informer must remember of each object: its name and version. Thread-safe.
final class VersionStore implements ItemStore<GenericKubernetesResource> {
    private final Map<String, GenericKubernetesResource> all = new ConcurrentHashMap<>();

    @Override
    public String getKey(GenericKubernetesResource object) {
        return Cache.metaNamespaceKeyFunc(object);
    }

    @Override
    public @Nullable GenericKubernetesResource put(String key, GenericKubernetesResource object) {
        var kept = new GenericKubernetesResource();
        kept.setMetadata(new ObjectMetaBuilder()
                .withNamespace(object.getMetadata().getNamespace())
                .withName(object.getMetadata().getName())
                .withResourceVersion(object.getMetadata().getResourceVersion())
                .build());
        return all.put(key, kept);
    }

    @Override
    public @Nullable GenericKubernetesResource remove(String key) {
        return all.remove(key);
    }

    @Override
    public Stream<String> keySet() {
        return all.keySet().stream();
    }

    @Override
    public Stream<GenericKubernetesResource> values() {
        return all.values().stream();
    }

    @Override
    public int size() {
        return all.size();
    }

    @Override
    public @Nullable GenericKubernetesResource get(String key) {
        return all.get(key);
    }

    /// What is stored is not what was added, so additions are told as they come.
    @Override
    public boolean isFullState() {
        return false;
    }
}
