package dev.culvert.istiod.gateway;

import dev.culvert.istiod.ambient.Waypoints;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.client.utils.KubernetesSerialization;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;

/// What a ConfigMap changes of what runs for a Gateway: under the name of a kind, part of an object of it, as YAML.
/// @param from the ConfigMap, as messages name it
/// @param patches by key
record Overlay(String from, Map<String, Map<String, Object>> patches) {
    static final String AUTOSCALER = "horizontalPodAutoscaler";
    static final String BUDGET = "podDisruptionBudget";
    private static final List<String> KEYS = List.of("deployment", "service", "serviceAccount", AUTOSCALER, BUDGET);
    private static final KubernetesSerialization YAML = new KubernetesSerialization();

    /// @throws IllegalArgumentException with the ConfigMap, the key and the reason
    static Overlay of(ConfigMap map) {
        var from = "ConfigMap " + map.getMetadata().getNamespace() + "/"
                + map.getMetadata().getName();
        var patches = new LinkedHashMap<String, Map<String, Object>>();
        Objects.requireNonNullElse(map.getData(), Map.<String, String>of()).forEach((key, text) -> {
            if (!KEYS.contains(key)) {
                throw new IllegalArgumentException(from + ": unknown key " + key + "; there are " + KEYS);
            }
            patches.put(key, parsed(from, key, text));
        });
        return new Overlay(from, patches);
    }

    @SuppressWarnings("unchecked") // keys of YAML maps are texts, or the merge makes them so
    private static Map<String, Object> parsed(String from, String key, String text) {
        try {
            var yaml = text.stripLeading().startsWith("{") ? "---\n" + text : text; // it would be taken for JSON
            if (YAML.unmarshal(yaml, Object.class) instanceof Map<?, ?> map) {
                return (Map<String, Object>) map;
            }
        } catch (RuntimeException syntax) {
            throw new IllegalArgumentException(from + ": " + key + " is not YAML: " + syntax.getMessage(), syntax);
        }
        throw new IllegalArgumentException(from + ": " + key + " must be part of an object");
    }

    boolean changes(String key) {
        return patches.containsKey(key);
    }

    /// The object with what this one says of its kind.
    /// @throws IllegalArgumentException if that cannot be, or would make it another object
    <T extends HasMetadata> T applied(T base) {
        var kind = base.getKind();
        var patch = patches.get(kind.substring(0, 1).toLowerCase(Locale.ROOT) + kind.substring(1));
        if (patch == null) {
            return base;
        }
        T merged;
        try {
            merged = YAML.convertValue(StrategicMerge.merge(tree(base), patch), type(base));
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(from + ": " + kind + ": " + e.getMessage(), e);
        }
        if (!identity(merged).equals(identity(base))) {
            throw new IllegalArgumentException(from + ": " + kind
                    + ": name, namespace, owner, the labels that we set and selectors cannot be changed");
        }
        return merged;
    }

    @SuppressWarnings("unchecked")
    private static Map<String, Object> tree(HasMetadata object) {
        return YAML.convertValue(object, Map.class);
    }

    @SuppressWarnings("unchecked")
    private static <T extends HasMetadata> Class<T> type(T object) {
        return (Class<T>) object.getClass();
    }

    /// What must stay, or we would write somebody else's object, or lose ours.
    private static List<Object> identity(HasMetadata object) {
        var metadata = object.getMetadata();
        var labels = Objects.requireNonNullElse(metadata.getLabels(), Map.<String, String>of());
        var spec = tree(object).get("spec") instanceof Map<?, ?> map ? map : Map.of();
        return List.of(
                object.getApiVersion(),
                object.getKind(),
                String.valueOf(metadata.getName()),
                String.valueOf(metadata.getNamespace()),
                metadata.getOwnerReferences(),
                String.valueOf(labels.get(WaypointManifests.MANAGED)),
                String.valueOf(labels.get(Waypoints.GATEWAY_NAME)),
                String.valueOf(spec.get("selector")),
                String.valueOf(spec.get("scaleTargetRef")));
    }
}
