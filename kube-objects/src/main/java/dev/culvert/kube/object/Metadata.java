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
/// @param generation grows with each change of the spec; 0 if nobody counts
public record Metadata(
        String name,
        String namespace,
        String uid,
        Map<String, String> labels,
        Map<String, String> annotations,
        Optional<Owner> owner,
        Optional<Instant> created,
        boolean deleted,
        long generation) {
    /// Who made the object.
    public record Owner(String kind, String name) {}

    public Metadata(
            String name,
            String namespace,
            String uid,
            Map<String, String> labels,
            Map<String, String> annotations,
            Optional<Owner> owner,
            Optional<Instant> created,
            boolean deleted) {
        this(name, namespace, uid, labels, annotations, owner, created, deleted, 0);
    }

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
        return new Metadata(name, namespace, uid, labels, more, owner, created, deleted, generation);
    }
}
