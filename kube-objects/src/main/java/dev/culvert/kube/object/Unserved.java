package dev.culvert.kube.object;

/// An object of a kind that Istio's sidecars act on and this mesh does not: nothing is kept of what it says.
public record Unserved(Metadata metadata, Kind kind, Place place) implements KubeObject {}
