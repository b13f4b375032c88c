package dev.culvert.hbone.codec;

import java.time.Duration;

/// What one connection may cost us.
/// @param local what we tell the peer
/// @param connectionWindowBytes credit of the whole connection; at least four times a stream's, so that one stalled
///     stream does not stop the others
/// @param maxStreams that we open on it
/// @param pingEvery silence before a PING; the peer is dead when it is not answered within `pingTimeout`
public record H2Limits(
        H2Settings local, int connectionWindowBytes, int maxStreams, Duration pingEvery, Duration pingTimeout) {
    /// Small fixed windows: 256 KiB a stream and 1 MiB a connection.
    public static final H2Limits DEFAULTS = new H2Limits(
            new H2Settings(4096, 200, 256 * 1024, 1024 * 1024, 65536),
            1024 * 1024,
            100,
            Duration.ofSeconds(10),
            Duration.ofSeconds(20));
}
