package dev.culvert.waypoint.route;

import java.net.InetAddress;
import java.util.List;
import java.util.Optional;

/// What of a request is matched: its path is normalised and without its query.
public interface RequestView {
    String method();

    String scheme();

    /// As sent, port included; empty if there is none.
    String authority();

    String path();

    /// Without `?`; empty if there is none.
    String query();

    /// Values of a header in the order in which they came.
    List<String> header(String name);

    /// The client's address, where a trusted proxy has said it.
    default Optional<InetAddress> client() {
        return Optional.empty();
    }

    /// Of the identity that calls.
    default String callerNamespace() {
        return "";
    }

    /// Uid of the pod that calls; empty if the mesh does not know it.
    default String callerWorkload() {
        return "";
    }

    /// `issuer/subject` of the token; empty without one.
    default String requestPrincipal() {
        return "";
    }

    /// Values of a claim of the token; none without a token.
    /// @param path from the outside in
    default List<String> claim(List<String> path) {
        return List.of();
    }
}
