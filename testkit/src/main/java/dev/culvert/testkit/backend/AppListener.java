package dev.culvert.testkit.backend;

import java.io.IOException;

/// An application's listening socket. Thread-safe.
public interface AppListener extends AutoCloseable {
    /// Waits for the next connection.
    /// @throws java.nio.channels.ClosedChannelException once closed, from whatever thread
    AppSocket accept() throws IOException;

    @Override
    void close() throws IOException;
}
