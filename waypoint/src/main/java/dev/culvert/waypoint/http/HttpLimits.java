package dev.culvert.waypoint.http;

import java.time.Duration;

/// What one inner connection may cost.
/// @param headerBytes of a request, and of an answer
/// @param streams HTTP/2 requests at a time on a connection
/// @param replayBytes of a request's body that are kept for another try
/// @param idle bound of the time to a request's complete header, after its connection or the request before
///     it
/// @param detect how long a client may keep us guessing what it speaks
public record HttpLimits(int headerBytes, int streams, int replayBytes, Duration idle, Duration detect) {}
