package dev.culvert.kube.object;

/// A `gateway.networking.k8s.io` GatewayClass.
///
/// @param controller who serves its Gateways
public record GatewayClass(Metadata metadata, String controller, Place place) implements KubeObject {}
