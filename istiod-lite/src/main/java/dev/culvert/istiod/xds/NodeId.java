package dev.culvert.istiod.xds;

import dev.culvert.istiod.ca.Caller;
import java.util.Optional;

/// What a client calls itself: `type~ip~pod.namespace~domain`.
///
/// @param pod empty if it names none
record NodeId(String namespace, String pod) {
    private static final int PARTS = 4;
    private static final int POD = 2;

    /// Nobody speaks for another namespace.
    ///
    /// @param caller empty where nobody asked who calls
    /// @throws IllegalArgumentException if it has another form
    /// @throws SecurityException if it is of another namespace than the caller
    static NodeId of(String node, Optional<Caller> caller) {
        var parts = node.split("~", -1);
        if (parts.length != PARTS) {
            throw new IllegalArgumentException("the node id is not type~ip~pod.namespace~domain: " + node);
        }
        var dot = parts[POD].lastIndexOf('.');
        var namespace = parts[POD].substring(dot + 1);
        if (caller.isPresent() && !caller.get().namespace().equals(namespace)) {
            throw new SecurityException(caller.get() + " calls itself " + node);
        }
        return new NodeId(namespace, parts[POD].substring(0, Math.max(0, dot)));
    }
}
