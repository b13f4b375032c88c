package dev.culvert.kube.client;

import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// What of an object is read at all; the larger part of most is left out.
final class Json {
    /// A copy of the object, in the object.
    private static final String LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";

    private static final Set<String> STATUS =
            Set.of("addresses", "conditions", "observedGeneration", "phase", "podIP", "podIPs");

    private Json() {}

    static Map<String, @Nullable Object> of(GenericKubernetesResource object) {
        var json = new LinkedHashMap<String, @Nullable Object>(object.getAdditionalProperties());
        if (json.get("status") instanceof Map<?, ?> status) {
            json.put(
                    "status",
                    status.entrySet().stream()
                            .filter(field -> STATUS.contains(field.getKey()) && field.getValue() != null)
                            .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue)));
        }
        json.put("metadata", metadata(object.getMetadata()));
        return json;
    }

    private static Map<String, @Nullable Object> metadata(ObjectMeta metadata) {
        var json = new LinkedHashMap<String, @Nullable Object>();
        json.put("name", metadata.getName());
        json.put("namespace", metadata.getNamespace());
        json.put("uid", metadata.getUid());
        json.put("labels", metadata.getLabels());
        var annotations = new LinkedHashMap<>(
                Optional.ofNullable(metadata.getAnnotations()).orElse(Map.of()));
        annotations.remove(LAST_APPLIED);
        json.put("annotations", annotations);
        json.put("generation", metadata.getGeneration());
        json.put("creationTimestamp", metadata.getCreationTimestamp());
        json.put("deletionTimestamp", metadata.getDeletionTimestamp());
        var owners = Optional.ofNullable(metadata.getOwnerReferences()).orElse(List.of());
        json.put(
                "ownerReferences",
                owners.stream()
                        .filter(owner -> Boolean.TRUE.equals(owner.getController()))
                        .map(owner -> Map.of("kind", owner.getKind(), "name", owner.getName(), "controller", true))
                        .toList());
        return json;
    }
}
