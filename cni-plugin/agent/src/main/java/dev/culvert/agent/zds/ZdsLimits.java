package dev.culvert.agent.zds;

import java.time.Duration;

/// The bounds of the conversation.
/// @param answer for the hello, each write and each ack
/// @param idle without an update, after which the peer's end is looked for
/// @param acceptsPerSecond new connections
/// @param queue messages that wait for one connection
public record ZdsLimits(Duration answer, Duration idle, int acceptsPerSecond, int queue) {
    public static final ZdsLimits DEFAULT = new ZdsLimits(Duration.ofSeconds(5), Duration.ofSeconds(5), 5, 100);
}
