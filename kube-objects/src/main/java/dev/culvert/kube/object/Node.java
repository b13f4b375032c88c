package dev.culvert.kube.object;

import java.net.InetAddress;
import java.util.List;

/// A `v1` Node.
///
/// @param addresses those of type `InternalIP`
public record Node(Metadata metadata, List<InetAddress> addresses, Place place) implements KubeObject {
    public Node {
        addresses = List.copyOf(addresses);
    }
}
