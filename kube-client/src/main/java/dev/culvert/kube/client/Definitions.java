package dev.culvert.kube.client;

import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.dsl.base.ResourceDefinitionContext;
import io.fabric8.kubernetes.client.informers.ResourceEventHandler;
import io.fabric8.kubernetes.client.informers.SharedIndexInformer;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Watches which of some kinds the cluster serves, and in which version, by their CustomResourceDefinitions.
final class Definitions implements ResourceEventHandler<GenericKubernetesResource>, AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Definitions.class);
    private static final ResourceDefinitionContext CONTEXT = new ResourceDefinitionContext.Builder()
            .withGroup("apiextensions.k8s.io")
            .withVersion("v1")
            .withKind("CustomResourceDefinition")
            .withPlural("customresourcedefinitions")
            .withNamespaced(false)
            .build();
    /// Definitions are large.
    private static final long PAGE = 20;

    private final Map<String, ApiResource> resources;
    private final Listener listener;
    private final SharedIndexInformer<GenericKubernetesResource> informer;
    private volatile boolean listed;
    private volatile boolean closed;
    private volatile String failure = "";

    /// Called one after the other.
    interface Listener {
        /// @param version the best that is served; empty if none that we can read
        void served(ApiResource resource, Optional<String> version);

        /// Each definition that there is has been told.
        void listed();
    }

    Definitions(KubernetesClient client, Collection<ApiResource> resources, Listener listener) {
        this.resources = resources.stream().collect(Collectors.toMap(ApiResource::definition, Function.identity()));
        this.listener = listener;
        this.informer =
                client.genericKubernetesResources(CONTEXT).withLimit(PAGE).runnableInformer(0);
    }

    void start() {
        informer.itemStore(new VersionStore());
        informer.exceptionHandler((_, failed) -> retries(failed));
        informer.addEventHandler(this);
        informer.start();
    }

    private boolean retries(Throwable failed) {
        var now = Failures.text(failed);
        if (!closed && !now.equals(failure)) {
            log.warn("customresourcedefinitions cannot be watched: {}; tried again", now);
        }
        failure = now;
        return !closed;
    }

    boolean isListed() {
        return listed;
    }

    @Override
    public void onList(String resourceVersion, boolean remainedEmpty) {
        failure = "";
        if (!listed) {
            listed = true;
            listener.listed();
        }
    }

    @Override
    public void onAdd(GenericKubernetesResource definition) {
        Optional.ofNullable(resources.get(definition.getMetadata().getName()))
                .ifPresent(
                        resource -> listener.served(resource, version(resource, definition.getAdditionalProperties())));
    }

    @Override
    public void onUpdate(GenericKubernetesResource before, GenericKubernetesResource definition) {
        onAdd(definition);
    }

    @Override
    public void onDelete(GenericKubernetesResource definition, boolean deletedFinalStateUnknown) {
        Optional.ofNullable(resources.get(definition.getMetadata().getName()))
                .ifPresent(resource -> listener.served(resource, Optional.empty()));
    }

    /// Of an established definition.
    static Optional<String> version(ApiResource resource, Map<String, ?> definition) {
        var established = maps(in(definition, "status", "conditions")).stream()
                .anyMatch(condition ->
                        "Established".equals(condition.get("type")) && "True".equals(condition.get("status")));
        if (!established) {
            return Optional.empty();
        }
        var served = maps(in(definition, "spec", "versions")).stream()
                .filter(version -> Boolean.TRUE.equals(version.get("served")))
                .map(version -> version.get("name"))
                .toList();
        return resource.versions().stream().filter(served::contains).findFirst();
    }

    private static @Nullable Object in(Map<?, ?> map, String outer, String inner) {
        return map.get(outer) instanceof Map<?, ?> of ? of.get(inner) : null;
    }

    private static List<Map<?, ?>> maps(@Nullable Object list) {
        return list instanceof List<?> all
                ? all.stream()
                        .filter(Map.class::isInstance)
                        .<Map<?, ?>>map(item -> (Map<?, ?>) item)
                        .toList()
                : List.of();
    }

    @Override
    public void close() {
        closed = true;
        informer.stop();
    }
}
