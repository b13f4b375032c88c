package dev.culvert.cli.local;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A Kubernetes object as its YAML has it; absent fields are empty.
public record KubeObject(Map<String, Object> fields) {

    /// What identifies it.
    public record Key(String kind, String namespace, String name) {}

    public Key key() {
        return new Key(kind(), namespace(), name());
    }

    public String kind() {
        return text("kind").orElse("");
    }

    public String name() {
        return text("metadata", "name").orElse("");
    }

    public String namespace() {
        return text("metadata", "namespace").orElse("default");
    }

    public Optional<String> text(String... path) {
        return value(path).map(Object::toString);
    }

    /// The mapping at `path`, or an empty one.
    public KubeObject at(String... path) {
        return new KubeObject(value(path).map(KubeObject::mapping).orElse(Map.of()));
    }

    public Map<String, String> texts(String... path) {
        var texts = new LinkedHashMap<String, String>();
        at(path).fields.forEach((key, value) -> texts.put(key, String.valueOf(value)));
        return texts;
    }

    public List<Object> list(String... path) {
        return value(path)
                .filter(List.class::isInstance)
                .<List<Object>>map(KubeObject::items)
                .orElse(List.of());
    }

    /// The mappings in the list at `path`.
    public List<KubeObject> objects(String... path) {
        return list(path).stream()
                .filter(Map.class::isInstance)
                .map(item -> new KubeObject(mapping(item)))
                .toList();
    }

    private Optional<Object> value(String... path) {
        Object at = fields;
        for (var field : path) {
            if (!(at instanceof Map<?, ?> map) || map.get(field) == null) {
                return Optional.empty();
            }
            at = map.get(field);
        }
        return Optional.of(at);
    }

    @SuppressWarnings("unchecked") // YAML mappings of Kubernetes objects have texts as keys
    private static Map<String, Object> mapping(Object value) {
        return value instanceof Map<?, ?> map ? (Map<String, Object>) map : Map.of();
    }

    @SuppressWarnings("unchecked") // whatever the items are, they are objects
    private static List<Object> items(Object value) {
        return (List<Object>) value;
    }
}
