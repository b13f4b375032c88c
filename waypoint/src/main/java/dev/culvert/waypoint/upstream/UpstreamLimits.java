package dev.culvert.waypoint.upstream;

import java.time.Duration;

/// What upstreams may cost a loop.
/// @param connections open and being opened to one endpoint, by one loop
/// @param idle how long a connection without a request is kept
/// @param connect bound of a TCP connect
public record UpstreamLimits(int connections, int streams, Duration idle, Duration connect) {}
