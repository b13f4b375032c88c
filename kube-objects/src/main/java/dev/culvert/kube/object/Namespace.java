package dev.culvert.kube.object;

/// A `v1` Namespace.
public record Namespace(Metadata metadata, Place place) implements KubeObject {}
