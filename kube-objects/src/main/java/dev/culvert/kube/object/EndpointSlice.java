package dev.culvert.kube.object;

import java.net.InetAddress;
import java.util.List;

/// A `discovery.k8s.io/v1` EndpointSlice. Only read: endpoints are derived from pods.
public record EndpointSlice(Metadata metadata, List<Endpoint> endpoints, List<Port> ports, Place place)
        implements KubeObject {
    /// One endpoint.
    ///
    /// @param pod name of the pod that `targetRef` names; empty if none
    public record Endpoint(List<InetAddress> addresses, boolean ready, String pod) {
        public Endpoint {
            addresses = List.copyOf(addresses);
        }
    }

    /// One port of all endpoints.
    public record Port(String name, int number) {}

    public EndpointSlice {
        endpoints = List.copyOf(endpoints);
        ports = List.copyOf(ports);
    }
}
