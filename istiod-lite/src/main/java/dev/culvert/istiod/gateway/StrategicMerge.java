package dev.culvert.istiod.gateway;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Kubernetes' strategic merge of a patch into an object, both as parsed YAML: maps are merged, null removes, lists
/// whose elements have a key (`patchMergeKey` of the API's types) are merged by it, other lists are replaced. Pure.
final class StrategicMerge {
    private static final String DIRECTIVE = "$patch";
    private static final Map<String, String> KEYS = Map.ofEntries(
            Map.entry("containers", "name"),
            Map.entry("initContainers", "name"),
            Map.entry("env", "name"),
            Map.entry("volumes", "name"),
            Map.entry("volumeMounts", "mountPath"),
            Map.entry("volumeDevices", "devicePath"),
            Map.entry("imagePullSecrets", "name"),
            Map.entry("secrets", "name"),
            Map.entry("hostAliases", "ip"),
            Map.entry("topologySpreadConstraints", "topologyKey"),
            Map.entry("ownerReferences", "uid"));

    private StrategicMerge() {}

    /// @throws IllegalArgumentException if the patch has a directive that nobody writes by hand, or an element without
    /// its key
    static Map<String, Object> merge(Map<String, ?> base, Map<String, ?> patch) {
        var directive = patch.get(DIRECTIVE);
        if ("replace".equals(directive)) {
            return without(patch);
        }
        if (directive != null && !"merge".equals(directive)) {
            throw new IllegalArgumentException("$patch: " + directive + " has no effect here");
        }
        var merged = new LinkedHashMap<String, Object>(base);
        without(patch).forEach((key, value) -> {
            if (key.startsWith("$")) {
                throw new IllegalArgumentException(key + " is not supported");
            }
            if (value == null || isDeletion(value)) {
                merged.remove(key);
            } else {
                merged.put(key, merge(key, base.get(key), value));
            }
        });
        return merged;
    }

    private static Map<String, Object> without(Map<String, ?> patch) {
        var rest = new LinkedHashMap<String, Object>(patch);
        rest.remove(DIRECTIVE);
        return rest;
    }

    private static boolean isDeletion(Object value) {
        return value instanceof Map<?, ?> map && "delete".equals(map.get(DIRECTIVE));
    }

    /// Among the elements of a list: the others are all of it.
    private static boolean isReplacement(Object element) {
        return element instanceof Map<?, ?> map && map.size() == 1 && "replace".equals(map.get(DIRECTIVE));
    }

    private static Object merge(String field, @Nullable Object base, Object patch) {
        return switch (patch) {
            case Map<?, ?> map -> merge(base instanceof Map<?, ?> known ? texts(known) : Map.of(), texts(map));
            case List<?> list -> list(field, base instanceof List<?> known ? known : List.of(), list);
            default -> patch;
        };
    }

    private static List<?> list(String field, List<?> base, List<?> patch) {
        var key = key(field, patch);
        if (key == null) {
            return patch;
        }
        var merged = new ArrayList<Object>(patch.stream().anyMatch(StrategicMerge::isReplacement) ? List.of() : base);
        for (var one : patch) {
            var element = one instanceof Map<?, ?> map ? texts(map) : Map.<String, Object>of();
            if (isReplacement(element)) {
                continue;
            }
            var value = element.get(key);
            if (value == null) {
                throw new IllegalArgumentException("an element of " + field + " has no " + key);
            }
            var at = indexOf(merged, key, value);
            if (isDeletion(element)) {
                if (at >= 0) {
                    merged.remove(at);
                }
            } else if (at >= 0 && merged.get(at) instanceof Map<?, ?> known) {
                merged.set(at, merge(texts(known), element));
            } else {
                merged.add(merge(Map.of(), element));
            }
        }
        return merged;
    }

    /// Ports of containers and of Services have the same name and different keys.
    private static @Nullable String key(String field, List<?> patch) {
        if (!field.equals("ports")) {
            return KEYS.get(field);
        }
        return patch.stream().anyMatch(one -> one instanceof Map<?, ?> map && map.containsKey("containerPort"))
                ? "containerPort"
                : "port";
    }

    private static int indexOf(List<Object> list, String key, Object value) {
        for (var at = 0; at < list.size(); at++) {
            if (list.get(at) instanceof Map<?, ?> map && value.equals(map.get(key))) {
                return at;
            }
        }
        return -1;
    }

    private static Map<String, Object> texts(Map<?, ?> map) {
        var texts = new LinkedHashMap<String, Object>();
        map.forEach((key, value) -> texts.put(String.valueOf(key), value));
        return texts;
    }
}
