package dev.culvert.waypoint.route;

import java.util.List;

/// The routes of one port; the host of a request chooses among them.
public interface HostedRoutes {
    /// Those for a host, with or without port; without any if nobody serves it.
    RouteTable of(String authority);

    /// Whether somebody else serves the host: who came in by another's certificate is sent away.
    /// @param listener by whose certificate the connection came in
    boolean isMisdirected(String authority, String listener);

    /// All of all hosts.
    List<CompiledRoute> all();
}
