package dev.culvert.testkit.backend;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;

/// An application's TCP connection, as the kernel gives it: blocking calls, one reader and one writer at a
/// time.
public interface AppSocket extends AutoCloseable {
    InetSocketAddress local() throws IOException;

    InetSocketAddress remote() throws IOException;

    /// Waits for at least one byte.
    /// @return -1 after the peer's FIN
    /// @throws IOException with "reset" after the peer's RST
    int read(ByteBuffer into) throws IOException;

    /// Waits until something could be written.
    int write(ByteBuffer from) throws IOException;

    /// Sends FIN; reading goes on.
    void shutdownOutput() throws IOException;

    /// Sends RST, and drops what was not sent.
    void reset() throws IOException;

    @Override
    void close() throws IOException;
}
