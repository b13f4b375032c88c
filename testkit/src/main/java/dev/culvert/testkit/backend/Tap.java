package dev.culvert.testkit.backend;

import java.io.IOException;

/// A record of what crossed between two nodes, bounded; thread-safe.
public interface Tap extends AutoCloseable {
    /// Whether these bytes were seen in clear, in one packet or across two.
    /// @throws IllegalStateException if they were not, and not everything was kept
    boolean saw(byte[] canary) throws IOException;

    /// Bytes that crossed so far.
    long bytes() throws IOException;

    @Override
    void close() throws IOException;
}
