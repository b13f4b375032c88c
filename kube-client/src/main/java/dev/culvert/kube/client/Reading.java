package dev.culvert.kube.client;

import dev.culvert.kube.object.Kind;
import dev.culvert.kube.object.ObjectKey;
import dev.culvert.kube.read.ApiReader;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import java.util.Optional;

/// What we make of objects of an API server. Pure.
public final class Reading {
    private Reading() {}

    public static ObjectKey key(Kind kind, GenericKubernetesResource object) {
        var metadata = object.getMetadata();
        return new ObjectKey(kind, Optional.ofNullable(metadata.getNamespace()).orElse(""), metadata.getName());
    }

    /// @return empty for an object that is nothing for us, such as a Secret without a certificate
    public static Optional<ApiReader.Result> read(Kind kind, GenericKubernetesResource object) {
        var key = key(kind, object);
        var json = Json.of(object);
        return ApiReader.isForeign(key, json) ? Optional.empty() : Optional.of(ApiReader.read(key, json));
    }
}
