package dev.culvert.waypoint.route;

import java.util.List;

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
}
