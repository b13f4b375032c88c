package dev.culvert.kube.object;

/// A `v1` ServiceAccount.
public record ServiceAccount(Metadata metadata, Place place) implements KubeObject {}
