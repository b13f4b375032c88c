package dev.culvert.agent.event;

import java.time.Duration;

/// The bounds of what plugins may ask.
/// @param requests at once; more are told to come again. As many pods as a node may have can start together
/// @param headBytes of one request's head
/// @param bodyBytes of one request's body
/// @param read for a whole request
/// @param known for the pod's object to be seen
/// @param start for a pod that starts, and
/// @param answer for everything else: below the plugin's own patience of 60 and 10 s, so that it hears the reason
public record EventLimits(
        int requests, int headBytes, int bodyBytes, Duration read, Duration known, Duration start, Duration answer) {
    public static final EventLimits DEFAULT = new EventLimits(
            256,
            8 << 10,
            1 << 20,
            Duration.ofSeconds(2),
            Duration.ofSeconds(2),
            Duration.ofSeconds(55),
            Duration.ofSeconds(8));
}
