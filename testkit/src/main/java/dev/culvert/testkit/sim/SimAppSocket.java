package dev.culvert.testkit.sim;

import dev.culvert.testkit.backend.AppSocket;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;

/// A simulated socket with blocking calls.
final class SimAppSocket implements AppSocket {
    private final SimSocket socket;

    SimAppSocket(SimSocket socket) {
        this.socket = socket;
    }

    @Override
    public InetSocketAddress local() {
        return socket.ends().local();
    }

    @Override
    public InetSocketAddress remote() {
        return socket.ends().remote();
    }

    @Override
    public int read(ByteBuffer into) throws IOException {
        return socket.blocking(() -> socket.read(into));
    }

    @Override
    public int write(ByteBuffer from) throws IOException {
        return from.hasRemaining() ? socket.blocking(() -> socket.write(from)) : 0;
    }

    @Override
    public void shutdownOutput() {
        socket.shutdownOutput();
    }

    @Override
    public void reset() {
        socket.reset();
    }

    @Override
    public void close() {
        socket.close();
    }
}
