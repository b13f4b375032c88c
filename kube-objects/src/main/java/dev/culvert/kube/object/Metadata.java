package dev.culvert.kube.object;

import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// What every object says about itself.
///
/// @param namespace empty for kinds without
/// @param uid empty if nobody gave one
/// @param owner the owner reference with `controller: true`
public record Metadata(
        String name,
        String namespace,
        String uid,
        Map<String, String> labels,
        Map<String, String> annotations,
        Optional<Owner> owner,
        Optional<Instant> created,
        boolean deleted) {
    /// Who made the object.
    public record Owner(String kind, String name) {}

    public Metadata {
        labels = Map.copyOf(labels);
        annotations = Map.copyOf(annotations);
    }

    public Optional<String> label(String key) {
        return Optional.ofNullable(labels.get(key));
    }

    public Optional<String> annotation(String key) {
        return Optional.ofNullable(annotations.get(key));
    }

    public Metadata withAnnotation(String key, String value) {
        var more = new TreeMap<>(annotations);
        more.put(key, value);
        return new Metadata(name, namespace, uid, labels, more, owner, created, deleted);
    }
}
