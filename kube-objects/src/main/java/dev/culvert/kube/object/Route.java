package dev.culvert.kube.object;

import java.util.List;

/// A route of the Gateway API.
public sealed interface Route extends KubeObject permits HttpRoute, RawRoute {
    List<ParentRef> parents();

    /// In lower case, for listeners of Gateways; empty for theirs.
    List<String> hostnames();
}
